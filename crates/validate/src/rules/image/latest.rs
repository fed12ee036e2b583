//! `image/latest`.

use super::images;
use crate::rules::{CheckedObject, FindingDraft, Reporter, Rule, RuleCheck, RuleContext};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "image/latest",
        severity: Severity::Note,
        enabled: false,
        refusal: ApiRefusal::Never,
        summary: "an image has the tag `latest` or no tag",
        page: include_str!("latest.md"),
    },
    check: RuleCheck::Object(check),
};

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
