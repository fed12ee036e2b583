//! The scope of kinds.

/// The scope of a kind's objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceScope {
    /// Cluster-scoped.
    Cluster,
    /// Namespaced.
    Namespaced,
}
