//! `resource/webhook`.

use std::collections::HashMap;

use super::matched_rules::check_rules;
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{items, key_origin, set_entries, value};
use crate::facts::rule_context::RuleContext;
use crate::field_checks::forms::{ABSOLUTE_PATH, QUALIFIED};
use crate::field_checks::{FieldCheck, FieldChecker, FieldSection};
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Origin};
use sealwave_core::names::dns::is_subdomain;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "resource/webhook",
        severity: Severity::Error,
        summary: "an admission webhook has an invalid name, address or rule",
        text: include_str!("webhook.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

/// Fields of a webhook.
const SECTIONS: &[FieldSection] = &[
    FieldSection { at: "", fields: &[FieldCheck::between("timeoutSeconds", 1, 30)] },
    FieldSection {
        at: "clientConfig.service",
        fields: &[
            FieldCheck::not_empty("name"),
            FieldCheck::not_empty("namespace"),
            FieldCheck::form("path", &ABSOLUTE_PATH),
            FieldCheck::between("port", 1, 65_535),
        ],
    },
    FieldSection {
        at: "matchConditions[]",
        fields: &[
            FieldCheck::not_empty("expression"),
            FieldCheck::not_empty("name"),
            FieldCheck::form("name", &QUALIFIED),
        ],
    },
];

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    if object.group != "admissionregistration.k8s.io"
        || !matches!(object.kind, "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration")
    {
        return;
    }
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    let mut seen: HashMap<&str, Origin> = HashMap::new();
    for webhook in items(object.manifest.root(), "webhooks") {
        checker.check_table(webhook, SECTIONS);
        check_name(webhook, &mut seen, &mut checker);
        check_client(webhook, &mut checker);
        check_review_versions(webhook, &mut checker);
        check_rules(items(webhook, "rules"), &mut checker);
        for field in ["namespaceSelector", "objectSelector"] {
            if let Some(selector) = value(webhook, field) {
                checker.check_selector(selector);
            }
        }
    }
}

fn check_name<'a>(webhook: &'a Node, seen: &mut HashMap<&'a str, Origin>, checker: &mut FieldChecker<'_>) {
    let Some((node, name)) = webhook.get("name").and_then(|node| Some((node, node.as_str()?))) else {
        return;
    };
    let is_valid = is_subdomain(name) && name.split('.').count() >= 3;
    if !is_valid && !checker.may_fill(name) {
        let message = "the name of a webhook is not a domain of at least three parts";
        checker.report(node.origin, message, "write a domain of your own, like `pods.example.org`");
    }
    if let Some(first) = seen.insert(name, node.origin) {
        let draft = checker.new_draft(node.origin, "two webhooks have the same name");
        checker
            .report_draft(draft.related(first, "the other is here").hint("give each webhook its own name"));
    }
}

fn check_client(webhook: &Node, checker: &mut FieldChecker<'_>) {
    let Some(client) = value(webhook, "clientConfig").filter(|client| client.as_mapping().is_some()) else {
        return;
    };
    match set_entries(client, &["service", "url"]).as_slice() {
        [] => {
            let at = key_origin(webhook, "clientConfig");
            checker.report(at, "`clientConfig` has neither `service` nor `url`", "add one of them");
        }
        [first, second] => {
            let draft = checker.new_draft(second.key_origin, "`clientConfig` has both `service` and `url`");
            let draft = draft.related(first.key_origin, "the other is here");
            checker.report_draft(draft.hint("remove one of them"));
        }
        _ => {}
    }
    if let Some((node, url)) = client.get("url").and_then(|node| Some((node, node.as_str()?)))
        && let Some(message) = url_fault(url)
        && !checker.may_fill(url)
    {
        checker.report(node.origin, message, "write an address like `https://hooks.example.org/pods`");
    }
}

fn url_fault(url: &str) -> Option<&'static str> {
    let Some(rest) = url.strip_prefix("https://") else {
        return Some("`url` does not start with `https://`");
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() {
        Some("`url` has no host")
    } else if host.contains('@') {
        Some("`url` has a user")
    } else if rest.contains('?') {
        Some("`url` has a query")
    } else if rest.contains('#') {
        Some("`url` has a fragment")
    } else {
        None
    }
}

fn check_review_versions(webhook: &Node, checker: &mut FieldChecker<'_>) {
    let Some(list) = value(webhook, "admissionReviewVersions") else { return };
    let versions = list.items();
    let is_known = |version: &Node| matches!(version.as_str(), Some("v1" | "v1beta1"));
    if list.as_sequence().is_some() && !versions.iter().any(is_known) {
        let message = "`admissionReviewVersions` has neither `v1` nor `v1beta1`";
        checker.report(key_origin(webhook, "admissionReviewVersions"), message, "add `v1`");
    }
    let texts: Vec<&str> = versions.iter().filter_map(Node::as_str).collect();
    let mut sorted = texts.clone();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair.first() == pair.last()) {
        let message = "`admissionReviewVersions` names a version twice";
        checker.report(key_origin(webhook, "admissionReviewVersions"), message, "remove one of them");
    }
}
