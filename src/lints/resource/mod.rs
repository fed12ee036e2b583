//! Objects as Kubernetes resources: identity and namespaces.

pub(super) mod duplicate_id;
