//! `image/digest`.

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
        id: "image/digest",
        severity: Severity::Note,
        summary: "an image is not pinned by its digest",
        text: include_str!("digest.md"),
    },
    RuleCheck::Object(check),
)
.off_by_default();

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    for (node, _) in images(object).filter(|(_, image)| !image.has_digest) {
        let draft = FindingDraft::new(&RULE, node.origin, "the image is not pinned by digest");
        reporter.report(draft.hint("add `@sha256:…` after the tag"));
    }
}
