//! Rules about roles that grant more rights than a program needs.

rules! {
    cluster_admin,
    escalation,
    read_secrets,
    wildcard,
}
