//! The digest of a file in Git that a result depends on.

use sealwave_core::sha256;

/// The SHA-256 of the file in Git that a result depends on.
///
/// A committer could replace that file by a guess, and learn from the sealed text whether the guess was right. So this
/// digest is an input of sealing, and must differ for every possible replacement. It is part of the result, so that it
/// cannot be lost when a result is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence([u8; 32]);

impl Evidence {
    /// The length of the digest in bytes.
    pub const LENGTH: usize = 32;

    /// Computes the digest of a whole file.
    #[must_use]
    pub fn from_content(file: &[u8]) -> Self {
        Self(sha256(file))
    }

    /// Returns the digest.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}
