//! Pods of kinds that `generate` does not change: controllers and workflow engines create them from these parts.
//!
//! Only the references of these pods are read; their controllers decide when to restart them.

use crate::located::LocatedNode;
use sealwave_core::document::Node;
use sealwave_kube::catalog::CatalogObject;
use sealwave_kube::pods::{self, LocatedReference, located_container_references, located_references};

/// API group of Argo Workflows.
const ARGO: &str = "argoproj.io";

/// Parts of pods within one object.
#[derive(Default)]
pub(crate) struct Parts<'a> {
    /// Nodes with some or all fields of a pod spec.
    specs: Vec<&'a Node>,
    /// Containers outside of the lists of a spec.
    containers: Vec<&'a Node>,
}

impl<'a> Parts<'a> {
    /// Collects the parts in an object that is not itself a workload.
    pub(crate) fn of(object: &CatalogObject<'a>) -> Self {
        let root = object.manifest.root();
        let at = |path: &[&str]| root.at(path);
        match (object.group, object.kind) {
            (ARGO, "ClusterWorkflowTemplate" | "Workflow" | "WorkflowTemplate") => {
                workflow_parts(at(&["spec"]))
            }
            (ARGO, "CronWorkflow") => workflow_parts(at(&["spec", "workflowSpec"])),
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

    pub(crate) fn references(&self) -> Vec<LocatedReference<'a>> {
        let container_references = self.containers.iter().flat_map(|one| located_container_references(one));
        self.specs.iter().flat_map(|spec| located_references(spec)).chain(container_references).collect()
    }

    pub(crate) fn containers(&self) -> impl Iterator<Item = &'a Node> + use<'a> {
        let spec_containers = self.specs.clone().into_iter().flat_map(containers);
        spec_containers.chain(self.containers.clone())
    }
}

/// Iterates over the containers of a pod spec, with their paths.
pub(crate) fn located_containers<'a>(
    spec: &LocatedNode<'a>,
) -> impl Iterator<Item = LocatedNode<'a>> + use<'a> {
    let lists = ["containers", "ephemeralContainers", "initContainers"].map(|list| spec.get(list));
    lists.into_iter().flatten().flat_map(|list| list.items())
}

/// Iterates over the containers of a pod spec, in all three lists.
pub(crate) fn containers(spec: &Node) -> impl Iterator<Item = &Node> {
    pods::containers(spec).map(|(_, container)| container)
}

fn workflow_parts(spec: Option<&Node>) -> Parts<'_> {
    let mut parts = Parts::spec(spec);
    for template in spec.and_then(|spec| spec.get("templates")).map_or(&[][..], Node::items) {
        parts.specs.push(template);
        parts.containers.extend(["container", "script"].iter().filter_map(|field| template.get(field)));
        let lists = [template.get("sidecars"), template.at(&["containerSet", "containers"])];
        parts.containers.extend(lists.into_iter().flatten().flat_map(Node::items));
    }
    parts
}
