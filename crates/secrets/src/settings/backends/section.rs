//! The interface of the sections of the app file for backends, and the errors in them.

use std::collections::BTreeMap;

use sealwave_core::diagnostic::Explain;

/// A section of the app file, or of one of its environments, with the settings of one backend.
pub(super) trait BackendSection {
    /// The settings as decided for one environment.
    type Decided;

    /// Decides the settings of one environment. Its own section takes precedence over the app's.
    fn decide(app: &Self, environment: &Self, problems: &mut Vec<SettingError>) -> Self::Decided;
}

/// An invalid setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SettingError {
    #[error("`{0}` is empty")]
    Empty(String),
    #[error("`{section}` has `{field}`, which is for {whose} only")]
    Foreign { section: String, field: &'static str, whose: &'static str },
    #[error("`{section}.mounts` has `{mount}`, which is not a valid mount name")]
    Mount { section: String, mount: String },
    #[error("`{section}.{field}` is required")]
    Missing { section: String, field: &'static str },
    #[error("`externalSecrets.refreshInterval` is neither `0` nor a duration of at least one second")]
    RefreshInterval,
    #[error("`secretBackends` has `{0}`, which is neither `name` nor `namespace/name`")]
    SecretName(String),
    #[error("`{0}` does not name its service")]
    UnknownService(String),
}

impl Explain for SettingError {
    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Empty(_) | Self::Foreign { .. } => "remove it",
                Self::Mount { .. } => "write mounts as in `vault secrets list`, for example `team/kv: 2`",
                Self::Missing { field: "region", .. } => {
                    "write the region of the secrets, for example `region: eu-west-1`"
                }
                Self::Missing { .. } => "the driver's provider cannot work without it",
                Self::RefreshInterval => "write it as `1h`, `90m` or `30s`",
                Self::SecretName(_) => "write the Secret's name, or its namespace, a `/` and its name",
                Self::UnknownService(_) => "add `provider: aws-sm`, `aws-ssm` or `vault`",
            }
            .to_owned(),
        )
    }
}

/// Merges both maps by name; the second takes precedence.
pub(super) fn merged<'a, T>(
    app: &'a BTreeMap<String, T>,
    environment: &'a BTreeMap<String, T>,
) -> BTreeMap<&'a str, &'a T> {
    app.iter().chain(environment).map(|(name, value)| (name.as_str(), value)).collect()
}
