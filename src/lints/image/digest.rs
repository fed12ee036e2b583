//! `image/digest`.

use super::images;
use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "image/digest",
        severity: Severity::Note,
        enabled: false,
        refusal: ApiRefusal::Never,
        summary: "an image is not pinned by its digest",
        explanation: "Whoever may push to the registry can move a tag, any tag, to other content; a digest is the \
                      content. With digests, what Git says is exactly what runs, in every environment and on every \
                      node. Off unless asked for: it needs a bot that raises digests (Renovate, Dependabot, Argo CD \
                      Image Updater).",
        example: "containers:\n- name: web\n  image: nginx:1.27.2\n",
        remedy: "```yaml\ncontainers:\n- name: web\n  image: nginx:1.27.2@sha256:447a8665cc1dab95b1ca778e162215839ccbb9189104c79d7ec3a81e14577add\n```",
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    for (node, _) in images(object).filter(|(_, image)| !image.has_digest) {
        let draft = Draft::new(&RULE, node.origin, "the image is not pinned by digest");
        reporter.report(draft.hint("add `@sha256:…` after the tag"));
    }
}
