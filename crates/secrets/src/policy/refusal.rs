//! Words for what a policy does not allow: what is refused, for which destination, and the line that would allow it.
//!
//! An author of an app reads this, so it names rules that speak of his app, and what he wrote himself; never what else the
//! operator file has.

use std::fmt;

use super::{Decision, Destination, Mismatch, Policy, Subject};
use crate::placeholder::Reference;
use sealwave_core::diagnostic::Explain;
use sealwave_core::names::dns;

/// A reference that the policy does not let an app use for a destination. References and names; never a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRefusal {
    message: String,
    hint: String,
    /// Other places with the same reference and the same refusal.
    others: usize,
}

impl PolicyRefusal {
    /// The same, said of several places at once.
    #[must_use]
    pub fn and_others(self, others: usize) -> Self {
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
    /// Explains a decision to the author of an app; nothing where the reference is allowed.
    #[must_use]
    pub fn refusal(
        &self,
        subject: &Subject,
        reference: &Reference,
        destination: &Destination<'_>,
        decision: Decision,
    ) -> Option<PolicyRefusal> {
        let (message, hint) = match decision {
            Decision::Allowed { .. } => return None,
            Decision::Denied { rule } => self.denied(subject, reference, destination, rule),
            Decision::Elsewhere { rule, mismatch } => {
                let name = self.rule_name(rule);
                let message = format!(
                    "reference `{reference}` is refused for {destination}: \
                     rule `{name}` of the operator's policy does not allow this destination to {subject}"
                );
                (message, self.widening(subject, destination, rule, mismatch))
            }
            Decision::Refused => {
                let message = format!(
                    "reference `{reference}` is refused: no rule of the operator's policy allows it to {subject}"
                );
                (message, unlisted(subject))
            }
        };
        Some(PolicyRefusal { message, hint, others: 0 })
    }

    /// Whether the words for a decision are the same for every destination.
    #[must_use]
    pub fn is_for_every_destination(&self, decision: Decision) -> bool {
        match decision {
            Decision::Allowed { .. } | Decision::Refused => true,
            Decision::Denied { rule } => !self.names_destinations(rule),
            Decision::Elsewhere { .. } => false,
        }
    }

    fn denied(
        &self,
        subject: &Subject,
        reference: &Reference,
        destination: &Destination<'_>,
        rule: usize,
    ) -> (String, String) {
        let whither =
            if self.names_destinations(rule) { format!(" for {destination}") } else { String::new() };
        let name = self.rule_name(rule);
        let message = format!(
            "reference `{reference}` is denied{whither}: rule `{name}` of the operator's policy denies it to {subject}"
        );
        let hint =
            "a rule that denies wins over every rule that allows; use another reference, or ask the operator";
        (message, hint.to_owned())
    }

    /// The changes after which a rule would allow a destination.
    fn widening(
        &self,
        subject: &Subject,
        destination: &Destination<'_>,
        rule: usize,
        mismatch: Mismatch,
    ) -> String {
        let mut remedies = Vec::new();
        if mismatch.cluster {
            remedies.push(self.for_cluster(destination.cluster));
        }
        if mismatch.scope {
            let scope = destination.scope;
            remedies.push(Remedy::Operator(if self.has_scopes(rule) {
                format!("add `{scope}` to `scopes`")
            } else {
                format!("add the line `scopes: [strict, {scope}]`")
            }));
        }
        if mismatch.namespace {
            remedies.extend(self.for_namespace(subject, destination.namespace, rule));
        }
        in_words(remedies, self.rule_name(rule))
    }

    fn for_cluster(&self, cluster: &str) -> Remedy {
        if self.has_cluster(cluster) {
            Remedy::Operator(format!("add `{cluster}` to `clusters`"))
        } else {
            Remedy::Author("set `cluster` in sealwave.yaml to a cluster of the operator file".to_owned())
        }
    }

    fn for_namespace(&self, subject: &Subject, namespace: Option<&str>, rule: usize) -> Vec<Remedy> {
        let author = |text: &str| Remedy::Author(text.to_owned());
        match namespace {
            None => vec![author(NO_NAMESPACE)],
            Some(name) if !dns::is_label(name) => vec![author(NOT_A_LABEL)],
            Some(name) if self.has_namespaces(rule) => {
                vec![Remedy::Operator(format!("add `{name}` to `secretNamespaces`"))]
            }
            Some(name) if subject.namespace.is_empty() => vec![
                author(NO_OWN_NAMESPACE),
                Remedy::Operator(format!("add the line `secretNamespaces: [\"{name}\"]`")),
            ],
            Some(name) => {
                vec![Remedy::Operator(format!(
                    "add the line `secretNamespaces: [\"{{namespace}}\", \"{name}\"]`"
                ))]
            }
        }
    }
}

/// A change that would help, by the person who can make it.
enum Remedy {
    Author(String),
    Operator(String),
}

fn in_words(remedies: Vec<Remedy>, rule: &str) -> String {
    let (mut words, mut changes) = (Vec::new(), Vec::new());
    for remedy in remedies {
        match remedy {
            Remedy::Author(text) => words.push(text),
            Remedy::Operator(text) => changes.push(text),
        }
    }
    if !changes.is_empty() {
        let changes = changes.join(", ");
        words.push(format!(
            "if the destination is meant, ask the operator to change rule `{rule}`: {changes}"
        ));
    }
    words.join("; ")
}

const NO_NAMESPACE: &str = "set `metadata.namespace` of the Secret, or `namespace` in sealwave.yaml";
const NOT_A_LABEL: &str =
    "correct the namespace: its name holds lower-case letters, digits and `-`, at most 63, and no `/` or `.`";
const NO_OWN_NAMESPACE: &str = "the app's own namespace is not known: \
     set `spec.destination.namespace` of the Application (`--namespace` in a local run)";

fn unlisted(subject: &Subject) -> String {
    if subject.project.is_empty() {
        "no rule can match without a project, which Argo CD gives from version 3.0 on".to_owned()
    } else {
        "ask the operator for a rule under `policy` in the operator file".to_owned()
    }
}
