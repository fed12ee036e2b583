//! Objects as Kubernetes resources: identity and namespaces.

pub(crate) mod duplicate_id;
