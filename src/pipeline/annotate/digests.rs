//! What of an object decides the values that a workload reads, as keyed digests.
//!
//! - A Secret that this run sealed: the digests of its values, which do not change with the certificate.
//! - A `ConfigMap`: each item of `data` and `binaryData`. Metadata never count.
//! - A `SealedSecret` from Git: its ciphertexts, all that is known of it, so that re-sealing it restarts its pods.
//! - An `ExternalSecret`, a `SecretProviderClass`: what they ask for and what they make of it; how often they ask,
//!   and what becomes of the Secret afterwards, decides no value.
//!
//! What is not in the output contributes nothing: when it appears, it adds to what is digested, and that is enough.

use std::collections::{BTreeMap, BTreeSet};

use crate::crypto::{ChecksumKey, Digest};
use crate::model::catalogue::{Catalogue, ESO, Object, SEALED, STORE_CSI};
use crate::model::pods::{Keys, Reference, What};
use crate::model::{Mapping, Node, Number, Value};
use crate::pipeline::seal::SecretDigests;

/// One thing that a workload reads. A set of them has one order, whatever the order of objects and references.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Item<'a> {
    /// Where it comes from.
    pub(super) source: &'a str,
    /// Namespace of the object.
    pub(super) namespace: &'a str,
    /// Name of the object.
    pub(super) name: &'a str,
    /// Key within it; empty for the object as a whole.
    pub(super) key: &'a str,
    /// Digest of the value.
    pub(super) digest: Digest,
}

/// Digests of the objects of one output. Each is computed once, and each list or mapping is indexed once, so that
/// many workloads that read one large object cost no more than its size and theirs.
pub(super) struct Digests<'a> {
    catalogue: &'a Catalogue<'a>,
    secrets: &'a SecretDigests,
    key: &'a ChecksumKey,
    accounts: BTreeMap<usize, Option<Digest>>,
    entries: BTreeMap<*const Node, Digest>,
    sealed: BTreeMap<(&'a str, &'a str), Digest>,
    tables: BTreeMap<*const Node, BTreeMap<&'a str, &'a Node>>,
    whole: BTreeMap<(&'static str, usize), Digest>,
}

impl<'a> Digests<'a> {
    /// No digest computed yet.
    pub(super) const fn new(
        catalogue: &'a Catalogue<'a>,
        secrets: &'a SecretDigests,
        key: &'a ChecksumKey,
    ) -> Self {
        Self {
            catalogue,
            secrets,
            key,
            accounts: BTreeMap::new(),
            entries: BTreeMap::new(),
            sealed: BTreeMap::new(),
            tables: BTreeMap::new(),
            whole: BTreeMap::new(),
        }
    }

    /// Adds what a reference from `namespace` reads.
    pub(super) fn collect(
        &mut self,
        namespace: &str,
        reference: &Reference<'a>,
        into: &mut BTreeSet<Item<'a>>,
    ) {
        if reference.what == What::Secret && self.sealed_now(namespace, reference, into) {
            return;
        }
        let catalogue = self.catalogue;
        for number in catalogue.meant(reference.what, namespace, reference.name) {
            let Some(object) = catalogue.object(number) else { continue };
            match (object.group, object.kind, reference.what) {
                ("", "ServiceAccount", _) => self.account(number, object, into),
                ("", "ConfigMap", _) => self.config_map(number, object, &reference.keys, into),
                (ESO, _, _) => self.external_secret(number, object, &reference.keys, into),
                (SEALED, _, _) => self.sealed_secret(number, object, &reference.keys, into),
                (STORE_CSI, _, What::Secret) => self.synced_secret(number, object, reference, into),
                (STORE_CSI, _, _) => {
                    let digest = self.provider_class(number, object);
                    into.insert(item("SecretProviderClass", object, "", digest));
                }
                _ => {}
            }
        }
    }

    /// The values of a Secret that this run sealed; `false` where it did not.
    fn sealed_now(
        &mut self,
        namespace: &str,
        reference: &Reference<'a>,
        into: &mut BTreeSet<Item<'a>>,
    ) -> bool {
        let Some(((namespace, name), items)) =
            self.secrets.get_key_value(&(namespace.into(), reference.name.into()))
        else {
            return false;
        };
        let mut add = |key, digest| into.insert(Item { source: "Secret", namespace, name, key, digest });
        match &reference.keys {
            Keys::All => {
                let key = self.key;
                let whole = self.sealed.entry((namespace, name)).or_insert_with(|| {
                    let parts: Vec<&[u8]> =
                        items.iter().flat_map(|(key, digest)| [key.as_bytes(), digest.bytes()]).collect();
                    key.digest("annotate/sealed", &parts)
                });
                add("", *whole);
            }
            Keys::Only(keys) => {
                for (key, digest) in keys.iter().filter_map(|key| items.get_key_value(*key)) {
                    add(key, *digest);
                }
            }
        }
        true
    }

