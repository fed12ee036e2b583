//! The scope of kinds.

/// The scope of a kind's objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceScope {
    /// The whole cluster.
    Cluster,
    /// A single namespace.
    Namespaced,
}
