//! Pods within objects: the location of a workload's pod template, and the references of a pod.
//!
//! Read-only: nothing is looked up or changed here, and malformed parts are skipped.

mod references;
mod template;
mod workload_kind;

pub use references::{
    LocatedReference, PodReference, PodUsage, ReferencedKeys, ReferencedKind, container_references,
    located_container_references, located_references, references, volume_references,
};
pub use template::{PodTemplate, TemplateMutability, containers, pod_template, pod_template_for_kind};
pub use workload_kind::WorkloadKind;
