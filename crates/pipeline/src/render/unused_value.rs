//! Values that nothing uses.

use sealwave_core::document::Origin;

/// A key of an environment's values that no template reads and no other file of values has.
#[derive(Clone, Debug)]
pub struct UnusedValue {
    /// Where the key stands.
    pub at: Origin,
    /// The key.
    pub key: String,
    /// The name that may be meant: one that templates read there, or another file has.
    pub closest: Option<String>,
}
