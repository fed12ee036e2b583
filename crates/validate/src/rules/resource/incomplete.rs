//! `resource/incomplete`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{key_origin, start_origin, value};
use crate::facts::rule_context::RuleContext;
use crate::located::ObjectPath;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RuleOverlap, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "resource/incomplete",
        severity: Severity::Error,
        summary: "an object lacks a field that its kind requires but the schema does not",
        text: include_str!("incomplete.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds)
.yielding_to(RuleOverlap::SchemaViolation);

/// Kinds with the parts that each object needs, but the schema does not require, from the root.
const PARTS: &[(&str, &str, &[&str])] = &[
    ("", "PersistentVolume", &["spec"]),
    ("", "Pod", &["spec"]),
    ("", "PodTemplate", &["template", "template.spec"]),
    ("", "ReplicationController", WORKLOAD),
    ("", "Service", &["spec"]),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", &["spec"]),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", &["spec"]),
    ("apiregistration.k8s.io", "APIService", &["spec"]),
    ("apps", "DaemonSet", WORKLOAD),
    ("apps", "Deployment", WORKLOAD),
    ("apps", "ReplicaSet", WORKLOAD),
    ("apps", "StatefulSet", WORKLOAD),
    ("autoscaling", "HorizontalPodAutoscaler", &["spec"]),
    ("batch", "CronJob", &["spec", "spec.jobTemplate.spec", "spec.jobTemplate.spec.template.spec"]),
    ("batch", "Job", WORKLOAD),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema", &["spec"]),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", &["spec"]),
    ("networking.k8s.io", "Ingress", &["spec"]),
    ("networking.k8s.io", "IngressClass", &["spec", "spec.controller"]),
];

/// Parts of a workload. The schemas of all but two kinds require a template.
const WORKLOAD: &[&str] = &["spec", "spec.template", "spec.template.spec"];

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    let Some((.., parts)) = PARTS.iter().find(|(group, kind, _)| object.is(group, kind)) else { return };
    let root = object.manifest.root();
    for part in *parts {
        match find_missing(root, part) {
            MissingPart::Here(parent, key) => {
                let has_own_check = matches!(object.kind, "ReplicaSet" | "ReplicationController");
                if *part == "spec.template" && !has_own_check {
                    return;
                }
                let at = if value(parent, key).is_none() && parent.get(key).is_some() {
                    key_origin(parent, key)
                } else {
                    start_origin(parent)
                };
                let message = format!("this {} has no `{part}`", object.kind);
                let path = ObjectPath::from_keys(part.split('.'));
                let draft = FindingDraft::new(&RULE, at, message).path(path);
                reporter.report(draft.hint(format!("add `{part}`")));
                return;
            }
            MissingPart::Elsewhere => return,
            MissingPart::Nothing => {}
        }
    }
}

/// Result of looking for a part of an object.
enum MissingPart<'a> {
    /// This key is missing in this mapping.
    Here(&'a Node, &'a str),
    /// A parent is missing or has a wrong type, which the schema reports.
    Elsewhere,
    /// Nothing is missing.
    Nothing,
}

fn find_missing<'a>(root: &'a Node, path: &'a str) -> MissingPart<'a> {
    let (parent_path, key) = path.rsplit_once('.').unwrap_or(("", path));
    let parent =
        parent_path.split('.').filter(|step| !step.is_empty()).try_fold(root, |node, step| value(node, step));
    match parent.filter(|parent| parent.as_mapping().is_some()) {
        None => MissingPart::Elsewhere,
        Some(parent) if value(parent, key).is_none() => MissingPart::Here(parent, key),
        Some(_) => MissingPart::Nothing,
    }
}
