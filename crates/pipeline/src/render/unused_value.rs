//! Unused values.

use sealwave_core::document::Origin;

/// A key in an environment's values that no template reads and no other values file has.
#[derive(Clone, Debug)]
pub struct UnusedValue {
    /// Origin of the key.
    pub origin: Origin,
    /// The key.
    pub key: String,
    /// A similar name that may be intended: one that templates read, or another file has.
    pub closest: Option<String>,
}
