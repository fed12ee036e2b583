//! The repositories of charts that a process may use, and the directory in which it keeps charts.

use std::path::PathBuf;

use sealwave_secrets::settings::{ChartRepository, RepositoryHost, RepositoryUrl};

/// The treatment of charts without a digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DigestUse {
    /// It is not downloaded, as in the sidecar.
    #[default]
    Required,
    /// It is downloaded to show its digest, but not rendered.
    Shown,
}

/// The repositories that a process may use. By default none.
#[derive(Clone, Debug, Default)]
pub struct ChartAccess {
    /// Those of the operator file, with paths that can be opened.
    pub repositories: Vec<ChartRepository>,
    /// Hosts that may be used without credentials.
    pub hosts: Vec<RepositoryHost>,
    /// The directory for downloaded charts, which need not exist.
    pub cache: Option<PathBuf>,
    /// The treatment of charts without a digest.
    pub digests: DigestUse,
}

impl ChartAccess {
    /// Reports whether a repository may be used.
    pub(super) fn allows(&self, url: &RepositoryUrl) -> bool {
        self.settings_of(url).is_some() || self.hosts.iter().any(|host| host.allows(url))
    }

    /// Returns the settings of the operator file for a repository: those with the longest URL.
    pub(super) fn settings_of(&self, url: &RepositoryUrl) -> Option<&ChartRepository> {
        let matching = self.repositories.iter().filter(|repository| url.is_within(&repository.url));
        matching.max_by_key(|repository| repository.url.to_string().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> RepositoryUrl {
        RepositoryUrl::parse(text).unwrap()
    }

    fn repository(text: &str) -> ChartRepository {
        ChartRepository { url: url(text), username_file: None, password_file: None, ca_file: None }
    }

    #[test]
    fn nothing_is_allowed_by_default() {
        assert!(!ChartAccess::default().allows(&url("https://a.example")));
    }

    #[test]
    fn the_closest_settings_apply() {
        let access = ChartAccess {
            repositories: ["https://a.example", "https://a.example/team", "oci://b.example/x"]
                .map(repository)
                .into(),
            hosts: vec![RepositoryHost::parse("c.example").unwrap()],
            ..ChartAccess::default()
        };
        for (text, settings) in [
            ("https://a.example/other", Some("https://a.example")),
            ("https://a.example/team/x", Some("https://a.example/team")),
            ("https://a.example/teams", Some("https://a.example")),
            ("oci://b.example/x/y", Some("oci://b.example/x")),
            ("https://c.example/x", None),
        ] {
            let found = access.settings_of(&url(text)).map(|found| found.url.to_string());
            assert_eq!(found.as_deref(), settings, "{text}");
            assert!(access.allows(&url(text)), "{text}");
        }
        for text in ["oci://a.example", "oci://b.example", "http://a.example", "https://c.example:8443"] {
            assert!(!access.allows(&url(text)), "{text}");
        }
    }
}
