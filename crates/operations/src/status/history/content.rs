//! The items that a version of a file has.

use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use sealwave_core::names::RESEALED;
use sealwave_secrets::resealed::{ResealRecord, SealedItemId};

use super::item::CommittedItem;
use crate::sealed_files::{SealedFile, compact_ciphertext};

/// The shortest word of a text that may be a ciphertext.
const MIN_WORD: usize = 16;

/// The items of a version.
#[derive(Debug)]
pub(super) enum VersionContent {
    /// The digests of the first ciphertexts of all items.
    Items(BTreeSet<String>),
    /// The digests of all words of a text that is not a manifest, such as a template.
    Words(HashSet<u64>),
}

impl VersionContent {
    /// Reads a version; `namespace` is that of objects without one.
    pub(super) fn read(bytes: Vec<u8>, namespace: &str) -> Self {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Ok(file) = SealedFile::read("", bytes) else { return Self::Words(words(&text)) };
        let mut digests = BTreeSet::new();
        for object in file.objects() {
            let record = object.annotation(RESEALED).and_then(|text| ResealRecord::parse(text).ok());
            let record = record.unwrap_or_default();
            let namespace = if object.namespace.is_empty() { namespace } else { &object.namespace };
            for item in &object.items {
                let id = SealedItemId { namespace, name: &object.name, scope: object.scope, key: &item.key };
                digests.insert(record.original(&id, &item.ciphertext));
            }
        }
        Self::Items(digests)
    }

    /// Reports whether it has an item.
    pub(super) fn has(&self, item: &CommittedItem) -> bool {
        match self {
            Self::Items(digests) => digests.contains(&item.digest),
            Self::Words(words) => words.contains(&word_digest(&compact_ciphertext(&item.ciphertext))),
        }
    }
}

/// Returns the digests of the words that may be ciphertexts. Looking for each item in the text itself would take the product of
/// both sizes.
fn words(text: &str) -> HashSet<u64> {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    // An equals sign before a ciphertext is not a part of it.
    let ciphertext = |word: &'_ str| {
        let before = word.trim_end_matches('=').rfind('=').map_or(0, |at| at + 1);
        before..word.len()
    };
    let words = text.split(|c| !is_base64(c)).filter_map(|word| word.get(ciphertext(word)));
    words.filter(|word| word.len() >= MIN_WORD).map(word_digest).collect()
}

/// Returns a digest that differs for different words with near certainty; it is never shown or kept.
fn word_digest(word: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    word.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ciphertexts_of_texts_are_found_as_words() {
        let ciphertext = format!("{}+/w==", "AgB".repeat(100));
        let item = |ciphertext: &str| CommittedItem {
            key: "k".to_owned(),
            digest: String::new(),
            ciphertext: ciphertext.to_owned(),
        };
        for before in ["{{ x }}: [", "k: ", "k: '", "k: \"", "k=", "- "] {
            let text = format!("{before}{ciphertext}\n{{{{ x }}}}: [");
            let version = VersionContent::read(text.into_bytes(), "shop");
            assert!(matches!(version, VersionContent::Words(_)), "{before}");
            assert!(version.has(&item(&ciphertext)), "{before}");
            assert!(!version.has(&item(&ciphertext.replace("+/w", "+/x"))), "{before}");
        }
    }
}
