//! Unused values.

use super::source::Origin;

/// A key in an environment's values that no template reads and no other values file has.
#[derive(Clone, Debug)]
pub(crate) struct UnusedValue {
    /// Origin of the key.
    pub(crate) at: Origin,
    /// The key.
    pub(crate) key: String,
    /// A similar name that may be intended: one that templates read, or another file has.
    pub(crate) closest: Option<String>,
}
