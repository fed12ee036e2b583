//! `image/digest`.

use super::images;
use crate::rules::{CheckedObject, FindingDraft, Reporter, Rule, RuleCheck, RuleContext};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "image/digest",
        severity: Severity::Note,
        enabled: false,
        refusal: ApiRefusal::Never,
        summary: "an image is not pinned by its digest",
        page: include_str!("digest.md"),
    },
    check: RuleCheck::Object(check),
};

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    for (node, _) in images(object).filter(|(_, image)| !image.has_digest) {
        let draft = FindingDraft::new(&RULE, node.origin, "the image is not pinned by digest");
        reporter.report(draft.hint("add `@sha256:…` after the tag"));
    }
}