    /// The Secrets with which a service account pulls images.
    fn account(&mut self, number: usize, object: &Object<'a>, into: &mut BTreeSet<Item<'a>>) {
        if !self.accounts.contains_key(&number) {
            let mut pulled = BTreeSet::new();
            for name in self.catalogue.pull_secrets(object.namespace, object.name) {
                let pull = Reference { what: What::Secret, name, keys: Keys::All, optional: true };
                self.collect(object.namespace, &pull, &mut pulled);
            }
            let digest = (!pulled.is_empty()).then(|| combined(self.key, "annotate/account", &pulled));
            self.accounts.insert(number, digest);
        }
        if let Some(digest) = self.accounts.get(&number).copied().flatten() {
            into.insert(item("ServiceAccount", object, "", digest));
        }
    }

    fn config_map(
        &mut self,
        number: usize,
        object: &Object<'a>,
        keys: &Keys<'a>,
        into: &mut BTreeSet<Item<'a>>,
    ) {
        let fields = ["data", "binaryData"].map(|field| filled(object.manifest.root().get(field)));
        match keys {
            Keys::All if fields.iter().all(Option::is_none) => {}
            Keys::All => {
                let digest = self.whole("ConfigMap", number, &fields);
                into.insert(item("ConfigMap", object, "", digest));
            }
            Keys::Only(keys) => {
                for (field, name) in fields.into_iter().zip(["ConfigMap", "ConfigMap.binaryData"]) {
                    self.entries(name, object, field, "", keys, into);
                }
            }
        }
    }

    fn sealed_secret(
        &mut self,
        number: usize,
        object: &Object<'a>,
        keys: &Keys<'a>,
        into: &mut BTreeSet<Item<'a>>,
    ) {
        let root = object.manifest.root();
        let encrypted = filled(root.at(&["spec", "encryptedData"]));
        // A template may use every item, and `data` is the old form, one ciphertext for all of them.
        let template = filled(root.at(&["spec", "template", "data"]));
        let blob = root.at(&["spec", "data"]);
        let mut templated =
            |key: &&str| template.is_some_and(|template| self.lookup(template, "", key).is_some());
        match keys {
            Keys::Only(keys) if blob.is_none() && !keys.iter().any(&mut templated) => {
                self.entries("SealedSecret", object, encrypted, "", keys, into);
            }
            _ => {
                let digest = self.whole("SealedSecret", number, &[encrypted, template, blob]);
                into.insert(item("SealedSecret", object, "", digest));
            }
        }
    }

    fn external_secret(
        &mut self,
        number: usize,
        object: &Object<'a>,
        keys: &Keys<'a>,
        into: &mut BTreeSet<Item<'a>>,
    ) {
        let root = object.manifest.root();
        let of = |path: &[&str]| root.at(path);
        let data = of(&["spec", "data"]);
        let template = of(&["spec", "target", "template"]);
        if let (Keys::Only(keys), None) = (keys, template) {
            let asked = keys.iter().filter_map(|key| Some((*key, self.lookup(data?, "secretKey", key)?)));
            let asked: Vec<_> = asked.collect();
            if asked.len() == keys.len() {
                for (key, entry) in asked {
                    let digest = self.entry("ExternalSecret", entry, of(&["spec", "secretStoreRef"]));
                    into.insert(item("ExternalSecret", object, key, digest));
                }
                return;
            }
        }
        let digest = self.external_whole(number, object);
        into.insert(item("ExternalSecret", object, "", digest));
    }

    /// All that decides the values of an `ExternalSecret`, with what its template takes from other objects.
    fn external_whole(&mut self, number: usize, object: &Object<'a>) -> Digest {
        const SOURCE: &str = "ExternalSecret";
        if let Some(digest) = self.whole.get(&(SOURCE, number)) {
            return *digest;
        }
        let root = object.manifest.root();
        let asked = ["secretStoreRef", "data", "dataFrom"].map(|field| root.at(&["spec", field]));
        let made = ["data", "templateFrom", "mergePolicy", "engineVersion"]
            .map(|field| root.at(&["spec", "target", "template", field]));
        let own = self.nodes(SOURCE, &[asked.as_slice(), &made].concat());
        let mut items = BTreeSet::from([item(SOURCE, object, "", own)]);
        for from in root.at(&["spec", "target", "template", "templateFrom"]).map_or(&[][..], Node::items) {
            let name = |field: &str| from.at(&[field, "name"]).and_then(Node::as_str);
            if let Some(name) = name("configMap") {
                let reference = Reference { what: What::ConfigMap, name, keys: Keys::All, optional: false };
                self.collect(object.namespace, &reference, &mut items);
            }
            if let Some(name) = name("secret") {
                // Not one that another `ExternalSecret` makes: they could go round in a circle.
                let reference = Reference { what: What::Secret, name, keys: Keys::All, optional: false };
                self.sealed_now(object.namespace, &reference, &mut items);
            }
        }
        let digest = combined(self.key, "annotate/external", &items);
        self.whole.insert((SOURCE, number), digest);
        digest
    }

