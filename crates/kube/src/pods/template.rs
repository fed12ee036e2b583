//! The location of a workload's pod template.
//!
//! Nothing here reads the content of the template, and nothing fails if an object lacks the template that its kind
//! requires: objects are validated elsewhere.

use std::ops::Deref;

use crate::pods::WorkloadKind;
use sealwave_core::document::{Manifest, Node};

/// The pod template of an object.
pub struct PodTemplate<'a> {
    /// The keys that lead to it; empty if the object itself is the pod.
    pub path: TemplatePath<'a>,
    /// The pod spec.
    pub spec: &'a Node,
    /// The permission to annotate it.
    pub mutability: TemplateMutability,
}

/// The keys that lead to a pod template.
pub enum TemplatePath<'a> {
    /// The path of a built-in kind.
    BuiltIn(&'static [&'static str]),
    /// The path of a kind declared in the app file.
    Declared(Vec<&'a str>),
}

impl<'a> Deref for TemplatePath<'a> {
    type Target = [&'a str];

    fn deref(&self) -> &Self::Target {
        match self {
            Self::BuiltIn(path) => path,
            Self::Declared(path) => path,
        }
    }
}

/// The mutability of a pod template in an existing object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateMutability {
    /// It may change.
    Allowed,
    /// Kubernetes refuses it (a Job).
    Immutable,
    /// Knative refuses it unless the author renames the revision that the template names.
    NamedRevision,
}

/// A kind of the app file whose path does not exist in an object.
pub struct MissingTemplate<'a> {
    /// The path as written in the app file.
    pub path: &'a str,
}

const TEMPLATE: &[&str] = &["spec", "template"];

const BUILT_IN: &[(&str, &str, &[&str])] = &[
    ("", "Pod", &[]),
    ("", "ReplicationController", TEMPLATE),
    ("apps", "DaemonSet", TEMPLATE),
    ("apps", "Deployment", TEMPLATE),
    ("apps", "ReplicaSet", TEMPLATE),
    ("apps", "StatefulSet", TEMPLATE),
    ("argoproj.io", "Rollout", TEMPLATE),
    ("batch", "CronJob", &["spec", "jobTemplate", "spec", "template"]),
    ("batch", "Job", TEMPLATE),
    ("serving.knative.dev", "Service", TEMPLATE),
];

/// Returns the pod template of an object; `None` if it is not a workload, or has no template (a Rollout with
/// `workloadRef`, a malformed object).
///
/// # Errors
/// Fails if the kind is declared in the app file and has no pod template at the given path.
pub fn pod_template<'a>(
    manifest: &'a Manifest,
    declared: &'a [WorkloadKind],
) -> Result<Option<PodTemplate<'a>>, MissingTemplate<'a>> {
    pod_template_for_kind(manifest, (manifest.group(), manifest.kind()), declared)
}

/// Returns the same for an object whose group and kind are known.
///
/// # Errors
/// The kind has a template, but this object does not.
pub fn pod_template_for_kind<'a>(
    manifest: &'a Manifest,
    (group, kind): (&str, &str),
    declared: &'a [WorkloadKind],
) -> Result<Option<PodTemplate<'a>>, MissingTemplate<'a>> {
    if let Some(workload) = declared.iter().find(|workload| workload.kind == kind && workload.group == group)
    {
        let path: Vec<&str> = workload.pod_template.split('.').collect();
        return template_at(manifest, (group, kind), TemplatePath::Declared(path))
            .map(Some)
            .ok_or(MissingTemplate { path: &workload.pod_template });
    }
    let built_in = BUILT_IN.iter().find(|(api_group, name, _)| *name == kind && *api_group == group);
    Ok(built_in.and_then(|(_, _, path)| template_at(manifest, (group, kind), TemplatePath::BuiltIn(path))))
}

/// Returns the containers of a pod spec, each with the name of its list.
pub fn containers(spec: &Node) -> impl Iterator<Item = (&'static str, &Node)> {
    ["initContainers", "containers", "ephemeralContainers"]
        .into_iter()
        .flat_map(move |list| spec.items_at(&[list]).iter().map(move |container| (list, container)))
}

