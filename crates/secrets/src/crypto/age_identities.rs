//! age identities (X25519) and decryption of what is encrypted to them.
//!
//! Only identities from the operator's files are tried, and none of them needs a passphrase, a plugin or another file:
//! an age header from Git can cost no more than a few multiplications.

use std::io::Read as _;

use age::armor::ArmoredReader;
use age::x25519::{Identity, Recipient};
use zeroize::Zeroizing;

/// Maximum size of a data key; a valid one has 32 bytes.
const MAX_PLAINTEXT: u64 = 1024;

/// The first bytes of an age file, and of one in armor.
const AGE_HEADERS: [&[u8]; 2] = [b"age-encryption.org/v1", b"-----BEGIN AGE ENCRYPTED FILE-----"];

/// The operator's age identities, each with its public half.
#[derive(Default)]
pub struct AgeIdentities(Vec<(String, Identity)>);

/// A reason why an age file cannot be decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgeFileError {
    /// The file is not an age file, or is damaged.
    #[error("age file is damaged")]
    Damaged,
    /// No identity belongs to a recipient of the file.
    #[error("age file is encrypted to other recipients than those of the given identities")]
    OtherRecipients,
    /// The file is encrypted with a passphrase.
    #[error("age file is encrypted with a passphrase")]
    Passphrase,
    /// The content is too large.
    #[error("content of the age file is too large")]
    TooLarge,
}

impl AgeIdentities {
    /// Adds the identities of a file: one per line; `#` starts a comment.
    ///
    /// # Errors
    /// Returns the number of the first line that is not an identity, or 0 if the file contains none.
    pub fn add_file(&mut self, bytes: &[u8]) -> Result<(), usize> {
        let text = std::str::from_utf8(bytes).map_err(|_| 0_usize)?;
        let before = self.0.len();
        for (number, line) in (1_usize..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let identity: Identity = line.parse().map_err(|_| number)?;
            self.0.push((identity.to_public().to_string(), identity));
        }
        if self.0.len() == before { Err(0) } else { Ok(()) }
    }

    /// Returns the public halves.
    pub fn recipients(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(recipient, _)| recipient.as_str())
    }

    /// Reports whether one of the identities belongs to this recipient.
    #[must_use]
    pub fn has_identity_for(&self, recipient: &str) -> bool {
        self.recipients().any(|ours| ours == recipient)
    }

    /// Decrypts an armored age file with the identity that belongs to `recipient`.
    ///
    /// Returns `None` if the file was not encrypted to that recipient or is damaged.
    #[must_use]
    pub fn decrypt(&self, recipient: &str, armored: &str) -> Option<Zeroizing<Vec<u8>>> {
        let (_, identity) = self.0.iter().find(|(ours, _)| ours == recipient)?;
        let decryptor = age::Decryptor::new_buffered(ArmoredReader::new(armored.as_bytes())).ok()?;
        let reader = decryptor.decrypt(std::iter::once(identity as &dyn age::Identity)).ok()?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(64));
        reader.take(MAX_PLAINTEXT).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Decrypts an age file, binary or armored, with any of the identities; at most `limit` bytes.
    ///
    /// # Errors
    /// The file is damaged, too large, or encrypted to other recipients or with a passphrase.
    pub fn decrypt_file(&self, file: &[u8], limit: usize) -> Result<Zeroizing<Vec<u8>>, AgeFileError> {
        let armored = ArmoredReader::new(file.trim_ascii_start());
        let decryptor = age::Decryptor::new_buffered(armored).map_err(|_| AgeFileError::Damaged)?;
        if decryptor.is_scrypt() {
            return Err(AgeFileError::Passphrase);
        }
        let identities = self.0.iter().map(|(_, identity)| identity as &dyn age::Identity);
        let reader = decryptor.decrypt(identities).map_err(|error| match error {
            age::DecryptError::NoMatchingKeys => AgeFileError::OtherRecipients,
            _ => AgeFileError::Damaged,
        })?;
        // The content is shorter than the file: a buffer of that size never grows, so no copy remains in memory.
        let mut bytes = Zeroizing::new(Vec::with_capacity(file.len().min(limit).saturating_add(1)));
        let more = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        reader.take(more).read_to_end(&mut bytes).map_err(|_| AgeFileError::Damaged)?;
        if bytes.len() > limit { Err(AgeFileError::TooLarge) } else { Ok(bytes) }
    }
}

/// Reports whether a file is encrypted with age; armored ones may have blank lines before it.
#[must_use]
pub fn is_age_file(file: &[u8]) -> bool {
    let file = file.trim_ascii_start();
    AGE_HEADERS.iter().any(|header| file.starts_with(header))
}

/// Reports whether a text is an age recipient, which is safe to show.
#[must_use]
pub fn is_age_recipient(text: &str) -> bool {
    text.parse::<Recipient>().is_ok()
}
