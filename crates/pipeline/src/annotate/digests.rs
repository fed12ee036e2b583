//! Keyed digests of the parts of objects that determine the values a workload reads.
//!
//! - A Secret sealed by this run: the digests of its values, which do not change with the certificate.
//! - A `ConfigMap`: each item of `data` and `binaryData`, without metadata.
//! - A `SealedSecret` from Git: the digests of its ciphertexts, or of the first ones if `sealwave reseal` recorded them
//!   (`sealed_secrets`), so re-sealing it does not restart its pods.
//! - An `ExternalSecret`: its data sources and its template, for the keys that are read if that can be determined. The
//!   refresh interval and the deletion policy do not affect values.
//! - A `SecretProviderClass`: all that it mounts, since a pod that uses one key has everything mounted; of its Secret
//!   objects, only the keys that are read.
//!
//! Objects that are not in the output contribute nothing. When one appears, its items change the digest.

mod encoding;
mod external;
mod sealed_secrets;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use self::encoding::encode;
use crate::secret_stages::SecretDigests;
use sealwave_core::document::{ByAddress, Node, NodeValue};
use sealwave_core::names::UNKNOWN_KEYS;
use sealwave_kube::catalog::{
    CatalogObject, ESO_GROUP, ObjectCatalog, ObjectIndex, SEALED_SECRETS_GROUP, STORE_CSI_GROUP,
};
use sealwave_kube::pods::{PodReference, ReferencedKeys, ReferencedKind};
use sealwave_secrets::crypto::{ChecksumKey, KeyedDigest};
use sealwave_secrets::resealed::ResealRecord;

/// An item that a workload reads. Sets of items have one order, whatever the order of objects and references.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DigestedItem<'a> {
    /// The kind of the object, and the field if there are several.
    pub(super) source: &'a str,
    /// The namespace of the object.
    pub(super) namespace: &'a str,
    /// The name of the object.
    pub(super) name: &'a str,
    /// The key within the object; empty for the whole object.
    pub(super) key: &'a str,
    /// The digest of the value.
    pub(super) digest: KeyedDigest,
}

/// An object that a reference points to, with the keys that are read from it.
#[derive(Clone, Copy)]
struct ReferencedObject<'b, 'a> {
    /// The index of the object in the catalog.
    index: ObjectIndex,
    object: CatalogObject<'a>,
    keys: &'b ReferencedKeys<'a>,
}

impl<'a> ReferencedObject<'_, 'a> {
    /// Returns a field of the object.
    fn field(&self, path: &[&str]) -> Option<&'a Node> {
        self.object.manifest.root().at(path)
    }

    /// Builds the item for `key`, or for the whole object if `key` is empty.
    const fn item(&self, source: &'a str, key: &'a str, digest: KeyedDigest) -> DigestedItem<'a> {
        DigestedItem { source, namespace: self.object.namespace, name: self.object.name, key, digest }
    }
}

/// The digests of the objects of one output. Each digest is computed once and each list or mapping is indexed once, so
/// many workloads that read one large object cost no more than its size and theirs.
pub(super) struct DigestCache<'a> {
    catalog: &'a ObjectCatalog<'a>,
    secrets: &'a SecretDigests,
    key: &'a ChecksumKey,
    records: BTreeMap<ObjectIndex, ResealRecord>,
    accounts: BTreeMap<ObjectIndex, Option<KeyedDigest>>,
    entries: HashMap<ByAddress<'a, Node>, KeyedDigest>,
    sealed: BTreeMap<(&'a str, &'a str), KeyedDigest>,
    tables: HashMap<ByAddress<'a, Node>, BTreeMap<&'a str, &'a Node>>,
    whole: BTreeMap<(&'static str, ObjectIndex), KeyedDigest>,
}

impl<'a> DigestCache<'a> {
    /// Creates the cache without any digests.
    pub(super) fn new(
        catalog: &'a ObjectCatalog<'a>,
        secrets: &'a SecretDigests,
        key: &'a ChecksumKey,
    ) -> Self {
        Self {
            catalog,
            secrets,
            key,
            records: BTreeMap::new(),
            accounts: BTreeMap::new(),
            entries: HashMap::new(),
            sealed: BTreeMap::new(),
            tables: HashMap::new(),
            whole: BTreeMap::new(),
        }
    }

