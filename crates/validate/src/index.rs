//! Positions of environments in an input.
//!
//! The type cannot be confused with the position of an object in its environment,
//! [`ObjectIndex`](sealwave_kube::catalog::ObjectIndex).

/// The position of an environment in its app; plain manifests have only the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EnvironmentIndex(usize);

impl EnvironmentIndex {
    /// The first environment, which is the only one of plain manifests.
    pub(crate) const FIRST: Self = Self(0);

    /// Creates the index of a position.
    pub(crate) const fn new(number: usize) -> Self {
        Self(number)
    }

    /// Returns the item at this position of a list with one item per environment.
    pub(crate) fn of<T>(self, environments: &[T]) -> Option<&T> {
        environments.get(self.0)
    }
}
