//! `image/latest`.

use super::images;
use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "image/latest",
        severity: Severity::Note,
        enabled: false,
        refusal: ApiRefusal::Never,
        summary: "an image has the tag `latest`, or none",
        explanation: "Without a tag an image is `latest`, and what that means changes without a change in Git: two \
                      nodes may run two versions of one Deployment, a restart may bring a new one, and to roll back \
                      in Git rolls back nothing. Kubernetes pulls such an image at every start besides. Off unless \
                      asked for.",
        example: "containers:\n- name: web\n  image: nginx\n",
        remedy: "```yaml\ncontainers:\n- name: web\n  image: nginx:1.27.2\n```",
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
