//! `resource/webhook`.

use crate::diagnostic::{RuleInfo, Severity};
use crate::lints::fields::{integer, items};
use crate::lints::metadata::syntax::{is_subdomain, is_unfinished};
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::model::Node;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "resource/webhook",
        severity: Severity::Error,
        enabled: true,
        refused_by_api_server: false,
        summary: "an admission webhook has a name or a timeout that Kubernetes does not take",
        explanation: "The name of a webhook is a domain of at least three parts, in lower case; its timeout is 1 to 30 \
                      seconds. The API server refuses the object.",
        example: "kind: ValidatingWebhookConfiguration\nwebhooks:\n- name: check-pods\n  timeoutSeconds: 60\n",
        remedy: "```yaml\nwebhooks:\n- name: check-pods.example.org\n  timeoutSeconds: 10\n```",
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    if object.group != "admissionregistration.k8s.io"
        || !matches!(object.kind, "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration")
    {
        return;
    }
    for webhook in items(object.manifest.root(), "webhooks") {
        one(webhook, reporter);
    }
}

fn one(webhook: &Node, reporter: &mut Reporter) {
    let name = webhook.get("name").and_then(|node| Some((node, node.as_str()?)));
    let is_valid = |name: &str| is_subdomain(name) && name.split('.').count() >= 3;
    if let Some((node, _)) = name.filter(|(_, name)| !is_valid(name) && !is_unfinished(name)) {
        let draft =
            Draft::new(&RULE, node.origin, "the name of a webhook is not a domain of at least three parts");
        reporter.report(draft.hint("write a domain of your own, like `pods.example.org`"));
    }
    let Some(timeout) = webhook.get("timeoutSeconds") else { return };
    if integer(timeout).is_some_and(|seconds| !(1..=30).contains(&seconds)) {
        let draft =
            Draft::new(&RULE, timeout.origin, "the timeout of a webhook is not between 1 and 30 seconds");
        reporter.report(draft.hint("write a number from 1 to 30"));
    }
}
