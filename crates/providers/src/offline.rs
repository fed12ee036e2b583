//! Checks of a provider before a rollout: its name, its settings and the files that it names.
//!
//! Nothing is contacted, and the content of a credential is never read.

use std::path::{Path, PathBuf};

use crate::{AppFiles, EnvLookup, OfflineProblem, ProviderConfig, ProviderConfigError, ProviderContext};
use sealwave_core::diagnostic::{Problem, Severity};

/// The surroundings of the providers that are checked.
pub struct OfflineCheck<'a> {
    /// The directory that relative paths are relative to.
    pub operator_dir: &'a Path,
    /// The files that no provider may hand out.
    pub protected: &'a [PathBuf],
    /// Looks up environment variables.
    pub environment: &'a EnvLookup,
}

impl OfflineCheck<'_> {
    /// Returns all problems of a provider with this name. No problem has a place.
    #[must_use]
    pub fn problems(&self, name: &str, config: &ProviderConfig) -> Vec<(Severity, Problem)> {
        let mut problems = Vec::new();
        if let Err(error) = ProviderConfigError::check_name(name) {
            problems.push((Severity::Error, Problem::new(&error)));
        }
        // Settings do not depend on an app.
        let directory = self.operator_dir.to_owned();
        let app = AppFiles { directory: directory.clone(), boundary: directory };
        let Self { operator_dir, protected, environment } = self;
        let context = ProviderContext { operator_dir, protected, app: &app, environment };
        if let Err(error) = config.create(name, &context) {
            problems.push((Severity::Error, Problem::new(&ProviderConfigError::in_settings(name, error))));
        }
        let files = config.credential_files().into_iter().map(|file| operator_dir.join(file));
        let found = config
            .not_built()
            .into_iter()
            .chain(files.filter_map(OfflineProblem::of_file))
            .chain(config.offline_problems(operator_dir));
        problems.extend(found.map(|problem| {
            let severity = problem.severity();
            let mut problem = Problem::new(&problem);
            problem.message = format!("provider `{name}`: {}", problem.message);
            (severity, problem)
        }));
        problems
    }
}
