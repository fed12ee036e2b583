//! Rules that check an app against the operator file: providers, clusters and policy.
//!
//! `generate` reports the same errors in the sidecar; these rules find them before the merge. Nothing is fetched. Messages
//! show what the author wrote and the policy rule that decides, and must never show other parts of the operator file.

pub(super) mod policy;
pub(super) mod unknown_cluster;
pub(super) mod unknown_provider;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::{Environment, Object, SecretUse};
use sealwave_core::diagnostic::Failure;
use sealwave_secrets::policy::{BoundPolicy, Destination, Policy, PolicyRefusal, Subject};
use sealwave_secrets::settings::Operator;

/// The parts of an operator file that apps are checked against.
#[derive(Clone)]
pub struct OperatorView {
    providers: BTreeSet<String>,
    clusters: BTreeSet<String>,
    policy: Arc<Policy>,
    /// The app that the policy is evaluated for; `None` disables the policy.
    subject: Option<Subject>,
}

impl OperatorView {
    /// Creates a view of an operator file.
    ///
    /// # Errors
    /// The rules of the policy are not valid.
    pub fn of(operator: &Operator) -> Result<Self, Failure> {
        Ok(Self {
            providers: operator.providers.keys().cloned().collect(),
            clusters: operator.clusters.keys().cloned().collect(),
            policy: Arc::new(Policy::of(operator)?),
            subject: None,
        })
    }

    /// Enables the policy for an app; the environment of the subject is filled in later.
    #[must_use]
    pub fn about(self, subject: Subject) -> Self {
        Self { subject: Some(subject), ..self }
    }

    /// Returns whether the policy is evaluated.
    #[must_use]
    pub const fn asks_policy(&self) -> bool {
        self.subject.is_some()
    }

    /// Returns the policy for one environment of the app; `None` if it is not evaluated.
    fn bind(&self, environment: &str) -> Option<EnvironmentPolicy<'_>> {
        let subject = Subject { environment: environment.to_owned(), ..self.subject.clone()? };
        let bound = self.policy.bind(&subject);
        Some(EnvironmentPolicy { policy: &self.policy, bound, subject })
    }
}

impl fmt::Debug for OperatorView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperatorView").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// The policy for one environment of an app. Only this type evaluates it.
struct EnvironmentPolicy<'p> {
    policy: &'p Policy,
    bound: BoundPolicy,
    subject: Subject,
}

impl EnvironmentPolicy<'_> {
    /// Returns why the policy denies a reference in a Secret; `None` if it is allowed.
    fn refusal(&self, used: &SecretUse, secret: &Object<'_>, cluster: &str) -> Option<PolicyRefusal> {
        let destination = Destination::new(cluster, secret.namespace, used.scope);
        let decision = self.bound.decide(&used.reference, &destination);
        self.policy.refusal(&self.subject, &used.reference, &destination, decision)
    }
}

/// Returns the operator view of an app's environment; `None` for plain manifests, or without an operator file.
fn view<'e>(environment: &'e Environment<'_>) -> Option<&'e OperatorView> {
    environment.scene.settings.operator.as_ref().filter(|_| !environment.is_plain())
}
