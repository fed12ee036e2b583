//! Checks of a provider before a rollout: its name, its settings, the files that it names, and the programs that its login
//! starts.
//!
//! Nothing is contacted or started. A file with credentials is read only if it may name a program, and only that name is
//! used.

use std::path::Path;

use crate::program::LoginProgram;
use crate::{
    AppDetails, EnvLookup, LocalContext, OfflineProblem, ProtectedFiles, Provider, ProviderConfig,
    ProviderConfigError, ProviderContext, SettingsError,
};
use sealwave_core::diagnostic::{Explain, Problem, Severity};
use sealwave_secrets::policy::PolicySubject;

/// The surroundings of the providers that are checked.
pub struct OfflineCheck<'a> {
    /// The directory that relative paths are relative to.
    pub operator_dir: &'a Path,
    /// The files that no provider may hand out.
    pub protected: &'a ProtectedFiles,
    /// Looks up environment variables.
    pub environment: &'a EnvLookup,
}

/// The results of the checks of a provider.
#[derive(Debug, Default)]
pub struct OfflineReport {
    /// The problems, without places.
    pub problems: Vec<(Severity, Problem)>,
    /// Descriptions of the programs that its login starts.
    pub programs: Vec<String>,
}

impl OfflineCheck<'_> {
    /// Checks a provider with this name.
    #[must_use]
    pub fn check(&self, name: &str, config: &ProviderConfig) -> OfflineReport {
        let mut report = OfflineReport::default();
        if let Err(error) = ProviderConfigError::check_name(name) {
            report.problems.push((Severity::Error, Problem::new(&error)));
        }
        if let Err(error) = self.create(name, config) {
            let error = ProviderConfigError::in_settings(name, error);
            report.problems.push((Severity::Error, Problem::new(&error)));
        }
        let files = config.credential_files().into_iter().map(|file| self.operator_dir.join(file));
        let Self { operator_dir, protected, environment } = *self;
        let context = LocalContext { operator_dir, protected, environment };
        let found = config
            .not_built()
            .into_iter()
            .chain(files.filter_map(OfflineProblem::of_file))
            .chain(config.offline_problems(&context));
        for problem in found {
            report.add(name, problem.severity(), &problem);
        }
        for program in config.login_programs(&context) {
            report.add_program(name, &program, self.operator_dir);
        }
        report
    }

    /// Creates a provider for the checks. Its settings do not depend on an app.
    pub(crate) fn create(
        &self,
        name: &str,
        config: &ProviderConfig,
    ) -> Result<Box<dyn Provider>, SettingsError> {
        let directory = self.operator_dir.to_owned();
        let app = AppDetails {
            directory: directory.clone(),
            boundary: directory,
            subject: PolicySubject::default(),
        };
        let Self { operator_dir, protected, environment } = self;
        config.create(name, &ProviderContext { operator_dir, protected, app: &app, environment })
    }
}

impl OfflineReport {
    /// Reports whether the provider has an error, so that no app can use it, or none should.
    #[must_use]
    pub fn has_error(&self) -> bool {
        self.problems.iter().any(|(severity, _)| *severity == Severity::Error)
    }

    fn add(&mut self, name: &str, severity: Severity, error: &(impl Explain + ?Sized)) {
        let mut problem = Problem::new(error);
        problem.message = format!("provider `{name}`: {}", problem.message);
        self.problems.push((severity, problem));
    }

    fn add_program(&mut self, name: &str, program: &LoginProgram, operator_dir: &Path) {
        match program.check(operator_dir) {
            Ok((description, warning)) => {
                self.programs.push(format!("provider `{name}`: {description}"));
                if let Some(warning) = warning {
                    self.add(name, warning.severity(), &warning);
                }
            }
            Err(problem) => self.add(name, problem.severity(), &problem),
        }
    }
}
