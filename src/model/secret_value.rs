//! The value of a secret: bytes that cannot be printed and are zeroed when dropped.
//!
//! There is no `Debug`, `Display`, `Serialize` or `AsRef` here, and there must never be one.

use zeroize::Zeroizing;

/// Bytes of a secret.
///
/// ```compile_fail
/// let value = sealwave::model::SecretValue::new(b"x".to_vec());
/// println!("{value:?}");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(Zeroizing<Vec<u8>>);

impl SecretValue {
    /// Takes bytes over; they are zeroed when this is dropped.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the few places that seal, hash or transform them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The text, where the bytes are UTF-8.
    #[must_use]
    pub fn expose_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// How many bytes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
