//! Values that nothing uses.

use super::source::Origin;

/// A key of an environment's values that no template reads and no other file of values has.
#[derive(Clone, Debug)]
pub(crate) struct UnusedValue {
    /// Where the key stands.
    pub(crate) at: Origin,
    /// The key.
    pub(crate) key: String,
    /// The name that may be meant: one that templates read there, or another file has.
    pub(crate) closest: Option<String>,
}
