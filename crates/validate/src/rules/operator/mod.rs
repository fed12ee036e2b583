//! What an app asks of its operator, where the operator file is at hand: providers, clusters, and what the policy allows.
//!
//! `generate` refuses the same in the sidecar; here it shows before the merge. Nothing is fetched. A message names what the
//! author wrote and the rule of the policy that decides, never what else the operator file has.

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
    /// The app that the policy is asked about; `None` where it is not asked.
    subject: Option<Subject>,
}

impl OperatorView {
    /// What an operator file has.
    ///
    /// # Errors
    /// The rules of its policy are wrong.
    pub fn of(operator: &Operator) -> Result<Self, Failure> {
        Ok(Self {
            providers: operator.providers.keys().cloned().collect(),
            clusters: operator.clusters.keys().cloned().collect(),
            policy: Arc::new(Policy::of(operator)?),
            subject: None,
        })
    }

    /// The same with the policy, asked about an app; each environment is filled in.
    #[must_use]
    pub fn about(self, subject: Subject) -> Self {
        Self { subject: Some(subject), ..self }
    }

    /// Whether the policy is asked.
    #[must_use]
    pub const fn asks_policy(&self) -> bool {
        self.subject.is_some()
    }

    /// The policy as it is for one environment of the app; `None` where it is not asked.
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

/// The policy for one environment of an app. This is the only place that asks it.
struct EnvironmentPolicy<'p> {
    policy: &'p Policy,
    bound: BoundPolicy,
    subject: Subject,
}

impl EnvironmentPolicy<'_> {
    /// Why a use of a reference in a Secret is refused; `None` where it is allowed.
    fn refusal(&self, used: &SecretUse, secret: &Object<'_>, cluster: &str) -> Option<PolicyRefusal> {
        let destination = Destination::new(cluster, secret.namespace, used.scope);
        let decision = self.bound.decide(&used.reference, &destination);
        self.policy.refusal(&self.subject, &used.reference, &destination, decision)
    }
}

/// The operator's view of an environment of an app; `None` for plain manifests, and where there is no operator file.
fn view<'e>(environment: &'e Environment<'_>) -> Option<&'e OperatorView> {
    environment.scene.settings.operator.as_ref().filter(|_| !environment.is_plain())
}
