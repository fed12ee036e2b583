//! The providers: settings, and the files and directories that they name. Nothing is contacted.

use super::findings::CheckResults;
use crate::config::OperatorFile;
use sealwave_core::diagnostic::{Problem, Severity};
use sealwave_providers::{EnvLookup, OfflineCheck};
use sealwave_secrets::settings::SettingPath;

pub(super) fn check(file: &OperatorFile, environment: &EnvLookup) -> CheckResults {
    let mut results = CheckResults::default();
    let protected = file.protected_files();
    let check = OfflineCheck { operator_dir: file.directory(), protected: &protected, environment };
    for (name, config) in &file.operator().providers {
        let problems = check.problems(name, config);
        let at = file.locate(&SettingPath::of_keys(&["providers", name]));
        if !problems.iter().any(|(severity, _)| *severity == Severity::Error) {
            results.healthy(format!("provider `{name}`: kind `{}`, not contacted", config.kind()));
        }
        for (severity, problem) in problems {
            results.push(severity, Problem { at: at.clone(), ..problem });
        }
    }
    results
}