    /// Adds the items that a reference from `namespace` reads.
    pub(super) fn collect(
        &mut self,
        namespace: &str,
        reference: &PodReference<'a>,
        into: &mut BTreeSet<DigestedItem<'a>>,
    ) {
        if reference.kind == ReferencedKind::Secret && self.collect_sealed(namespace, reference, into) {
            return;
        }
        let catalog = self.catalog;
        for index in catalog.resolve_reference(reference.kind, namespace, reference.name) {
            let Some(object) = catalog.object(index).copied() else { continue };
            let wanted = ReferencedObject { index, object, keys: &reference.keys };
            into.extend(match (object.group, object.kind, reference.kind) {
                ("", "ServiceAccount", _) => self.account(&wanted).into_iter().collect(),
                ("", "ConfigMap", _) => self.config_map(&wanted),
                (ESO_GROUP, _, _) => self.external_secret(&wanted),
                (SEALED_SECRETS_GROUP, _, _) => self.sealed_secret(&wanted),
                (STORE_CSI_GROUP, _, ReferencedKind::Secret) => self.synced_secret(&wanted, reference.name),
                (STORE_CSI_GROUP, _, _) => vec![self.provider_class(&wanted)],
                _ => Vec::new(),
            });
        }
    }

    /// Adds the values of a Secret that this run sealed. Returns `false` if this run did not seal it.
    fn collect_sealed(
        &mut self,
        namespace: &str,
        reference: &PodReference<'a>,
        into: &mut BTreeSet<DigestedItem<'a>>,
    ) -> bool {
        let Some(((namespace, name), items)) =
            self.secrets.get_key_value(&(namespace.into(), reference.name.into()))
        else {
            return false;
        };
        let mut add =
            |key, digest| into.insert(DigestedItem { source: "Secret", namespace, name, key, digest });
        match &reference.keys {
            ReferencedKeys::All => {
                let key = self.key;
                let whole = self.sealed.entry((namespace, name)).or_insert_with(|| {
                    let parts: Vec<&[u8]> =
                        items.iter().flat_map(|(key, digest)| [key.as_bytes(), digest.bytes()]).collect();
                    key.digest("annotate/sealed", &parts)
                });
                add("", *whole);
            }
            ReferencedKeys::Only(keys) => {
                // In a preview of a Secret with unknown keys, each key may exist.
                let unknown = items.get(UNKNOWN_KEYS);
                for key in keys {
                    if let Some(digest) = items.get(*key).or(unknown) {
                        add(key, *digest);
                    }
                }
            }
        }
        true
    }

