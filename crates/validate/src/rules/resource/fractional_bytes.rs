//! `resource/fractional-bytes`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{entries, items, value};
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, NodeValue, Number};
use sealwave_kube::Quantity;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "resource/fractional-bytes",
        severity: Severity::Warning,
        summary: "an amount of memory or storage is a fraction of a byte",
        text: include_str!("fractional_bytes.md"),
    },
    RuleCheck::Object(check),
);

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    let root = object.manifest.root();
    for container in object.containers() {
        if let Some(resources) = value(container, "resources") {
            check_resources(resources, reporter);
        }
    }
    if let Some(pod) = &object.pod {
        if let Some(resources) = value(pod.spec, "resources") {
            check_resources(resources, reporter);
        }
        for volume in items(pod.spec, "volumes") {
            if let Some(limit) = volume.at(&["emptyDir", "sizeLimit"]) {
                check_amount(limit, "sizeLimit", reporter);
            }
            if let Some(claim) = volume.at(&["ephemeral", "volumeClaimTemplate", "spec", "resources"]) {
                check_resources(claim, reporter);
            }
        }
        for claim in root.items_at(&["spec", "volumeClaimTemplates"]) {
            if let Some(resources) = claim.at(&["spec", "resources"]) {
                check_resources(resources, reporter);
            }
        }
    }
    let Some(spec) = root.get("spec").filter(|_| object.group.is_empty()) else { return };
    match object.kind {
        "LimitRange" => {
            for limit in items(spec, "limits") {
                for field in ["default", "defaultRequest", "max", "min"] {
                    check_list(limit, field, reporter);
                }
            }
        }
        "PersistentVolume" => check_list(spec, "capacity", reporter),
        "PersistentVolumeClaim" => {
            if let Some(resources) = value(spec, "resources") {
                check_resources(resources, reporter);
            }
        }
        "ResourceQuota" => check_list(spec, "hard", reporter),
        _ => {}
    }
}

fn check_resources(resources: &Node, reporter: &mut Reporter) {
    check_list(resources, "limits", reporter);
    check_list(resources, "requests", reporter);
}

fn check_list(node: &Node, field: &str, reporter: &mut Reporter) {
    for entry in entries(node, field).iter().filter(|entry| is_bytes(&entry.key)) {
        check_amount(&entry.value, &entry.key, reporter);
    }
}

/// Returns whether a resource is counted in bytes.
fn is_bytes(key: &str) -> bool {
    let name = key.strip_prefix("limits.").or_else(|| key.strip_prefix("requests.")).unwrap_or(key);
    matches!(name, "ephemeral-storage" | "memory" | "storage") || key.ends_with("/requests.storage")
}

fn check_amount(node: &Node, key: &str, reporter: &mut Reporter) {
    let Some(amount) = Quantity::from_node(node).filter(|amount| !amount.is_whole() && !amount.is_negative())
    else {
        return;
    };
    let is_milli = node.as_str().is_some_and(|text| text.ends_with('m'));
    let hint = if is_milli {
        "did you mean `M` (megabytes) or `Mi` (mebibytes)? `m` stands for thousandths"
    } else if matches!(node.value, NodeValue::Number(Number::Float(_)))
        || Some(amount) < Quantity::parse("1Ki")
    {
        "did you forget the unit? write it like `128Mi`"
    } else {
        "write a whole number with a smaller unit, like `1639Mi`"
    };
    let message = format!("`{key}` is not a whole number of bytes");
    reporter.report(FindingDraft::new(&RULE, node.origin, message).hint(hint));
}
