//! The names of providers, as an app may write them.

use std::collections::BTreeSet;

use sealwave_secrets::settings::EnvironmentBackends;

/// Resolves the names of providers.
pub(super) struct ProviderResolver<'a> {
    /// `None` if any name is accepted.
    pub(super) known: Option<BTreeSet<String>>,
    pub(super) default_provider: Option<&'a str>,
    pub(super) backends: &'a EnvironmentBackends,
}
