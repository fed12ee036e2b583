//! Messages about policy refusals: what is refused, for which destination, and the change that would allow it.
//!
//! The reader is the author of an app, so messages name rules that concern the app, and the author's own text; never
//! anything else from the operator file.

use std::fmt;

use super::{Destination, DestinationMismatch, Policy, PolicyDecision, PolicySubject};
use crate::placeholder::SecretReference;
use sealwave_core::diagnostic::Explain;
use sealwave_core::names::dns;

/// A reference that an app may not use for a destination. It contains references and names, but never a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRefusal {
    message: String,
    hint: String,
    /// Number of other locations with the same reference and the same refusal.
    others: usize,
}

impl PolicyRefusal {
    /// Combines the refusals of several locations.
    #[must_use]
    pub fn with_others(self, others: usize) -> Self {
        Self { others, ..self }
    }
}

impl fmt::Display for PolicyRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.others {
            0 => Ok(()),
            1 => f.write_str(" (1 other place uses it)"),
            more => write!(f, " ({more} other places use it)"),
        }
    }
}

impl std::error::Error for PolicyRefusal {}

impl Explain for PolicyRefusal {
    fn hint(&self) -> Option<String> {
        Some(self.hint.clone())
    }
}

impl Policy {
    /// Explains a decision to the author of an app; `None` if the reference is allowed.
    #[must_use]
    pub fn refusal(
        &self,
        subject: &PolicySubject,
        reference: &SecretReference,
        destination: &Destination<'_>,
        decision: PolicyDecision,
    ) -> Option<PolicyRefusal> {
        let (message, hint) = match decision {
            PolicyDecision::Allowed { .. } => return None,
            PolicyDecision::Denied { rule } => self.denied(subject, reference, destination, rule),
            PolicyDecision::Elsewhere { rule, mismatch } => {
                let name = self.rule_name(rule);
                let message = format!(
                    "reference `{reference}` is refused for {destination}: \
                     rule `{name}` of the operator's policy does not allow this destination to {subject}"
                );
                (message, self.widening(subject, destination, rule, mismatch))
            }
            PolicyDecision::Refused => {
                let message = format!(
                    "reference `{reference}` is refused: no rule of the operator's policy allows it to {subject}"
                );
                (message, hint_for_unlisted(subject, reference))
            }
        };
        Some(PolicyRefusal { message, hint, others: 0 })
    }

    /// Reports whether the message for a decision is the same for every destination.
    #[must_use]
    pub fn is_for_every_destination(&self, decision: PolicyDecision) -> bool {
        match decision {
            PolicyDecision::Allowed { .. } | PolicyDecision::Refused => true,
            PolicyDecision::Denied { rule } => !self.names_destinations(rule),
            PolicyDecision::Elsewhere { .. } => false,
        }
    }

    fn denied(
        &self,
        subject: &PolicySubject,
        reference: &SecretReference,
        destination: &Destination<'_>,
        rule: usize,
    ) -> (String, String) {
        let destination_text =
            if self.names_destinations(rule) { format!(" for {destination}") } else { String::new() };
        let name = self.rule_name(rule);
        let message = format!(
            "reference `{reference}` is denied{destination_text}: rule `{name}` of the operator's policy denies it to {subject}"
        );
        let hint = "`deny` takes precedence over `allow`; use another reference, or ask the operator";
        (message, hint.to_owned())
    }

    /// Returns the changes that would make a rule allow a destination.
    fn widening(
        &self,
        subject: &PolicySubject,
        destination: &Destination<'_>,
        rule: usize,
        mismatch: DestinationMismatch,
    ) -> String {
        let mut remedies = Vec::new();
        if mismatch.cluster {
            remedies.push(self.for_cluster(destination.cluster));
        }
        if mismatch.scope {
            let scope = destination.scope;
            remedies.push(PolicyRemedy::Operator(if self.has_scopes(rule) {
                format!("add `{scope}` to `scopes`")
            } else {
                format!("add the line `scopes: [strict, {scope}]`")
            }));
        }
        if mismatch.namespace {
            remedies.extend(self.for_namespace(subject, destination.namespace, rule));
        }
        format_remedies(remedies, self.rule_name(rule))
    }

    fn for_cluster(&self, cluster: &str) -> PolicyRemedy {
        if self.has_cluster(cluster) {
            PolicyRemedy::Operator(format!("add `{cluster}` to `clusters`"))
        } else {
            PolicyRemedy::Author(
                "set `cluster` in sealwave.yaml to a cluster of the operator file".to_owned(),
            )
        }
    }

    fn for_namespace(
        &self,
        subject: &PolicySubject,
        namespace: Option<&str>,
        rule: usize,
    ) -> Vec<PolicyRemedy> {
        let author = |text: &str| PolicyRemedy::Author(text.to_owned());
        match namespace {
            None => vec![author(NO_NAMESPACE)],
            Some(name) if !dns::is_label(name) => vec![author(NOT_A_LABEL)],
            Some(name) if self.has_namespaces(rule) => {
                vec![PolicyRemedy::Operator(format!("add `{name}` to `secretNamespaces`"))]
            }
            Some(name) if subject.namespace.is_empty() => vec![
                author(NO_OWN_NAMESPACE),
                PolicyRemedy::Operator(format!("add the line `secretNamespaces: [\"{name}\"]`")),
            ],
            Some(name) => {
                vec![PolicyRemedy::Operator(format!(
                    "add the line `secretNamespaces: [\"{{namespace}}\", \"{name}\"]`"
                ))]
            }
        }
    }
}

/// A change that would help, by the person who can make it.
enum PolicyRemedy {
    Author(String),
    Operator(String),
}

fn format_remedies(remedies: Vec<PolicyRemedy>, rule: &str) -> String {
    let (mut words, mut changes) = (Vec::new(), Vec::new());
    for remedy in remedies {
        match remedy {
            PolicyRemedy::Author(text) => words.push(text),
            PolicyRemedy::Operator(text) => changes.push(text),
        }
    }
    if !changes.is_empty() {
        let changes = changes.join(", ");
        words.push(format!(
            "if the destination is intended, ask the operator to change rule `{rule}`: {changes}"
        ));
    }
    words.join("; ")
}

const NO_NAMESPACE: &str = "set `metadata.namespace` of the Secret, or `namespace` in `sealwave.yaml`; `--namespace NAME` is the destination of Argo CD in a local run";
const NOT_A_LABEL: &str =
    "correct the namespace: a name has only lower-case letters, digits and `-`, and at most 63 characters";
const NO_OWN_NAMESPACE: &str = "the app's own namespace is unknown: \
     set `spec.destination.namespace` of the Application (`--namespace` in a local run)";

fn hint_for_unlisted(subject: &PolicySubject, reference: &SecretReference) -> String {
    if subject.project.is_empty() {
        "no rule can match without a project, which Argo CD provides since version 3.0".to_owned()
    } else if let Some(meant) = reference.with_key_after_colon() {
        format!(
            "did you mean `{meant}`? otherwise ask the operator for a rule under `policy` in the operator file"
        )
    } else {
        "ask the operator for a rule under `policy` in the operator file".to_owned()
    }
}
