//! `metadata/label`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::later_stage::LaterStage;
use crate::facts::metadata::noun_with_key;
use crate::facts::name_syntax::{is_label_value, is_qualified_name};
use crate::facts::rule_context::RuleContext;
use crate::located::{LocatedEntry, LocatedNode};
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::NodeValue;
use sealwave_kube::is_secret_like;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "metadata/label",
        severity: Severity::Error,
        summary: "a label or a selector has an invalid key or value",
        text: include_str!("label.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::EveryKind);

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let stage = LaterStage::for_object(object, context);
    for metadata in object.located_metadata() {
        check_labels(metadata.get("labels").as_ref(), "label", object, stage, reporter);
    }
    let root = object.located();
    let mut selector =
        |node: Option<LocatedNode<'_>>| check_labels(node.as_ref(), "selector", object, stage, reporter);
    match (object.group, object.kind) {
        ("", "ReplicationController" | "Service") => {
            selector(root.at(&["spec", "selector"]));
        }
        ("apps" | "batch" | "policy" | "networking.k8s.io", _) => {
            selector(root.at(&["spec", "selector", "matchLabels"]));
            selector(root.at(&["spec", "podSelector", "matchLabels"]));
        }
        _ => {}
    }
    if let Some(pod) = object.located_pod_spec() {
        selector(pod.get("nodeSelector"));
    }
}

fn check_labels(
    node: Option<&LocatedNode<'_>>,
    noun: &str,
    object: &CheckedObject<'_>,
    stage: LaterStage,
    reporter: &mut Reporter,
) {
    for entry in node.into_iter().flat_map(LocatedNode::entries) {
        if let Some(draft) = fault(&entry, noun, object, stage) {
            reporter.report(draft);
        }
    }
}

fn fault(
    located: &LocatedEntry<'_>,
    noun: &str,
    object: &CheckedObject<'_>,
    stage: LaterStage,
) -> Option<FindingDraft> {
    let entry = located.entry;
    let key = entry.key.as_str();
    if !is_qualified_name(key) {
        if stage.may_fill(key) {
            return None;
        }
        let hint = "use a name of at most 63 letters, digits, `-`, `_` and `.`, optionally after a DNS subdomain and `/`";
        let shown = noun_with_key(&format!("the {noun} key"), key, is_secret_like(object.manifest.root()));
        return Some(
            FindingDraft::new(&RULE, located.key_place(), format!("{shown} is not valid")).hint(hint),
        );
    }
    match &entry.value.value {
        NodeValue::String(text) if is_label_value(text) || stage.may_fill(text) => None,
        NodeValue::String(text) if text.len() > 63 => {
            let message = format!("the value of {noun} `{key}` has more than 63 characters");
            Some(
                FindingDraft::new(&RULE, located.value_place(), message)
                    .hint("shorten it, or make it an annotation"),
            )
        }
        NodeValue::String(_) => {
            let message = format!("the value of {noun} `{key}` is not valid");
            let hint = "use letters, digits, `-`, `_` and `.`, with a letter or digit at both ends; put other text into an annotation";
            Some(FindingDraft::new(&RULE, located.value_place(), message).hint(hint))
        }
        // The schema reports wrong types; null counts as empty.
        _ => None,
    }
}
