//! Digests of committed SealedSecrets, whose values are unknown: their ciphertexts, or the first ones of re-sealed items.

use super::encoding::encode;
use super::{DigestCache, DigestedItem, ReferencedObject, filled};
use sealwave_core::document::{ByAddress, MappingEntry, Node};
use sealwave_core::names::RESEALED;
use sealwave_kube::catalog::CatalogObject;
use sealwave_kube::pods::ReferencedKeys;
use sealwave_secrets::SealingScope;
use sealwave_secrets::crypto::KeyedDigest;
use sealwave_secrets::resealed::{ResealRecord, SealedItemId};

const SOURCE: &str = "SealedSecret";

impl<'a> DigestCache<'a> {
    /// Digests the items of a SealedSecret that are read.
    pub(super) fn sealed_secret(&mut self, wanted: &ReferencedObject<'_, 'a>) -> Vec<DigestedItem<'a>> {
        let encrypted = filled(wanted.field(&["spec", "encryptedData"]));
        // A template may use every item, and `data` is the old form with one ciphertext for all items.
        let template = filled(wanted.field(&["spec", "template", "data"]));
        let blob = wanted.field(&["spec", "data"]);
        let mut templated =
            |key: &&str| template.is_some_and(|template| self.lookup(template, "", key).is_some());
        match wanted.keys {
            ReferencedKeys::Only(keys) if blob.is_none() && !keys.iter().any(&mut templated) => {
                let keys = keys.iter().copied();
                keys.filter_map(|key| {
                    let entry = encrypted.and_then(|items| self.lookup(items, "", key))?;
                    Some(wanted.item(SOURCE, key, self.sealed_item(wanted, key, entry)))
                })
                .collect()
            }
            _ => vec![self.whole_sealed_secret(wanted, [encrypted, template, blob])],
        }
    }

    /// Digests one item.
    fn sealed_item(&mut self, wanted: &ReferencedObject<'_, 'a>, key: &str, entry: &'a Node) -> KeyedDigest {
        let at = ByAddress(entry);
        if let Some(digest) = self.entries.get(&at) {
            return *digest;
        }
        let mut input = Vec::new();
        self.encode_sealed_item(wanted, key, entry, &mut input);
        let digest = self.key.digest("annotate/manifest", &[SOURCE.as_bytes(), &input]);
        self.entries.insert(at, digest);
        digest
    }

    /// Digests all items, the template and the old form.
    fn whole_sealed_secret(
        &mut self,
        wanted: &ReferencedObject<'_, 'a>,
        [encrypted, template, blob]: [Option<&'a Node>; 3],
    ) -> DigestedItem<'a> {
        if let Some(digest) = self.whole.get(&(SOURCE, wanted.index)) {
            return wanted.item(SOURCE, "", *digest);
        }
        let mut entries: Vec<&MappingEntry> =
            encrypted.map(Node::entries).unwrap_or_default().iter().collect();
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        let mut items = Vec::new();
        for entry in entries {
            items.extend((entry.key.len() as u64).to_be_bytes());
            items.extend(entry.key.as_bytes());
            self.encode_sealed_item(wanted, &entry.key, &entry.value, &mut items);
        }
        let [mut of_template, mut of_blob] = [Vec::new(), Vec::new()];
        for (node, bytes) in [(template, &mut of_template), (blob, &mut of_blob)] {
            if let Some(node) = node {
                encode(node, bytes);
            }
        }
        let parts: [&[u8]; 4] = [SOURCE.as_bytes(), &items, &of_template, &of_blob];
        let digest = self.key.digest("annotate/manifest", &parts);
        self.whole.insert((SOURCE, wanted.index), digest);
        wanted.item(SOURCE, "", digest)
    }

    /// Encodes the input of an item: the digest of its first ciphertext, or the node itself if it is not a string.
    fn encode_sealed_item(
        &mut self,
        wanted: &ReferencedObject<'_, 'a>,
        key: &str,
        entry: &Node,
        into: &mut Vec<u8>,
    ) {
        let Some(ciphertext) = entry.as_str() else { return encode(entry, into) };
        let object = wanted.object;
        let annotations = object.manifest.annotations();
        let id = SealedItemId {
            namespace: object.namespace,
            name: object.name,
            scope: SealingScope::from_annotation_map(annotations),
            key,
        };
        let record = self.records.entry(wanted.index).or_insert_with(|| record_of(&object));
        // Not the tag of any node.
        into.push(b'c');
        into.extend(record.original(&id, ciphertext).as_bytes());
    }
}

/// Returns the record of an object. One that is malformed is empty, so the ciphertexts count.
fn record_of(object: &CatalogObject<'_>) -> ResealRecord {
    let text = object.manifest.annotation(RESEALED);
    text.and_then(|text| ResealRecord::parse(text).ok()).unwrap_or_default()
}
