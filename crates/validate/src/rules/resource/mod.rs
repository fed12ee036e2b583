//! Rules about Kubernetes resources: identity, namespaces and fields of single kinds.

pub(super) mod admission_policy;
pub(super) mod autoscaler;
pub(super) mod blocking_budget;
pub(super) mod claim;
pub(super) mod cluster_scoped_with_namespace;
pub(super) mod default_namespace;
pub(super) mod disruption_budget;
pub(crate) mod duplicate_id;
pub(super) mod field;
pub(super) mod fractional_bytes;
pub(crate) mod incomplete;
pub(super) mod ingress;
pub(super) mod missing_namespace;
pub(super) mod network_policy;
pub(super) mod quota;
pub(crate) mod rbac;
pub(super) mod service;
pub(crate) mod unfilled;
pub(super) mod volume;
pub(super) mod webhook;