    /// A Secret that the CSI driver makes from what it mounts.
    fn synced_secret(
        &mut self,
        number: usize,
        object: &Object<'a>,
        reference: &Reference<'a>,
        into: &mut BTreeSet<Item<'a>>,
    ) {
        let made = object.manifest.root().at(&["spec", "secretObjects"]);
        let data = made
            .and_then(|made| self.lookup(made, "secretName", reference.name))
            .and_then(|secret| secret.get("data"));
        match &reference.keys {
            Keys::All => {
                if let Some(data) = data {
                    let digest = self.entry("SecretProviderClass.data", data, None);
                    into.insert(item("SecretProviderClass.data", object, reference.name, digest));
                }
            }
            Keys::Only(keys) => self.entries("SecretProviderClass.data", object, data, "key", keys, into),
        }
        let digest = self.provider_class(number, object);
        into.insert(item("SecretProviderClass", object, "", digest));
    }

    /// What the CSI driver mounts.
    fn provider_class(&mut self, number: usize, object: &Object<'a>) -> Digest {
        let root = object.manifest.root();
        let parts = ["provider", "parameters"].map(|field| root.at(&["spec", field]));
        self.whole("SecretProviderClass", number, &parts)
    }

    /// Adds those entries of a mapping, or items of a list with a key in `field`, that exist.
    fn entries(
        &mut self,
        source: &'static str,
        object: &Object<'a>,
        node: Option<&'a Node>,
        field: &str,
        keys: &[&'a str],
        into: &mut BTreeSet<Item<'a>>,
    ) {
        let Some(node) = node else { return };
        for key in keys {
            if let Some(value) = self.lookup(node, field, key) {
                let digest = self.entry(source, value, None);
                into.insert(item(source, object, key, digest));
            }
        }
    }

    /// The digest of one entry, with what else in its object decides it.
    fn entry(&mut self, source: &str, entry: &Node, with: Option<&Node>) -> Digest {
        let at = std::ptr::from_ref(entry);
        if let Some(digest) = self.entries.get(&at) {
            return *digest;
        }
        let digest = self.nodes(source, &[Some(entry), with]);
        self.entries.insert(at, digest);
        digest
    }

    /// The entry of a mapping, or the item of a list whose `field` is `key`.
    fn lookup(&mut self, node: &'a Node, field: &str, key: &str) -> Option<&'a Node> {
        let table = self.tables.entry(std::ptr::from_ref(node)).or_insert_with(|| match &node.value {
            Value::Mapping(mapping) => {
                mapping.entries().iter().map(|entry| (entry.key.as_str(), &entry.value)).collect()
            }
            _ => node.items().iter().filter_map(|item| Some((item.get(field)?.as_str()?, item))).collect(),
        });
        table.get(key).copied()
    }

    fn whole(&mut self, source: &'static str, number: usize, parts: &[Option<&Node>]) -> Digest {
        if let Some(digest) = self.whole.get(&(source, number)) {
            return *digest;
        }
        let digest = self.nodes(source, parts);
        self.whole.insert((source, number), digest);
        digest
    }

    fn nodes(&self, source: &str, parts: &[Option<&Node>]) -> Digest {
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

/// One digest for a set of items.
pub(super) fn combined(key: &ChecksumKey, label: &str, items: &BTreeSet<Item<'_>>) -> Digest {
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

const fn item<'a>(source: &'a str, object: &Object<'a>, key: &'a str, digest: Digest) -> Item<'a> {
    Item { source, namespace: object.namespace, name: object.name, key, digest }
}

/// A mapping that holds something.
fn filled(node: Option<&Node>) -> Option<&Node> {
    node.filter(|node| node.as_mapping().is_some_and(|mapping| !mapping.is_empty()))
}

/// An injective encoding in which the order of keys does not count. Its depth is that of the tree, which the reader
/// bounds.
fn encode(node: &Node, into: &mut Vec<u8>) {
    match &node.value {
        Value::Bool(flag) => into.extend([b'b', u8::from(*flag)]),
        Value::Mapping(mapping) => encode_mapping(mapping, into),
        Value::Null => into.push(b'n'),
        Value::Number(Number::Float(float)) => prefixed(b'f', &float.to_bits().to_be_bytes(), into),
        Value::Number(Number::Int(int)) => prefixed(b'i', &int.to_be_bytes(), into),
        Value::Number(Number::Uint(uint)) => prefixed(b'u', &uint.to_be_bytes(), into),
        Value::Sequence(items) => {
            prefixed(b'l', &(items.len() as u64).to_be_bytes(), into);
            for item in items {
                encode(item, into);
            }
        }
        Value::String(text) => prefixed(b's', text.as_bytes(), into),
    }
}

fn encode_mapping(mapping: &Mapping, into: &mut Vec<u8>) {
    let mut entries: Vec<_> = mapping.entries().iter().collect();
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    prefixed(b'm', &(entries.len() as u64).to_be_bytes(), into);
    for entry in entries {
        prefixed(b'k', entry.key.as_bytes(), into);
        encode(&entry.value, into);
    }
}

fn prefixed(tag: u8, bytes: &[u8], into: &mut Vec<u8>) {
    into.push(tag);
    into.extend((bytes.len() as u64).to_be_bytes());
    into.extend(bytes);
}
