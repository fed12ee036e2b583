//! An operator file as rules see it. Nothing is fetched.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::facts::checked_object::{CheckedObject, SecretUse};
use sealwave_secrets::policy::{BoundPolicy, Destination, Policy, PolicyRefusal, PolicySubject};
use sealwave_secrets::settings::OperatorConfig;

/// The parts of an operator file that apps are checked against.
#[derive(Clone)]
pub struct OperatorView {
    pub(crate) providers: BTreeSet<String>,
    pub(crate) clusters: BTreeSet<String>,
    policy: Arc<Policy>,
    /// The app that the policy is evaluated for; `None` disables the policy.
    subject: Option<PolicySubject>,
}

impl OperatorView {
    /// Creates a view of an operator file with its policy.
    #[must_use]
    pub fn new<P>(operator: &OperatorConfig<P>, policy: Policy) -> Self {
        Self {
            providers: operator.providers.keys().cloned().collect(),
            clusters: operator.clusters.keys().cloned().collect(),
            policy: Arc::new(policy),
            subject: None,
        }
    }

    /// Enables the policy for an app; the environment of the subject is filled in later.
    #[must_use]
    pub fn with_policy_for(self, subject: PolicySubject) -> Self {
        Self { subject: Some(subject), ..self }
    }

    /// Returns whether the policy is evaluated.
    #[must_use]
    pub const fn is_policy_enabled(&self) -> bool {
        self.subject.is_some()
    }

    /// Returns the policy for one environment of the app; `None` if it is not evaluated.
    pub(crate) fn bind(&self, environment: &str) -> Option<EnvironmentPolicy<'_>> {
        let subject = PolicySubject { environment: environment.to_owned(), ..self.subject.clone()? };
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
pub(crate) struct EnvironmentPolicy<'p> {
    policy: &'p Policy,
    bound: BoundPolicy,
    subject: PolicySubject,
}

impl EnvironmentPolicy<'_> {
    /// Returns why the policy denies a reference in a Secret; `None` if it is allowed.
    pub(crate) fn refusal(
        &self,
        used: &SecretUse,
        secret: &CheckedObject<'_>,
        cluster: &str,
    ) -> Option<PolicyRefusal> {
        let destination = Destination::new(cluster, secret.namespace, used.scope);
        let decision = self.bound.decide(&used.reference, &destination);
        self.policy.refusal(&self.subject, &used.reference, &destination, decision)
    }
}
