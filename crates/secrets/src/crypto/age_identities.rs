//! age identities (X25519) and what is encrypted to them.
//!
//! Only identities from the operator's files are ever tried, and none of them needs a passphrase, a plugin or another
//! file: what an age header from Git asks for cannot make this do more than a few multiplications.

use std::io::Read as _;

use age::armor::ArmoredReader;
use age::x25519::{Identity, Recipient};
use zeroize::Zeroizing;

/// Bytes that a data key may come to; a true one has 32.
const MAX_PLAINTEXT: u64 = 1024;

/// The operator's identities.
#[derive(Default)]
pub struct AgeIdentities(Vec<(String, Identity)>);

impl AgeIdentities {
    /// Adds the identities of a file: one on each line, `#` starts a comment.
    ///
    /// # Errors
    /// The number of the line that holds no identity; 0 where the whole file holds none.
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

    /// Their public halves.
    pub fn recipients(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(recipient, _)| recipient.as_str())
    }

    /// Whether one of them belongs to this recipient.
    pub fn has(&self, recipient: &str) -> bool {
        self.recipients().any(|ours| ours == recipient)
    }

    /// Decrypts an armored age file with the identity that belongs to `recipient`.
    ///
    /// `None` where it was not encrypted to it after all, or is damaged.
    pub fn open(&self, recipient: &str, armored: &str) -> Option<Zeroizing<Vec<u8>>> {
        let (_, identity) = self.0.iter().find(|(ours, _)| ours == recipient)?;
        let decryptor = age::Decryptor::new_buffered(ArmoredReader::new(armored.as_bytes())).ok()?;
        let reader = decryptor.decrypt(std::iter::once(identity as &dyn age::Identity)).ok()?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(64));
        reader.take(MAX_PLAINTEXT).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }
}

/// Whether this is an age recipient, and so safe to show.
pub fn is_age_recipient(text: &str) -> bool {
    text.parse::<Recipient>().is_ok()
}
