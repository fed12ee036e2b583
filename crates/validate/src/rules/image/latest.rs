//! `image/latest`.

use super::images;
use crate::rules::{Check, Draft, Object, Reporter, Rule, Scene};
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
    check: Check::Object(check),
};

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    for (node, image) in images(object).filter(|(_, image)| !image.has_digest) {
        let message = match image.tag {
            None => "the image has no tag, which means `latest`",
            Some("latest") => "the image has the tag `latest`",
            Some(_) => continue,
        };
        reporter.report(
            Draft::new(&RULE, node.origin, message).hint("use the tag of the version that was tested"),
        );
    }
}
