//! The workloads that this stage plans for.

use sealwave_kube::catalog::ObjectIndex;
use sealwave_kube::pods::{PodReference, PodTemplate};
use sealwave_kube::sync::SyncPlacement;

/// An object with a pod template.
pub(super) struct Workload<'a> {
    /// The index of the object.
    pub(super) object: ObjectIndex,
    pub(super) template: PodTemplate<'a>,
    pub(super) references: Vec<PodReference<'a>>,
    pub(super) placement: SyncPlacement,
}
