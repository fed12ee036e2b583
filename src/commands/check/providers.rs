//! The providers: settings, the files and directories that they name, and the programs that their logins start. Without
//! `--connect`, nothing is contacted; no program is started before it was checked.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::findings::CheckResults;
use crate::config::OperatorFile;
use sealwave_core::diagnostic::{Problem, ProblemPlace, Severity};
use sealwave_providers::{EnvLookup, LoginResult, OfflineCheck, OfflineReport, ProviderConfig};
use sealwave_secrets::settings::SettingPath;

pub(super) fn check(file: &OperatorFile, environment: &EnvLookup, connect: bool) -> CheckResults {
    let mut results = CheckResults::default();
    let protected = file.protected_files();
    let check = OfflineCheck { operator_dir: file.directory(), protected: &protected, environment };
    let configs = file.operator().providers.iter().map(|(name, config)| (name.as_str(), config));
    let reports: Vec<_> = configs.map(|(name, config)| (name, config, check.check(name, config))).collect();
    let mut logins = if connect { try_logins(file, &check, &reports) } else { BTreeMap::new() };
    for (name, config, report) in reports {
        let setting = SettingPath::of_keys(&["providers", name]);
        let at = file.locate(&setting);
        let place = |problem| Problem { at: at.clone(), ..problem };
        let kind = config.kind();
        match logins.remove(name) {
            Some(result) => {
                add_login(&mut results, file, &setting, &format!("provider `{name}`: kind `{kind}`"), result);
            }
            None if report.has_error() => {}
            None => results.healthy(format!("provider `{name}`: kind `{kind}`, not contacted")),
        }
        report.programs.into_iter().for_each(|program| results.healthy(program));
        for (severity, problem) in report.problems {
            results.push(severity, place(problem));
        }
    }
    results
}

/// Tries the logins of all providers without an error: a program that must not be started is one.
fn try_logins<'c>(
    file: &OperatorFile,
    check: &OfflineCheck<'_>,
    reports: &[(&'c str, &ProviderConfig, OfflineReport)],
) -> BTreeMap<&'c str, LoginResult> {
    let without_error = reports.iter().filter(|(.., report)| !report.has_error());
    let configs: Vec<_> = without_error.map(|(name, config, _)| (*name, *config)).collect();
    let now = Instant::now();
    let limit = Duration::from_secs(file.operator().deadline_seconds);
    check.try_logins(&configs, now.checked_add(limit).unwrap_or(now))
}

/// Adds the result of a login.
fn add_login(
    results: &mut CheckResults,
    file: &OperatorFile,
    setting: &SettingPath,
    subject: &str,
    result: LoginResult,
) {
    match result.login {
        Ok(None) => results.healthy(format!("{subject}, needs no login")),
        Ok(Some(login)) => {
            let identity = login.identity.map(|name| format!(" as `{name}`")).unwrap_or_default();
            let time = result.elapsed.as_millis();
            results.healthy(format!("{subject}, logged in{identity} in {time} ms"));
            for note in login.notes {
                results.note(file, setting, note);
            }
        }
        Err(problem) => {
            let at: ProblemPlace = file.locate(setting);
            results.push(Severity::Error, Problem { at, ..problem });
        }
    }
}
