//! Pods of kinds that `generate` does not change: operators and engines of workflows make them from these parts.
//!
//! What is here is read for what it refers to; when such pods start anew is their controllers' business.

use sealwave_core::document::Node;
use sealwave_kube::catalogue::Object;
use sealwave_kube::pods::{self, Located, located_container_references, located_references};

/// API group of Argo Workflows.
const ARGO: &str = "argoproj.io";

/// Parts of pods in one object.
#[derive(Default)]
pub(super) struct Parts<'a> {
    /// What has the fields of a pod's spec, or some of them.
    specs: Vec<&'a Node>,
    /// Containers outside of a list that a spec has.
    containers: Vec<&'a Node>,
}

impl<'a> Parts<'a> {
    /// Looks at an object that is no workload by itself.
    pub fn of(object: &Object<'a>) -> Self {
        let root = object.manifest.root();
        let at = |path: &[&str]| root.at(path);
        match (object.group, object.kind) {
            (ARGO, "ClusterWorkflowTemplate" | "Workflow" | "WorkflowTemplate") => workflow(at(&["spec"])),
            (ARGO, "CronWorkflow") => workflow(at(&["spec", "workflowSpec"])),
            ("keda.sh", "ScaledJob") => Self::spec(at(&["spec", "jobTargetRef", "template", "spec"])),
            ("monitoring.coreos.com", "Alertmanager" | "Prometheus" | "PrometheusAgent" | "ThanosRuler") => {
                Self::spec(at(&["spec"]))
            }
            ("tekton.dev", "ClusterTask" | "Task") => {
                let lists = ["steps", "sidecars"].iter().filter_map(|list| root.at(&["spec", list]));
                Self { containers: lists.flat_map(Node::items).collect(), ..Self::spec(at(&["spec"])) }
            }
            _ => Self::default(),
        }
    }

    fn spec(spec: Option<&'a Node>) -> Self {
        Self { specs: spec.into_iter().collect(), containers: Vec::new() }
    }

    pub fn references(&self) -> Vec<Located<'a>> {
        let of_containers = self.containers.iter().flat_map(|one| located_container_references(one));
        self.specs.iter().flat_map(|spec| located_references(spec)).chain(of_containers).collect()
    }

    pub fn containers(&self) -> impl Iterator<Item = &'a Node> + use<'a> {
        let of_specs = self.specs.clone().into_iter().flat_map(containers);
        of_specs.chain(self.containers.clone())
    }
}

/// The containers of a pod's spec, of all three lists.
pub fn containers(spec: &Node) -> impl Iterator<Item = &Node> {
    pods::containers(spec).map(|(_, container)| container)
}

fn workflow(spec: Option<&Node>) -> Parts<'_> {
    let mut parts = Parts::spec(spec);
    for template in spec.and_then(|spec| spec.get("templates")).map_or(&[][..], Node::items) {
        parts.specs.push(template);
        parts.containers.extend(["container", "script"].iter().filter_map(|field| template.get(field)));
        let lists = [template.get("sidecars"), template.at(&["containerSet", "containers"])];
        parts.containers.extend(lists.into_iter().flatten().flat_map(Node::items));
    }
    parts
}