    /// Digests the Secrets with which a service account pulls images.
    fn account(&mut self, wanted: &ReferencedObject<'_, 'a>) -> Option<DigestedItem<'a>> {
        let ReferencedObject { index, object, .. } = *wanted;
        if !self.accounts.contains_key(&index) {
            let mut pulled = BTreeSet::new();
            for name in self.catalog.pull_secrets(object.namespace, object.name) {
                let pull = PodReference {
                    kind: ReferencedKind::Secret,
                    name,
                    keys: ReferencedKeys::All,
                    optional: true,
                };
                self.collect(object.namespace, &pull, &mut pulled);
            }
            let digest = (!pulled.is_empty()).then(|| combine_digests(self.key, "annotate/account", &pulled));
            self.accounts.insert(index, digest);
        }
        let digest = self.accounts.get(&index).copied().flatten()?;
        Some(wanted.item("ServiceAccount", "", digest))
    }

    fn config_map(&mut self, wanted: &ReferencedObject<'_, 'a>) -> Vec<DigestedItem<'a>> {
        let fields = ["data", "binaryData"].map(|field| filled(wanted.field(&[field])));
        match wanted.keys {
            ReferencedKeys::All if fields.iter().all(Option::is_none) => Vec::new(),
            ReferencedKeys::All => vec![self.digest_whole(wanted, "ConfigMap", &fields)],
            ReferencedKeys::Only(keys) => {
                let sources = fields.into_iter().zip(["ConfigMap", "ConfigMap.binaryData"]);
                sources.flat_map(|(field, source)| self.entries(wanted, source, field, "", keys)).collect()
            }
        }
    }

    /// Digests a Secret that the CSI driver creates from the mounted values.
    fn synced_secret(&mut self, wanted: &ReferencedObject<'_, 'a>, name: &'a str) -> Vec<DigestedItem<'a>> {
        const SOURCE: &str = "SecretProviderClass.data";
        let made = wanted.field(&["spec", "secretObjects"]);
        let data =
            made.and_then(|made| self.lookup(made, "secretName", name)).and_then(|secret| secret.get("data"));
        let mut items = match wanted.keys {
            ReferencedKeys::All => data
                .map(|data| wanted.item(SOURCE, name, self.digest_entry(SOURCE, data, None)))
                .into_iter()
                .collect(),
            ReferencedKeys::Only(keys) => self.entries(wanted, SOURCE, data, "key", keys),
        };
        items.push(self.provider_class(wanted));
        items
    }

    /// Digests what the CSI driver mounts.
    fn provider_class(&mut self, wanted: &ReferencedObject<'_, 'a>) -> DigestedItem<'a> {
        let parts = ["provider", "parameters"].map(|field| wanted.field(&["spec", field]));
        self.digest_whole(wanted, "SecretProviderClass", &parts)
    }

    /// Digests the entries of a mapping, or the list items whose `field` is one of `keys`. Skips those that do not
    /// exist.
    fn entries(
        &mut self,
        wanted: &ReferencedObject<'_, 'a>,
        source: &'static str,
        node: Option<&'a Node>,
        field: &str,
        keys: &[&'a str],
    ) -> Vec<DigestedItem<'a>> {
        let Some(node) = node else { return Vec::new() };
        let found = keys.iter().filter_map(|key| {
            let digest = self.lookup(node, field, key).map(|value| self.digest_entry(source, value, None))?;
            Some(wanted.item(source, key, digest))
        });
        found.collect()
    }

    /// Returns the digest of an entry, combined with another node of its object that affects the value.
    fn digest_entry(&mut self, source: &str, entry: &'a Node, with: Option<&Node>) -> KeyedDigest {
        let at = ByAddress(entry);
        if let Some(digest) = self.entries.get(&at) {
            return *digest;
        }
        let digest = self.digest_nodes(source, &[Some(entry), with]);
        self.entries.insert(at, digest);
        digest
    }

    /// Returns the entry of a mapping, or the list item whose `field` is `key`.
    fn lookup(&mut self, node: &'a Node, field: &str, key: &str) -> Option<&'a Node> {
        let table = self.tables.entry(ByAddress(node)).or_insert_with(|| match &node.value {
            NodeValue::Mapping(mapping) => {
                mapping.entries().iter().map(|entry| (entry.key.as_str(), &entry.value)).collect()
            }
            _ => node.items().iter().filter_map(|item| Some((item.get(field)?.as_str()?, item))).collect(),
        });
        table.get(key).copied()
    }

    /// Digests all relevant parts of an object.
    fn digest_whole(
        &mut self,
        wanted: &ReferencedObject<'_, 'a>,
        source: &'static str,
        parts: &[Option<&Node>],
    ) -> DigestedItem<'a> {
        let known = self.whole.get(&(source, wanted.index)).copied();
        let digest = known.unwrap_or_else(|| self.digest_nodes(source, parts));
        self.whole.insert((source, wanted.index), digest);
        wanted.item(source, "", digest)
    }

    fn digest_nodes(&self, source: &str, parts: &[Option<&Node>]) -> KeyedDigest {
        let encoded: Vec<Vec<u8>> = parts
            .iter()
            .map(|part| {
                let mut bytes = Vec::new();
                if let Some(node) = part {
                    encode(node, &mut bytes);
                }
                bytes
            })
            .collect();
        let mut all: Vec<&[u8]> = vec![source.as_bytes()];
        all.extend(encoded.iter().map(Vec::as_slice));
        self.key.digest("annotate/manifest", &all)
    }
}

/// Combines a set of items into one digest.
pub(super) fn combine_digests(
    key: &ChecksumKey,
    label: &str,
    items: &BTreeSet<DigestedItem<'_>>,
) -> KeyedDigest {
    let parts: Vec<&[u8]> = items
        .iter()
        .flat_map(|item| {
            let [source, namespace, name, key] =
                [item.source, item.namespace, item.name, item.key].map(str::as_bytes);
            [source, namespace, name, key, item.digest.bytes()]
        })
        .collect();
    key.digest(label, &parts)
}

/// Returns the node if it is a mapping with entries.
fn filled(node: Option<&Node>) -> Option<&Node> {
    node.filter(|node| node.as_mapping().is_some_and(|mapping| !mapping.is_empty()))
}
