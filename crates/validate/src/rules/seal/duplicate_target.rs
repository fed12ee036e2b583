//! `seal/duplicate-target`.

use super::sealed_secret::is_sealed_secret;
use crate::facts::checked_object::CheckedObject;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "seal/duplicate-target",
        severity: Severity::Error,
        summary: "a SealedSecret and another object create the same Secret",
        text: include_str!("duplicate_target.md"),
    },
    RuleCheck::Environment(check),
);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    for (number, object) in environment.indexed_objects().filter(|(_, object)| is_sealed_secret(object)) {
        for other in environment.catalog.suppliers(object.namespace, object.name) {
            let Some(other) = environment.object(*other) else { continue };
            if is_sealed_secret(other) || gives_way(other) {
                continue;
            }
            let message = format!("{} `{}` creates the same Secret", other.kind, other.name);
            let severity = if environment.is_plain() { Severity::Warning } else { Severity::Error };
            reporter.report(
                FindingDraft::new(&RULE, object.name_place(), message)
                    .severity(severity)
                    .about_object(number)
                    .related(other.name_origin(), "the other one is here")
                    .hint("keep one of them, or rename one"),
            );
        }
    }
}

/// Returns whether an object leaves the Secret to the controller, or only adds to it.
fn gives_way(other: &CheckedObject<'_>) -> bool {
    let is_true = |name| other.manifest.annotation(name) == Some("true");
    let policy = other.manifest.root().at(&["spec", "target", "creationPolicy"]).and_then(Node::as_str);
    is_true("sealedsecrets.bitnami.com/managed")
        || is_true("sealedsecrets.bitnami.com/patch")
        || matches!(policy, Some("Merge" | "None"))
}
