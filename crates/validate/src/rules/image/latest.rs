//! `image/latest`.

use super::images::images;
use crate::facts::checked_object::CheckedObject;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "image/latest",
        severity: Severity::Note,
        summary: "an image has the tag `latest` or no tag",
        text: include_str!("latest.md"),
    },
    RuleCheck::Object(check),
)
.off_by_default();

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    for (node, image) in images(object).filter(|(_, image)| !image.has_digest) {
        let message = match image.tag {
            None => "the image has no tag, which means `latest`",
            Some("latest") => "the image has the tag `latest`",
            Some(_) => continue,
        };
        reporter.report(
            FindingDraft::new(&RULE, node.origin, message).hint("use the tag of the version that was tested"),
        );
    }
}
