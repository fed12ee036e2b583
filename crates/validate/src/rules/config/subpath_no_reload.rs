//! `config/subpath-no-reload`.

use std::collections::HashMap;

use crate::facts::rollout::{RolloutTriggers, is_versioned};
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_kube::pods::{ReferencedKind, volume_references};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "config/subpath-no-reload",
        severity: Severity::Warning,
        summary: "a file of a ConfigMap or Secret is mounted with `subPath`, and nothing restarts the pods when it changes",
        text: include_str!("subpath_no_reload.md"),
    },
    RuleCheck::Environment(check),
);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let Some(rollouts) = RolloutTriggers::new(environment) else { return };
    let severity = if environment.is_plain() { Severity::Note } else { Severity::Warning };
    for (number, object) in rollouts.workloads_without_trigger() {
        let Some(pod) = &object.pod else { continue };
        let volumes = configuration_volumes(pod.spec);
        if volumes.is_empty() {
            continue;
        }
        let lists = ["initContainers", "containers"].iter().filter_map(|list| pod.spec.get(list));
        let containers = lists.flat_map(Node::items);
        for mount in containers.flat_map(|container| container.items_at(&["volumeMounts"])) {
            let name = mount.get("name").and_then(Node::as_str).unwrap_or_default();
            let path = ["subPath", "subPathExpr"].iter().find_map(|field| mount.get(field));
            let Some(path) = path.filter(|path| path.as_str().is_some_and(|path| !path.is_empty())) else {
                continue;
            };
            if let Some(kind) = volumes.get(name) {
                let message = format!(
                    "this file of a {kind} never changes while the pod runs, and nothing restarts it"
                );
                reporter.report(
                    FindingDraft::new(&RULE, path.origin, message)
                        .about_object(number)
                        .severity(severity)
                        .hint(
                            "mount the volume as a directory, or annotate the pod template with a checksum",
                        ),
                );
            }
        }
    }
}

/// Returns the volumes from a `ConfigMap` or Secret whose name has no version or hash.
fn configuration_volumes(spec: &Node) -> HashMap<&str, &'static str> {
    let volumes = spec.items_at(&["volumes"]).iter();
    let filled = volumes.filter_map(|volume| {
        let references = volume_references(volume);
        let reference = references.iter().find(|reference| !is_versioned(reference.name))?;
        let kind = match reference.kind {
            ReferencedKind::ConfigMap => "ConfigMap",
            ReferencedKind::Secret
                if ["secret", "projected"].iter().any(|field| volume.get(field).is_some()) =>
            {
                "Secret"
            }
            _ => return None,
        };
        Some((volume.get("name")?.as_str()?, kind))
    });
    filled.collect()
}
