//! The record of re-sealing: an annotation of a committed SealedSecret that keeps checksums as they were.
//!
//! The checksum of a committed item is computed from the digest of its ciphertext, because nothing else is known of the value.
//! Re-sealing changes the ciphertext but not the value, so `sealwave reseal` records the digest of the first ciphertext:
//!
//! ```text
//! {"KEY": "<digest of the first ciphertext>:<public key of the certificate>:<binding>"}
//! binding = SHA-256 of namespace (unless cluster-wide), name, scope, key, first digest, public key, digest of the present
//!           ciphertext, each after its length; 16 bytes
//! ```
//!
//! The first digest counts only while the binding matches: after an edit of the item, or in another object, the ciphertext itself
//! counts again. Every part is public, so anyone who can commit can compute a binding. It protects against mistakes and is not an
//! authority: it can only suppress the restart of the pods that read the object. A digest is never one of a value.

use std::collections::BTreeMap;

use sealwave_core::diagnostic::Explain;
use sealwave_core::sha256_hex;

use crate::SealingScope;

/// Size limit of the annotation: that of all annotations of an object.
pub const MAX_RECORD: usize = 256 << 10;

const LABEL: &str = "sealwave/resealed/v1";
const DIGEST: usize = 64;
const BINDING: usize = 32;

/// An item of a SealedSecret, as the controller identifies it.
#[derive(Clone, Copy, Debug)]
pub struct SealedItemId<'a> {
    /// The namespace of the object.
    pub namespace: &'a str,
    /// The name of the object.
    pub name: &'a str,
    /// The scope of the object.
    pub scope: SealingScope,
    /// The key of the item.
    pub key: &'a str,
}

/// The record of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResealRecord {
    items: BTreeMap<String, RecordedItem>,
}

/// The record of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
struct RecordedItem {
    original: String,
    public_key: String,
    binding: String,
}

/// A record that holds for the present ciphertext of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoundRecord<'r> {
    /// The SHA-256 of the first ciphertext, in hexadecimal.
    pub original: &'r str,
    /// The SHA-256 of the public key that the present ciphertext was sealed for, in hexadecimal.
    pub public_key_sha256: &'r str,
}

/// A reason why the annotation cannot be read. The checksums then use the ciphertexts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResealRecordError {
    /// The annotation is not a JSON object of records.
    #[error("it is not a JSON object with a record for each item")]
    Malformed,
    /// The annotation is not a string.
    #[error("it is not a string")]
    NotText,
    /// The annotation is too large.
    #[error("it is larger than {MAX_RECORD} bytes")]
    TooLarge,
}

impl Explain for ResealRecordError {
    fn hint(&self) -> Option<String> {
        Some(
            "remove the annotation, or restore it from Git; the next `sealwave reseal` writes it again"
                .to_owned(),
        )
    }
}

/// Returns the digest of a ciphertext, in hexadecimal. Line breaks, which the controller ignores, do not count.
#[must_use]
pub fn ciphertext_digest(ciphertext: &str) -> String {
    if ciphertext.contains(['\r', '\n']) {
        sha256_hex(ciphertext.replace(['\r', '\n'], "").as_bytes())
    } else {
        sha256_hex(ciphertext.as_bytes())
    }
}

impl ResealRecord {
    /// Reads the annotation.
    ///
    /// # Errors
    /// The annotation is malformed or too large.
    pub fn parse(text: &str) -> Result<Self, ResealRecordError> {
        if text.len() > MAX_RECORD {
            return Err(ResealRecordError::TooLarge);
        }
        let texts: BTreeMap<String, String> =
            serde_json::from_str(text).map_err(|_| ResealRecordError::Malformed)?;
        let items = texts.into_iter().map(|(key, text)| Some((key, RecordedItem::parse(&text)?)));
        items.collect::<Option<_>>().map(|items| Self { items }).ok_or(ResealRecordError::Malformed)
    }