fn template_at<'a>(
    manifest: &'a Manifest,
    group_and_kind: (&str, &str),
    path: TemplatePath<'a>,
) -> Option<PodTemplate<'a>> {
    let template = manifest.root().at(&path)?;
    let spec = template.get("spec").filter(|spec| spec.as_mapping().is_some())?;
    Some(PodTemplate { path, spec, mutability: mutability(group_and_kind, template) })
}

fn mutability(group_and_kind: (&str, &str), template: &Node) -> TemplateMutability {
    match group_and_kind {
        ("batch", "Job") => TemplateMutability::Immutable,
        ("serving.knative.dev", "Service") if template.at(&["metadata", "name"]).is_some() => {
            TemplateMutability::NamedRevision
        }
        _ => TemplateMutability::Allowed,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use sealwave_testkit::manifest;

    fn path(api: &str, kind: &str, body: &serde_json::Value) -> Option<String> {
        let object =
            manifest(&json!({"apiVersion": api, "kind": kind, "metadata": {"name": "x"}, "spec": body}));
        pod_template(&object, &[]).ok().flatten().map(|template| template.path.join("."))
    }

    #[test]
    fn templates_of_all_built_in_kinds_are_found() {
        let template = json!({"template": {"spec": {}}});
        for (api, kind) in [
            ("v1", "ReplicationController"),
            ("apps/v1", "DaemonSet"),
            ("apps/v1", "Deployment"),
            ("apps/v1", "ReplicaSet"),
            ("apps/v1", "StatefulSet"),
            ("argoproj.io/v1alpha1", "Rollout"),
            ("batch/v1", "Job"),
            ("serving.knative.dev/v1", "Service"),
        ] {
            assert_eq!(path(api, kind, &template).as_deref(), Some("spec.template"), "{kind}");
        }
        let cron = json!({"jobTemplate": {"spec": {"template": {"spec": {}}}}});
        assert_eq!(path("batch/v1", "CronJob", &cron).as_deref(), Some("spec.jobTemplate.spec.template"));
        assert_eq!(path("v1", "Pod", &json!({})).as_deref(), Some(""));
    }

    #[test]
    fn other_kinds_and_groups_have_no_template() {
        let template = json!({"template": {"spec": {}}});
        assert_eq!(path("v1", "Service", &template), None);
        assert_eq!(path("example.org/v1", "Deployment", &template), None);
        assert_eq!(path("argoproj.io/v1alpha1", "Rollout", &json!({"workloadRef": {"name": "x"}})), None);
    }

    #[test]
    fn malformed_templates_are_ignored() {
        for body in [json!(null), json!([]), json!({"template": null}), json!({"template": {"spec": "x"}})] {
            assert_eq!(path("apps/v1", "Deployment", &body), None);
        }
    }

    #[test]
    fn a_declared_kind_has_a_template_or_is_an_error() {
        let declared = [WorkloadKind {
            group: "example.org".into(),
            kind: "App".into(),
            pod_template: "spec.pods.template".into(),
        }];
        let body = json!({"pods": {"template": {"spec": {}}}});
        let metadata = json!({"name": "x"});
        let good = manifest(
            &json!({"apiVersion": "example.org/v1", "kind": "App", "metadata": metadata, "spec": body}),
        );
        let found = pod_template(&good, &declared).ok().flatten().expect("a template");
        assert_eq!(*found.path, ["spec", "pods", "template"]);
        let bad = manifest(&json!({"apiVersion": "example.org/v1", "kind": "App", "metadata": metadata}));
        assert!(pod_template(&bad, &declared).is_err());
    }

    #[test]
    fn immutable_templates_are_reported() {
        let template = json!({"metadata": {"name": "rev-1"}, "spec": {}});
        let change_for = |api: &str, kind: &str| {
            let object = manifest(&json!({
                "apiVersion": api, "kind": kind, "metadata": {"name": "x"}, "spec": {"template": template}
            }));
            pod_template(&object, &[]).ok().flatten().expect("a template").mutability
        };
        assert_eq!(change_for("batch/v1", "Job"), TemplateMutability::Immutable);
        assert_eq!(change_for("serving.knative.dev/v1", "Service"), TemplateMutability::NamedRevision);
        assert_eq!(change_for("apps/v1", "Deployment"), TemplateMutability::Allowed);
    }
}
