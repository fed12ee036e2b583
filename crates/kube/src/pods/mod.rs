//! Pods within objects: the location of a workload's pod template, and the references of a pod.
//!
//! Read-only: nothing is looked up or changed here, and malformed parts are skipped.

mod references;
mod template;
mod workload_kind;

pub use references::{
    Keys, Located, Reference, Via, What, container_references, located_container_references,
    located_references, references, volume_references,
};
pub use template::{Change, PodTemplate, containers, pod_template, pod_template_of};
pub use workload_kind::WorkloadKind;
