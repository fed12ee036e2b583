//! Objects as Kubernetes resources: identity and namespaces.

pub(super) mod cluster_scoped_with_namespace;
pub(super) mod default_namespace;
pub(crate) mod duplicate_id;
pub(super) mod missing_namespace;
pub(super) mod unfilled;
