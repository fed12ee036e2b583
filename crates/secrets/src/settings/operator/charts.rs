//! The repositories of charts that apps may use, with their credentials, and the place of downloaded charts.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::settings::RepositoryUrl;

/// Settings of charts that are not in the repository of an app.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OperatorCharts {
    /// A writable directory for downloaded charts. By default the user's cache directory, in the sidecar the directory for
    /// temporary files.
    pub cache_directory: Option<PathBuf>,
    /// The repositories that apps may use; others are refused.
    pub repositories: Vec<ChartRepository>,
}

/// A repository of charts.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChartRepository {
    /// Its URL: `https://…`, or `oci://…` for a registry. It allows all repositories whose URLs are below it.
    pub url: RepositoryUrl,
    /// A file with the user name.
    #[serde(default)]
    pub username_file: Option<PathBuf>,
    /// A file with the password or token.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// PEM certificates to trust for it, instead of those of the system.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

impl OperatorCharts {
    /// Returns the settings with their paths below the directory of the operator file.
    #[must_use]
    pub fn in_directory(&self, directory: &Path) -> Self {
        let full = |path: &Option<PathBuf>| path.as_ref().map(|path| directory.join(path));
        let repository = |repository: &ChartRepository| ChartRepository {
            url: repository.url.clone(),
            username_file: full(&repository.username_file),
            password_file: full(&repository.password_file),
            ca_file: full(&repository.ca_file),
        };
        Self {
            cache_directory: full(&self.cache_directory),
            repositories: self.repositories.iter().map(repository).collect(),
        }
    }

    /// Returns the files with credentials.
    pub fn credential_files(&self) -> impl Iterator<Item = &Path> {
        self.repositories.iter().flat_map(|ChartRepository { username_file, password_file, .. }| {
            [username_file, password_file].into_iter().flatten().map(PathBuf::as_path)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{OperatorConfig, read_config};

    fn read(charts: &str) -> Result<OperatorCharts, String> {
        let text = format!("apiVersion: sealwave.dev/v1alpha1\nkind: Operator\ncharts: {charts}\n");
        let read = read_config::<OperatorConfig<serde_json::Value>>(text.as_bytes(), "operator.yaml");
        read.map(|operator| operator.charts).map_err(|failure| failure.problems()[0].to_string())
    }

    #[test]
    fn repositories_are_read() {
        let charts = read(
            "{cacheDirectory: cache, repositories: [{url: https://a.example/x/, usernameFile: user, passwordFile: /pass, \
             caFile: ca}, {url: oci://b.example}]}",
        )
        .unwrap()
        .in_directory(Path::new("/etc/sealwave"));
        assert_eq!(charts.cache_directory, Some("/etc/sealwave/cache".into()));
        assert_eq!(charts.repositories[0].url.to_string(), "https://a.example/x");
        let files: Vec<_> = charts.credential_files().collect();
        assert_eq!(files, [Path::new("/etc/sealwave/user"), Path::new("/pass")]);
        assert_eq!(charts.repositories[1].ca_file, None);
    }

    #[test]
    fn wrong_settings_are_refused_without_their_values() {
        for (charts, message) in [
            ("{repositories: [{}]}", "url"),
            ("{repositories: [{url: 'https://user:CANARY@a.example'}]}", "expected a URL such as"),
            ("{repositories: [{url: https://a.example, password: CANARY}]}", "unknown field `password`"),
            ("{repositories: [https://a.example]}", "wrong type"),
            ("{cache: CANARY}", "unknown field `cache`"),
        ] {
            let error = read(charts).unwrap_err();
            assert!(error.contains(message) && !error.contains("CANARY"), "{charts}: {error}");
        }
    }
}
