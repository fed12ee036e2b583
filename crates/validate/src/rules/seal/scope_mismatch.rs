//! `seal/scope-mismatch`.

use super::sealed_secret::is_sealed_secret;
use crate::facts::checked_object::CheckedObject;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Mapping, Node};
use sealwave_core::names::{CLUSTER_WIDE, NAMESPACE_WIDE};
use sealwave_secrets::SealingScope;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "seal/scope-mismatch",
        severity: Severity::Warning,
        summary: "a SealedSecret and its template differ in name, namespace or scope",
        text: include_str!("scope_mismatch.md"),
    },
    RuleCheck::Object(check),
);

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    if !is_sealed_secret(object) {
        return;
    }
    let template = object.manifest.root().at(&["spec", "template", "metadata"]);
    let own = object.manifest.annotations();
    let scope = SealingScope::from_annotation_map(own);
    if let Some(template) = template {
        check_identity(object, template, scope, reporter);
        check_template_scope(template, scope, reporter);
    }
    if let Some(own) = own {
        check_annotation_values(own, reporter);
        check_both_scopes(own, reporter);
    }
}

fn check_identity(object: &CheckedObject<'_>, template: &Node, scope: SealingScope, reporter: &mut Reporter) {
    for (field, decides) in
        [("name", scope == SealingScope::Strict), ("namespace", scope != SealingScope::ClusterWide)]
    {
        let own = object.manifest.root().at(&["metadata", field]);
        let (Some(own), Some(there)) = (own, template.get(field)) else { continue };
        let (Some(own_text), Some(text)) = (own.as_str(), there.as_str()) else { continue };
        if own_text == text || own_text.is_empty() || text.is_empty() {
            continue;
        }
        let message = format!("template has the {field} `{text}`, the SealedSecret has `{own_text}`");
        reporter.report(
            FindingDraft::new(&RULE, there.origin, message)
                .severity(if decides { Severity::Warning } else { Severity::Note })
                .related(own.origin, "the Secret gets this one, and its values must be sealed for it")
                .hint("seal the values again for the SealedSecret's own name and namespace, or correct the template"),
        );
    }
}

/// Reports a scope that only the template has, or that differs there.
fn check_template_scope(template: &Node, scope: SealingScope, reporter: &mut Reporter) {
    let Some(annotations) = template.get("annotations").and_then(Node::as_mapping) else { return };
    let there = SealingScope::from_annotation_map(Some(annotations));
    let name = match there {
        SealingScope::ClusterWide => CLUSTER_WIDE,
        SealingScope::NamespaceWide => NAMESPACE_WIDE,
        SealingScope::Strict => return,
    };
    let Some(entry) = annotations.entry(name).filter(|_| there != scope) else { return };
    let message = format!("`{name}` is set in the template, but not on the SealedSecret, where it counts");
    reporter.report(
        FindingDraft::new(&RULE, entry.key_origin, message)
            .hint("set the annotation under `metadata` of the SealedSecret too, if the values were sealed with that scope"),
    );
}

/// Reports annotation values that the controller treats as false.
fn check_annotation_values(annotations: &Mapping, reporter: &mut Reporter) {
    for name in [CLUSTER_WIDE, NAMESPACE_WIDE] {
        let Some(value) = annotations.get(name) else { continue };
        if !matches!(value.as_str(), Some("true" | "false" | "")) {
            let message = format!("`{name}` is neither the string \"true\" nor \"false\"");
            reporter.report(
                FindingDraft::new(&RULE, value.origin, message)
                    .hint("write \"true\" in quotes; anything else means the strict scope"),
            );
        }
    }
}

fn check_both_scopes(annotations: &Mapping, reporter: &mut Reporter) {
    let enabled = |name| annotations.entry(name).filter(|entry| entry.value.as_str() == Some("true"));
    if let (Some(cluster), Some(namespace)) = (enabled(CLUSTER_WIDE), enabled(NAMESPACE_WIDE)) {
        let message = format!("`{NAMESPACE_WIDE}` is ignored because of `{CLUSTER_WIDE}`");
        reporter.report(
            FindingDraft::new(&RULE, namespace.key_origin, message)
                .related(cluster.key_origin, "this one counts")
                .hint("keep the one that the values were sealed with"),
        );
    }
}
