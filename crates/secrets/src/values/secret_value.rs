//! The value of a secret: bytes that cannot be printed and that are zeroed on drop.
//!
//! `Debug`, `Display`, `Serialize` and `AsRef` are missing on purpose, and must never be added.

use std::io;

use zeroize::Zeroizing;

/// The bytes of a secret.
///
/// ```
/// let value = sealwave_secrets::values::SecretValue::new(b"x".to_vec());
/// ```
///
/// ```compile_fail,E0277
/// let value = sealwave_secrets::values::SecretValue::new(b"x".to_vec());
/// println!("{value:?}");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(Zeroizing<Vec<u8>>);

impl SecretValue {
    /// Takes ownership of bytes; they are zeroed on drop.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reports whether both are the same value.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// Returns the bytes, for the few places that seal, hash or transform them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Returns the bytes as text, if they are UTF-8.
    #[must_use]
    pub fn expose_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Returns the number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Reports whether the value is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A buffer that assembles a secret. Unlike a plain `Vec`, it leaves no copy in memory when it grows.
#[derive(Default)]
pub struct SecretBuffer(Zeroizing<Vec<u8>>);

impl SecretBuffer {
    /// Creates a buffer with room for this many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(bytes)))
    }

    /// Appends bytes.
    pub fn push(&mut self, more: &[u8]) {
        if self.0.capacity() - self.0.len() < more.len() {
            let mut larger = Zeroizing::new(Vec::with_capacity((self.0.len() + more.len()) * 2));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(more);
    }

    /// Reports whether there are no bytes yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the assembled value without copying it.
    #[must_use]
    pub fn into_value(self) -> SecretValue {
        SecretValue(self.0)
    }
}

impl io::Write for SecretBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_contains_the_pushed_bytes_in_order() {
        let mut buffer = SecretBuffer::with_capacity(1);
        let pieces: Vec<Vec<u8>> = (0..50_u8).map(|n| vec![n; usize::from(n)]).collect();
        for piece in &pieces {
            buffer.push(piece);
        }
        assert_eq!(buffer.len(), pieces.concat().len());
        assert_eq!(buffer.into_value().expose(), pieces.concat());
    }
}
