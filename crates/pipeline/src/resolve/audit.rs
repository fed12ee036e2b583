//! What came of each reference of a run, for each destination, for callers that keep a record of it. Names and outcomes,
//! never a value.

use std::collections::BTreeMap;

use super::Access;
use super::access::Verdicts;
use sealwave_core::diagnostic::Problem;
use sealwave_providers::{FetchResult, ProviderError};
use sealwave_secrets::placeholder::Reference;
use sealwave_secrets::policy::{Decision, Destination};

/// Keeps a record. It is asked once per run, after fetching and before anything is made of the values.
pub trait Audit: Sync {
    /// Writes all records down.
    ///
    /// # Errors
    /// They could not be written: then the run must not go on.
    fn write(&self, records: &[Record<'_>]) -> Result<(), Problem>;
}

/// What came of one reference for one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// The reference.
    pub reference: &'a Reference,
    /// What its value would be sealed for.
    pub destination: Destination<'a>,
    /// The rule that allowed or denied it; none where no rule allows it, or where the policy was not asked.
    pub rule: Option<&'a str>,
    /// What came of it.
    pub outcome: Outcome,
    /// The version that was fetched, in the source's own numbering; none where it has no versions.
    pub fetched_version: Option<&'a str>,
}

/// What can come of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The source does not allow reading it.
    Denied,
    /// The policy does not allow it; the source was not asked.
    DeniedByPolicy,
    /// The source gave a value.
    Fetched,
    /// The reference, or what it leads to, is not of the right form.
    Invalid,
    /// It was allowed here, and not needed or not allowed elsewhere; the source was not asked.
    NotFetched,
    /// The source has no such thing.
    NotFound,
    /// The source did not answer.
    Unreachable,
}

impl Outcome {
    /// Its name in a record.
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

    const fn of(fetched: &FetchResult) -> Self {
        match fetched {
            Ok(_) => Self::Fetched,
            Err(ProviderError::Denied { .. }) => Self::Denied,
            Err(ProviderError::Invalid { .. }) => Self::Invalid,
            Err(ProviderError::NotFound { .. }) => Self::NotFound,
            Err(ProviderError::Unreachable { .. }) => Self::Unreachable,
        }
    }
}

/// The records of a run, in the order of its references and their destinations.
pub(super) fn records<'a>(
    verdicts: &Verdicts<'a, 'a>,
    fetched: &'a BTreeMap<&Reference, FetchResult>,
    access: &Access<'a>,
) -> Vec<Record<'a>> {
    let name = |decision: &Option<Decision>| match (access, decision) {
        (Access::Checked { policy, .. }, Some(Decision::Allowed { rule } | Decision::Denied { rule })) => {
            Some(policy.rule_name(*rule))
        }
        _ => None,
    };
    verdicts
        .iter()
        .map(|(reference, destination, verdict)| {
            let answer = fetched.get(reference);
            Record {
                reference,
                destination,
                rule: name(&verdict.decision),
                outcome: match answer {
                    _ if !verdict.is_allowed() => Outcome::DeniedByPolicy,
                    None => Outcome::NotFetched,
                    Some(answer) => Outcome::of(answer),
                },
                fetched_version: answer
                    .and_then(|answer| answer.as_ref().ok())
                    .and_then(|fetched| fetched.version.as_deref()),
            }
        })
        .collect()
}