    /// Returns the record of an item if it holds for the item's ciphertext.
    #[must_use]
    pub fn bound(&self, id: &SealedItemId<'_>, ciphertext: &str) -> Option<BoundRecord<'_>> {
        self.bound_to_digest(id, &ciphertext_digest(ciphertext))
    }

    fn bound_to_digest(&self, id: &SealedItemId<'_>, digest: &str) -> Option<BoundRecord<'_>> {
        let RecordedItem { original, public_key, binding } = self.items.get(id.key)?;
        (*binding == bind(id, original, public_key, digest))
            .then_some(BoundRecord { original, public_key_sha256: public_key })
    }

    /// Returns the digest from which the checksum of an item is computed: that of its first ciphertext.
    #[must_use]
    pub fn original(&self, id: &SealedItemId<'_>, ciphertext: &str) -> String {
        let digest = ciphertext_digest(ciphertext);
        match self.bound_to_digest(id, &digest) {
            Some(bound) => bound.original.to_owned(),
            None => digest,
        }
    }

    /// Records that an item with the first digest `original` has this ciphertext now, sealed for this public key.
    pub fn insert(
        &mut self,
        id: &SealedItemId<'_>,
        original: &str,
        public_key_sha256: &str,
        ciphertext: &str,
    ) {
        let binding = bind(id, original, public_key_sha256, &ciphertext_digest(ciphertext));
        let item =
            RecordedItem { original: original.to_owned(), public_key: public_key_sha256.to_owned(), binding };
        self.items.insert(id.key.to_owned(), item);
    }

    /// Removes the records of items that `is_kept` refuses.
    pub fn retain(&mut self, is_kept: impl Fn(&str) -> bool) {
        self.items.retain(|key, _| is_kept(key));
    }

    /// Reports whether there are no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Returns the text of the annotation: equal records give equal texts.
    #[must_use]
    pub fn to_text(&self) -> String {
        let texts: BTreeMap<&str, String> =
            self.items.iter().map(|(key, item)| (key.as_str(), item.to_text())).collect();
        // Strings are always JSON.
        serde_json::to_string(&texts).unwrap_or_default()
    }
}

impl RecordedItem {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let mut next = |length| parts.next().filter(|part| is_hex(part, length)).map(str::to_owned);
        let item = Self { original: next(DIGEST)?, public_key: next(DIGEST)?, binding: next(BINDING)? };
        parts.next().is_none().then_some(item)
    }

    fn to_text(&self) -> String {
        format!("{}:{}:{}", self.original, self.public_key, self.binding)
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn bind(id: &SealedItemId<'_>, original: &str, public_key: &str, digest: &str) -> String {
    // A cluster-wide item may be in any namespace.
    let namespace = if id.scope == SealingScope::ClusterWide { "" } else { id.namespace };
    let parts = [LABEL, namespace, id.name, id.scope.as_str(), id.key, original, public_key, digest];
    let bytes: Vec<u8> = parts
        .iter()
        .flat_map(|part| (part.len() as u64).to_be_bytes().into_iter().chain(part.bytes()))
        .collect();
    let mut binding = sha256_hex(&bytes);
    binding.truncate(BINDING);
    binding
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: SealedItemId<'static> =
        SealedItemId { namespace: "shop", name: "db", scope: SealingScope::Strict, key: "password" };

    fn public_key() -> String {
        "ab".repeat(32)
    }

    fn record() -> ResealRecord {
        let mut record = ResealRecord::default();
        record.insert(&ID, &ciphertext_digest("AgBfirst"), &public_key(), "AgBsecond");
        record
    }

    #[test]
    fn the_first_digest_counts_through_any_number_of_reseals() {
        let mut record = record();
        let first = ciphertext_digest("AgBfirst");
        assert_eq!(record.original(&ID, "AgBsecond"), first);
        assert_eq!(record.original(&ID, "AgBse\r\ncond\n"), first, "the controller ignores line breaks");
        let original = record.original(&ID, "AgBsecond");
        record.insert(&ID, &original, &public_key(), "AgBthird");
        assert_eq!(record.original(&ID, "AgBthird"), first);
        assert_eq!(record.bound(&ID, "AgBthird").unwrap().public_key_sha256, public_key());
    }

    #[test]
    fn an_edited_item_and_a_copied_record_do_not_count() {
        let record = record();
        let own = ciphertext_digest("AgBedited");
        assert_eq!(record.original(&ID, "AgBedited"), own);
        for other in [
            SealedItemId { namespace: "other", ..ID },
            SealedItemId { name: "other", ..ID },
            SealedItemId { scope: SealingScope::NamespaceWide, ..ID },
            SealedItemId { key: "other", ..ID },
        ] {
            assert_eq!(record.bound(&other, "AgBsecond"), None, "{other:?}");
        }
        // The record of another key, moved.
        let moved = ResealRecord::parse(&record.to_text().replace("password", "other")).unwrap();
        assert_eq!(moved.bound(&SealedItemId { key: "other", ..ID }, "AgBsecond"), None);
        let other_key =
            ResealRecord::parse(&record.to_text().replace(&public_key(), &"cd".repeat(32))).unwrap();
        assert_eq!(other_key.bound(&ID, "AgBsecond"), None);
    }

    #[test]
    fn a_cluster_wide_item_is_bound_in_every_namespace() {
        let id = SealedItemId { scope: SealingScope::ClusterWide, ..ID };
        let mut record = ResealRecord::default();
        record.insert(&id, &ciphertext_digest("a"), &public_key(), "b");
        assert!(record.bound(&SealedItemId { namespace: "other", ..id }, "b").is_some());
    }

    #[test]
    fn malformed_and_hostile_texts_are_refused() {
        let text = record().to_text();
        assert_eq!(ResealRecord::parse(&text), Ok(record()));
        let deep = "[".repeat(100_000);
        let large = format!("{{\"a\":\"{}\"}}", "0".repeat(MAX_RECORD));
        for (bad, error) in [
            ("", ResealRecordError::Malformed),
            ("[]", ResealRecordError::Malformed),
            ("{\"a\":1}", ResealRecordError::Malformed),
            ("{\"a\":\"x\"}", ResealRecordError::Malformed),
            (&text.replace(':', "."), ResealRecordError::Malformed),
            (&text.to_uppercase(), ResealRecordError::Malformed),
            (&text.replace("\"}", ":0\"}"), ResealRecordError::Malformed),
            (&deep, ResealRecordError::Malformed),
            (&large, ResealRecordError::TooLarge),
        ] {
            assert_eq!(ResealRecord::parse(bad), Err(error), "{}", &bad[..bad.len().min(80)]);
        }
    }

    #[test]
    fn the_format_is_pinned() {
        assert_eq!(
            record().to_text(),
            format!(
                "{{\"password\":\"{}:{}:ab5b8f119a1aba3cad2da019727b175c\"}}",
                ciphertext_digest("AgBfirst"),
                public_key()
            )
        );
    }
}
