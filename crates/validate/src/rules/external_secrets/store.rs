//! `external-secrets/store`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{key_origin, start_origin, text, value};
use crate::facts::later_stage::may_change;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{MappingEntry, Node, NodeValue};
use sealwave_kube::catalog::ESO_GROUP;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "external-secrets/store",
        severity: Severity::Error,
        summary: "a store does not have exactly one provider, or reads credentials from the wrong namespace",
        text: include_str!("store.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

/// Maximum depth at which references are searched in a provider's settings.
const DEPTH: usize = 16;
/// Maximum number of findings per store.
const MOST: usize = 50;

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    if object.group != ESO_GROUP || !matches!(object.kind, "ClusterSecretStore" | "SecretStore") {
        return;
    }
    let Some(spec) = object.manifest.root().get("spec").filter(|spec| spec.as_mapping().is_some()) else {
        return;
    };
    let Some(blocks) = value(spec, "provider").and_then(Node::as_mapping) else {
        if value(spec, "provider").is_none() {
            let draft = FindingDraft::new(&RULE, start_origin(spec), "store has no `provider`");
            reporter.report(draft.hint("add the provider that it reads, for example `vault`"));
        }
        return;
    };
    let providers: Vec<&MappingEntry> =
        blocks.entries().iter().filter(|entry| !matches!(entry.value.value, NodeValue::Null)).collect();
    match providers.as_slice() {
        [] => {
            let draft = FindingDraft::new(&RULE, key_origin(spec, "provider"), "store has no provider");
            reporter.report(draft.hint("name the provider that it reads, for example `vault`"));
        }
        [_] => {}
        [first, second, ..] => {
            let names: Vec<&str> = providers.iter().take(3).map(|entry| entry.key.as_str()).collect();
            let message = format!("store has more than one provider: `{}`", names.join("`, `"));
            reporter.report(
                FindingDraft::new(&RULE, second.key_origin, message)
                    .related(first.key_origin, "the first one is here")
                    .hint("write a separate store for each"),
            );
        }
    }
    let mut found = Vec::new();
    references(spec.get("provider"), DEPTH, &mut found);
    for entry in found.into_iter().take(MOST) {
        if let Some(draft) = check_reference(object, entry) {
            reporter.report(draft);
        }
    }
}

/// Collects references to Secrets, `ConfigMaps` and accounts, in the order of the document.
fn references<'a>(node: Option<&'a Node>, depth: usize, found: &mut Vec<&'a MappingEntry>) {
    let (Some(node), Some(depth)) = (node, depth.checked_sub(1)) else { return };
    node.items().iter().for_each(|item| references(Some(item), depth, found));
    for entry in node.entries() {
        let key = entry.key.as_str();
        let is_reference =
            matches!(key, "caProvider" | "secretRef" | "serviceAccountRef") || key.ends_with("SecretRef");
        if is_reference && entry.value.get("name").is_some() {
            found.push(entry);
        } else {
            references(Some(&entry.value), depth, found);
        }
    }
}

fn check_reference(object: &CheckedObject<'_>, entry: &MappingEntry) -> Option<FindingDraft> {
    let namespace = value(&entry.value, "namespace");
    if object.kind == "SecretStore" {
        let (node, other) = namespace.and_then(|node| Some((node, node.as_str()?)))?;
        let fits = other.is_empty() || other == object.namespace || object.namespace.is_empty();
        return (!fits && !may_change(other) && !may_change(object.namespace)).then(|| {
            FindingDraft::new(&RULE, node.origin, format!("SecretStore cannot read namespace `{other}`"))
                .hint("move the credentials into the store's namespace, or create a ClusterSecretStore")
        });
    }
    if text(&entry.value, "namespace").is_some() || namespace.is_some_and(|node| node.as_str().is_none()) {
        return None;
    }
    let message = format!("`{}` of a ClusterSecretStore has no `namespace`", entry.key);
    let hint = if entry.key == "caProvider" {
        "add the namespace of the object"
    } else {
        "add the namespace of the credentials; without it, the namespace of each ExternalSecret is used"
    };
    Some(FindingDraft::new(&RULE, entry.key_origin, message).severity(Severity::Warning).hint(hint))
}
