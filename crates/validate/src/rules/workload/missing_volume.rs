//! `workload/missing-volume`.

use std::collections::HashSet;

use super::plain_pod::plain_pod;
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{items, text};
use crate::facts::later_stage::LaterStage;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, NodeValue};
use sealwave_core::text::closest_name;
use sealwave_kube::pods::containers;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "workload/missing-volume",
        severity: Severity::Error,
        summary: "a container mounts a volume that its pod does not have",
        text: include_str!("missing_volume.md"),
    },
    RuleCheck::AnyPod(check),
)
.refused(ApiRefusal::BuiltInKinds);

/// Maximum number of names reported per object, and compared with a missing name.
const MOST: usize = 100;

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let Some(spec) = plain_pod(object) else { return };
    let stage = LaterStage::for_object(object, context);
    let mut mounts = containers(spec)
        .flat_map(|(_, container)| {
            [items(container, "volumeMounts"), items(container, "volumeDevices")].into_iter().flatten()
        })
        .filter_map(|mount| mount.get("name"))
        .peekable();
    if mounts.peek().is_none() {
        return;
    }
    let Some(names) = volumes(object, spec, stage) else { return };
    let known: HashSet<&str> = names.iter().copied().collect();
    let missing = mounts.filter_map(|name| Some((name, name.as_str()?)));
    let missing =
        missing.filter(|(_, text)| !known.contains(text) && !stage.may_fill(text) && !text.is_empty());
    for (name, text) in missing.take(MOST) {
        let draft = FindingDraft::new(&RULE, name.origin, format!("the pod has no volume `{text}`"));
        reporter.report(draft.hint(match closest_name(text, names.iter().copied().take(MOST)) {
            Some(other) => format!("did you mean `{other}`?"),
            None => "add it to the `volumes` of the pod, or remove the mount".to_owned(),
        }));
    }
}

/// Returns the names of a pod's volumes; `None` if they are unknown.
fn volumes<'a>(object: &CheckedObject<'a>, spec: &'a Node, stage: LaterStage) -> Option<Vec<&'a str>> {
    let mut names = Vec::new();
    for volume in list(spec.get("volumes"))? {
        names.extend(text(volume, "name"));
    }
    if object.is("apps", "StatefulSet") {
        for claim in list(object.manifest.root().at(&["spec", "volumeClaimTemplates"]))? {
            names.extend(claim.get("metadata").and_then(|metadata| text(metadata, "name")));
        }
    }
    names.iter().all(|name| !stage.may_fill(name)).then_some(names)
}

fn list(node: Option<&Node>) -> Option<&[Node]> {
    match node.map(|node| &node.value) {
        None | Some(NodeValue::Null) => Some(&[]),
        Some(NodeValue::Sequence(items)) => Some(items),
        Some(_) => None,
    }
}
