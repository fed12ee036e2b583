//! Audit records: the outcome of each reference of a run, for each destination. They hold names and outcomes, never a
//! value.

use std::collections::BTreeMap;

use super::access::{AccessPolicy, PolicyDecisions};
use sealwave_core::diagnostic::Problem;
use sealwave_core::time::Date;
use sealwave_providers::{FetchResult, ProviderError};
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::policy::{Destination, PolicyDecision};

/// A destination of audit records. It is called once per run, after fetching and before values are used.
pub trait AuditSink: Sync {
    /// Writes all records.
    ///
    /// # Errors
    /// The records could not be written. The run must then stop.
    fn write(&self, records: &[AuditRecord<'_>]) -> Result<(), Problem>;
}

/// The outcome of a reference for a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord<'a> {
    /// The reference.
    pub reference: &'a SecretReference,
    /// The destination that its value would be sealed for.
    pub destination: Destination<'a>,
    /// The rule that allowed or denied it; `None` if no rule matches or the policy was not checked.
    pub rule: Option<&'a str>,
    /// The outcome.
    pub outcome: FetchOutcome,
    /// The version that was fetched, in the source's numbering; `None` if the source has no versions.
    pub fetched_version: Option<&'a str>,
    /// The day on which the fetched version was created; `None` if the source does not tell it.
    pub changed: Option<Date>,
}

/// An outcome of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchOutcome {
    /// The source denies access.
    Denied,
    /// The policy denies it; the source was not called.
    DeniedByPolicy,
    /// The source returned a value.
    Fetched,
    /// The reference or its value is malformed.
    Invalid,
    /// Allowed here, but not needed, or not allowed elsewhere; the source was not called.
    NotFetched,
    /// The source does not have it.
    NotFound,
    /// The source did not respond.
    Unreachable,
}

impl FetchOutcome {
    /// Returns the name in an audit record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::DeniedByPolicy => "denied-by-policy",
            Self::Fetched => "fetched",
            Self::Invalid => "invalid",
            Self::NotFetched => "not-fetched",
            Self::NotFound => "not-found",
            Self::Unreachable => "unreachable",
        }
    }

    const fn from_result(fetched: &FetchResult) -> Self {
        match fetched {
            Ok(_) => Self::Fetched,
            Err(ProviderError::Denied { .. }) => Self::Denied,
            Err(ProviderError::Invalid { .. }) => Self::Invalid,
            Err(ProviderError::NotFound { .. }) => Self::NotFound,
            Err(ProviderError::Overdue { .. } | ProviderError::Unreachable { .. }) => Self::Unreachable,
        }
    }
}

/// Returns the records of a run, in the order of its references and their destinations.
pub(super) fn records<'a>(
    verdicts: &PolicyDecisions<'a, 'a>,
    fetched: &'a BTreeMap<&SecretReference, FetchResult>,
    access: &AccessPolicy<'a>,
) -> Vec<AuditRecord<'a>> {
    let rule_name = |decision: &Option<PolicyDecision>| match (access, decision) {
        (
            AccessPolicy::Checked { policy, .. },
            Some(PolicyDecision::Allowed { rule } | PolicyDecision::Denied { rule }),
        ) => Some(policy.rule_name(*rule)),
        _ => None,
    };
    verdicts
        .iter()
        .map(|(reference, destination, verdict)| {
            let result = fetched.get(reference);
            let value = result.and_then(|result| result.as_ref().ok());
            AuditRecord {
                reference,
                destination,
                rule: rule_name(&verdict.decision),
                outcome: match result {
                    _ if !verdict.is_allowed() => FetchOutcome::DeniedByPolicy,
                    None => FetchOutcome::NotFetched,
                    Some(result) => FetchOutcome::from_result(result),
                },
                fetched_version: value.and_then(|value| value.version.as_deref()),
                changed: value.and_then(|value| value.changed),
            }
        })
        .collect()
}
