//! Pods within objects: where a workload keeps its pod template, and what a pod refers to.
//!
//! Pure reading: nothing is looked up or changed here, and a malformed part is passed over.

mod references;
mod template;
mod workload_kind;

pub use references::{
    Keys, Located, Reference, Via, What, container_references, located_container_references,
    located_references, references, volume_references,
};
pub use template::{Change, PodTemplate, containers, pod_template, pod_template_of};
pub use workload_kind::WorkloadKind;
