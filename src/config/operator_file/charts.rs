//! The repositories of charts that the operator file allows.

use std::path::Path;

use super::error::OperatorFileError;
use super::file::OperatorFile;
use sealwave_core::diagnostic::Failure;
use sealwave_secrets::settings::{ChartRepository, OperatorCharts, SettingPath};

impl OperatorFile {
    /// Returns the settings of charts, with paths relative to the working directory.
    #[must_use]
    pub fn charts(&self) -> OperatorCharts {
        self.operator().charts.in_directory(&self.resolve(Path::new("")))
    }

    /// Checks that credentials are complete, and that no password would be sent over a network without TLS.
    pub(super) fn check_charts(&self) -> Result<(), Failure> {
        let repositories = &self.operator().charts.repositories;
        for (index, repository) in repositories.iter().enumerate() {
            let ChartRepository { url, username_file, password_file, .. } = repository;
            let (field, error) = match (username_file, password_file) {
                (Some(_), None) => ("usernameFile", OperatorFileError::ChartPassword),
                (None, Some(_)) => ("passwordFile", OperatorFileError::ChartUser),
                (Some(_), Some(_)) if url.reveals_passwords() => {
                    ("passwordFile", OperatorFileError::ChartPlain { url: url.to_string() })
                }
                _ if repositories.iter().take(index).any(|other| other.url == *url) => {
                    ("url", OperatorFileError::ChartTwice { url: url.to_string() })
                }
                _ => continue,
            };
            let setting = SettingPath::of_keys(&["charts", "repositories"]).item(index).key(field);
            return Err(self.failure(&error, &setting));
        }
        Ok(())
    }
}
