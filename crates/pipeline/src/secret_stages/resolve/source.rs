//! The source of values.

use std::collections::BTreeSet;
use std::time::Instant;

use super::access::AccessPolicy;
use super::audit::AuditSink;
use super::names::ProviderResolver;
use sealwave_providers::ProviderRegistry;
use sealwave_secrets::settings::EnvironmentBackends;

/// The source of values.
#[derive(Clone, Copy)]
pub enum ValueSource<'a> {
    /// The operator's providers.
    Fetch {
        /// The providers.
        providers: &'a ProviderRegistry,
        /// The access policy.
        access: AccessPolicy<'a>,
        /// The cluster that values are sealed for.
        cluster: &'a str,
        /// The audit log for requests and their outcomes.
        audit: Option<&'a dyn AuditSink>,
        /// The provider that `<path:…>` stands for.
        default_provider: Option<&'a str>,
        /// The time at which the run must end.
        deadline: Instant,
    },
    /// None, but the policy is checked: all Secrets go to backends that store references, or the run only validates.
    Refer {
        /// The names of the providers, if an operator file is available.
        known: Option<&'a BTreeSet<String>>,
        /// The access policy.
        access: AccessPolicy<'a>,
        /// The cluster that the objects are for.
        cluster: &'a str,
        /// The provider that `<path:…>` stands for.
        default_provider: Option<&'a str>,
    },
    /// None, for a preview: nothing is fetched, and everything is checked that does not need values.
    Withhold {
        /// The names of the providers, if an operator file is available; otherwise any name is accepted.
        known: Option<&'a BTreeSet<String>>,
        /// The provider that `<path:…>` stands for.
        default_provider: Option<&'a str>,
    },
}

impl<'a> ValueSource<'a> {
    /// Returns the names of the providers that an app may write.
    pub(super) fn resolver(&self, backends: &'a EnvironmentBackends) -> ProviderResolver<'a> {
        let (known, default_provider) = match self {
            Self::Fetch { providers, default_provider, .. } => (Some(providers.names()), *default_provider),
            Self::Refer { known, default_provider, .. } | Self::Withhold { known, default_provider } => {
                (known.cloned(), *default_provider)
            }
        };
        ProviderResolver { known, default_provider, backends }
    }
}
