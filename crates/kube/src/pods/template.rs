//! Where a workload keeps its pod template.
//!
//! Nothing here reads what is in the template, and nothing fails on an object that has none where its kind says:
//! whether an object is valid is for others to judge.

use std::ops::Deref;

use crate::pods::WorkloadKind;
use sealwave_core::document::{Manifest, Node};

/// The pod template of an object.
pub struct PodTemplate<'a> {
    /// The keys that lead to it; empty where the object itself is the pod.
    pub path: TemplatePath<'a>,
    /// Its `spec`.
    pub spec: &'a Node,
    /// Whether an annotation may be put on it.
    pub change: Change,
}

/// The keys that lead to a pod template.
pub enum TemplatePath<'a> {
    /// Of a kind that is known here.
    BuiltIn(&'static [&'static str]),
    /// Of a kind of the app file.
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

/// Whether a pod template of an existing object may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It may.
    Allowed,
    /// Kubernetes refuses it (a Job).
    Immutable,
    /// Knative refuses it unless the author renames the revision that the template names.
    NamedRevision,
}

/// A kind of the app file whose path leads nowhere in an object.
pub struct NoTemplate<'a> {
    /// The path, as the app file has it.
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

/// The pod template of an object; `None` where it is no workload, or one without a template (a Rollout with
/// `workloadRef`, a malformed object).
///
/// # Errors
/// A kind of the app file has no pod template at the path that the app file gives.
pub fn pod_template<'a>(
    manifest: &'a Manifest,
    declared: &'a [WorkloadKind],
) -> Result<Option<PodTemplate<'a>>, NoTemplate<'a>> {
    pod_template_of(manifest, (manifest.group(), manifest.kind()), declared)
}

/// The same of an object whose group and kind were read.
pub fn pod_template_of<'a>(
    manifest: &'a Manifest,
    (group, kind): (&str, &str),
    declared: &'a [WorkloadKind],
) -> Result<Option<PodTemplate<'a>>, NoTemplate<'a>> {
    if let Some(workload) = declared.iter().find(|workload| workload.kind == kind && workload.group == group)
    {
        let path: Vec<&str> = workload.pod_template.split('.').collect();
        return template_at(manifest, (group, kind), TemplatePath::Declared(path))
            .map(Some)
            .ok_or(NoTemplate { path: &workload.pod_template });
    }
    let built_in = BUILT_IN.iter().find(|(of, name, _)| *name == kind && *of == group);
    Ok(built_in.and_then(|(_, _, path)| template_at(manifest, (group, kind), TemplatePath::BuiltIn(path))))
}

/// The containers of a pod spec, each with the name of the list that it is in.
pub fn containers(spec: &Node) -> impl Iterator<Item = (&'static str, &Node)> {
    ["initContainers", "containers", "ephemeralContainers"].into_iter().flat_map(move |list| {
        spec.get(list).map_or(&[][..], Node::items).iter().map(move |container| (list, container))
    })
}

fn template_at<'a>(
    manifest: &'a Manifest,
    is: (&str, &str),
    path: TemplatePath<'a>,
) -> Option<PodTemplate<'a>> {
    let template = manifest.root().at(&path)?;
    let spec = template.get("spec").filter(|spec| spec.as_mapping().is_some())?;
    Some(PodTemplate { path, spec, change: change(is, template) })
}

fn change(is: (&str, &str), template: &Node) -> Change {
    match is {
        ("batch", "Job") => Change::Immutable,
        ("serving.knative.dev", "Service") if template.at(&["metadata", "name"]).is_some() => {
            Change::NamedRevision
        }
        _ => Change::Allowed,
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
    fn every_built_in_kind_has_its_template_found() {
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
    fn other_kinds_and_other_groups_have_none() {
        let template = json!({"template": {"spec": {}}});
        assert_eq!(path("v1", "Service", &template), None);
        assert_eq!(path("example.org/v1", "Deployment", &template), None);
        assert_eq!(path("argoproj.io/v1alpha1", "Rollout", &json!({"workloadRef": {"name": "x"}})), None);
    }

    #[test]
    fn malformed_templates_are_none() {
        for body in [json!(null), json!([]), json!({"template": null}), json!({"template": {"spec": "x"}})] {
            assert_eq!(path("apps/v1", "Deployment", &body), None);
        }
    }

    #[test]
    fn a_declared_kind_is_found_by_its_path_and_missed_aloud() {
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
    fn what_may_not_change_is_said() {
        let template = json!({"metadata": {"name": "rev-1"}, "spec": {}});
        let of = |api: &str, kind: &str| {
            let object = manifest(&json!({
                "apiVersion": api, "kind": kind, "metadata": {"name": "x"}, "spec": {"template": template}
            }));
            pod_template(&object, &[]).ok().flatten().expect("a template").change
        };
        assert_eq!(of("batch/v1", "Job"), Change::Immutable);
        assert_eq!(of("serving.knative.dev/v1", "Service"), Change::NamedRevision);
        assert_eq!(of("apps/v1", "Deployment"), Change::Allowed);
    }
}
