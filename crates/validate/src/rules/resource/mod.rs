//! Rules about Kubernetes resources: identity, namespaces and fields of single kinds.

mod access_modes;
mod matched_rules;

rules! {
    admission_policy,
    autoscaler,
    blocking_budget,
    claim,
    cluster_scoped_with_namespace,
    default_namespace,
    disruption_budget,
    duplicate_id,
    field,
    fractional_bytes,
    incomplete,
    ingress,
    missing_namespace,
    network_policy,
    quota,
    rbac,
    service,
    unfilled,
    volume,
    webhook,
}
