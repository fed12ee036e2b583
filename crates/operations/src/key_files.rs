//! Files with the private keys of sealed-secrets controllers: PEM, or Secrets of a backup as YAML or JSON, plain or encrypted
//! with age.
//!
//! The files belong to the user of the command. No message quotes them: a damaged key can look like anything.

mod info;
mod read;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use sealwave_core::diagnostic::{Failure, Note};
use sealwave_secrets::crypto::UnsealKey;
use sealwave_secrets::values::SecretValue;

pub use info::UnsealKeyInfo;
pub use read::KeyFileError;

/// The keys that may open sealed items, from the newest to the oldest.
#[derive(Default)]
pub struct UnsealKeys {
    keys: Vec<(UnsealKey, UnsealKeyInfo)>,
    /// The public keys of each file. A file has keys of one controller.
    files: BTreeMap<PathBuf, BTreeSet<String>>,
    /// The index of the key that opened the latest item: it probably opens the next one.
    latest: AtomicUsize,
}

impl UnsealKeys {
    /// Reads key files; files that are encrypted with age are decrypted with the identities of the other files.
    ///
    /// # Errors
    /// All problems: a file that cannot be read or decrypted, or that holds something other than keys.
    pub fn read(files: &[PathBuf], identities: &[PathBuf], notes: &mut Vec<Note>) -> Result<Self, Failure> {
        read::read_all(files, identities, notes).map(Self::new)
    }

    /// Orders keys, and keeps one of those that are equal.
    fn new(mut keys: Vec<(UnsealKey, UnsealKeyInfo)>) -> Self {
        // The texts of RFC 3339 in UTC sort by time. Keys without a date are last, in the order of the files.
        keys.sort_by(|(_, a), (_, b)| b.not_before.cmp(&a.not_before));
        let mut files: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
        for (_, info) in &keys {
            if let Some(file) = &info.file {
                files.entry(file.clone()).or_default().insert(info.public_key_sha256.clone());
            }
        }
        let mut seen = BTreeSet::new();
        keys.retain(|(key, _)| seen.insert(*key.public_key_sha256()));
        Self { keys, files, latest: AtomicUsize::new(0) }
    }

    /// Adds keys that were read from a cluster. Keys that are known already stay as they are.
    #[must_use]
    pub fn with_keys(self, more: impl IntoIterator<Item = (UnsealKey, UnsealKeyInfo)>) -> Self {
        let Self { keys, files, .. } = self;
        Self { files, ..Self::new(keys.into_iter().chain(more).collect()) }
    }

    /// Returns the key files with the public keys in each.
    pub fn files(&self) -> impl Iterator<Item = (&Path, &BTreeSet<String>)> {
        self.files.iter().map(|(file, keys)| (file.as_path(), keys))
    }

    /// Opens an item, and returns the key that opens it. `label` is `SealingScope::label` of the object that holds it.
    #[must_use]
    pub fn open(&self, label: &[u8], item: &str) -> Option<(SecretValue, &UnsealKeyInfo)> {
        let latest = self.latest.load(Ordering::Relaxed);
        let rest = self.keys.iter().enumerate().filter(|(index, _)| *index != latest);
        let (index, value, info) = self
            .keys
            .get(latest)
            .map(|key| (latest, key))
            .into_iter()
            .chain(rest)
            .find_map(|(index, (key, info))| Some((index, key.open(label, item)?, info)))?;
        self.latest.store(index, Ordering::Relaxed);
        Some((value, info))
    }

    /// Opens an item with one key, given by the SHA-256 of its public key in hexadecimal.
    #[must_use]
    pub fn open_with(&self, public_key_sha256: &str, label: &[u8], item: &str) -> Option<SecretValue> {
        let (key, _) = self.keys.iter().find(|(_, info)| info.public_key_sha256 == public_key_sha256)?;
        key.open(label, item)
    }

    /// Returns the details of all keys, from the newest to the oldest.
    pub fn infos(&self) -> impl ExactSizeIterator<Item = &UnsealKeyInfo> {
        self.keys.iter().map(|(_, info)| info)
    }
}

#[cfg(test)]
mod tests;
