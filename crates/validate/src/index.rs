//! Positions of environments in an input, and of objects in an environment.
//!
//! Each type is only accepted where it is meant, so that the two cannot be confused.

/// The position of an environment in its app; plain manifests have only the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EnvironmentIndex(usize);

/// The position of an object among the objects of its environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ObjectIndex(usize);

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

impl ObjectIndex {
    /// Creates the index of a position.
    pub(crate) const fn new(number: usize) -> Self {
        Self(number)
    }

    /// Returns the position.
    pub(crate) const fn number(self) -> usize {
        self.0
    }

    /// Returns the item at this position of a list with one item per object.
    pub(crate) fn of<T>(self, objects: &[T]) -> Option<&T> {
        objects.get(self.0)
    }
}
