//! `image/missing`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_kube::pods::containers;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "image/missing",
        severity: Severity::Error,
        summary: "a container has an empty image, or a Pod has an image with surrounding whitespace",
        text: include_str!("missing.md"),
    },
    RuleCheck::Pod(check),
)
.refused(ApiRefusal::BuiltInKinds);

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    let Some(pod) = object.pod.as_ref().filter(|pod| pod.spec.as_mapping().is_some()) else { return };
    for (_, container) in containers(pod.spec) {
        let Some((node, image)) = container.get("image").and_then(|node| Some((node, node.as_str()?))) else {
            continue;
        };
        if image.is_empty() {
            report(
                node,
                "the container has an empty image",
                "add the image that the container runs",
                reporter,
            );
        } else if object.is("", "Pod") && image.trim() != image {
            report(node, "the image has leading or trailing whitespace", "remove the whitespace", reporter);
        }
    }
}

fn report(node: &Node, message: &str, hint: &str, reporter: &mut Reporter) {
    reporter.report(FindingDraft::new(&RULE, node.origin, message).hint(hint));
}
