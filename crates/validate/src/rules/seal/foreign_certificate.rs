//! `seal/foreign-certificate`.

use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleInput, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_core::names::SEALED_FOR;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "seal/foreign-certificate",
        severity: Severity::Warning,
        summary: "a committed SealedSecret was sealed for another certificate",
        text: include_str!("foreign_certificate.md"),
    },
    RuleCheck::Environment(check),
)
.depending_on(RuleInput::SealingCertificates);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let known = environment.certificate();
    let mut first: Option<&Node> = None;
    for (number, object) in environment.indexed_objects() {
        let Some(node) = object.manifest.annotations().and_then(|all| all.get(SEALED_FOR)) else { continue };
        let Some(text) = node.as_str() else { continue };
        if let Some(known) = known {
            if known != text {
                reporter.report(
                    FindingDraft::new(
                        &RULE,
                        node.origin,
                        "the values were sealed for a certificate other than that of the cluster",
                    )
                    .about_object(number)
                    .hint("seal it again for this environment"),
                );
            }
            continue;
        }
        let Some(first) = first else {
            first = Some(node);
            continue;
        };
        // Plain manifests may be for several environments.
        if first.as_str() != Some(text) && !environment.is_plain() {
            reporter.report(
                FindingDraft::new(
                    &RULE,
                    node.origin,
                    "the values were sealed for a certificate other than those of the environment's other objects",
                )
                .about_object(number)
                .related(first.origin, "this one was sealed for another certificate")
                .hint("seal both for the cluster of this environment"),
            );
        }
    }
}
