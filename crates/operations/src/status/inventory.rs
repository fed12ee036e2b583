//! The Secrets that the objects of an environment create, with their sources and users.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use sealwave_core::document::{Manifest, SourceLocation, Sources};
use sealwave_core::names::{RESEALED, SEALED_FOR};
use sealwave_kube::catalog::{CatalogObject, ObjectCatalog, ObjectIndex};
use sealwave_kube::pods::{self, ReferencedKind, WorkloadKind};
use sealwave_pipeline::PlaceholderUse;
use sealwave_secrets::SealingScope;
use sealwave_secrets::resealed::{ResealRecord, SealedItemId};

use super::history::CommittedItem;

/// A Secret that an environment creates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundSecret {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The kinds of the objects that create it.
    pub created_by: Vec<String>,
    /// The references in its items, without values.
    pub sources: Vec<String>,
    /// The versions that the sources returned, by reference; empty if nothing was fetched.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub versions: BTreeMap<String, String>,
    /// The workloads that use it, as `Kind/name`.
    pub users: Vec<String>,
    /// The fingerprint of the certificate that its items are sealed with, if they are committed.
    pub certificate: Option<String>,
    /// The file of the object.
    pub file: String,
    /// The line in the file.
    pub line: u32,
    /// Its items whose ciphertexts are in the work tree only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uncommitted: Vec<String>,
    /// Its sealed items in the work tree; empty if the items are not sealed there.
    #[serde(skip)]
    pub sealed_items: Vec<CommittedItem>,
}

/// Finds the Secrets among the rendered objects of an environment.
#[must_use]
pub fn find_secrets(
    objects: &[Manifest],
    uses: &[(ObjectIndex, PlaceholderUse)],
    workloads: &[WorkloadKind],
    sources: &Sources,
) -> Vec<FoundSecret> {
    let catalog = ObjectCatalog::new(objects);
    let users_by_secret = users(objects, workloads);
    let mut references: BTreeMap<(&str, &str), BTreeSet<String>> = BTreeMap::new();
    for (_, used) in uses {
        let secret = (used.secret.namespace.as_str(), used.secret.name.as_str());
        references.entry(secret).or_default().insert(used.reference.to_string());
    }
    let found = catalog.supplied().filter_map(|((namespace, name), suppliers)| {
        let creators: Vec<&CatalogObject<'_>> =
            suppliers.iter().filter_map(|index| catalog.object(*index)).collect();
        let first = creators.first()?;
        let SourceLocation { path, line, .. } = sources.location(first.manifest.origin());
        let of = |set: Option<&BTreeSet<String>>| set.into_iter().flatten().cloned().collect();
        Some(FoundSecret {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            created_by: creators.iter().map(|object| object.kind.to_owned()).collect(),
            sources: of(references.get(&(namespace, name))),
            versions: BTreeMap::new(),
            users: of(users_by_secret.get(&(namespace, name))),
            certificate: creators
                .iter()
                .find_map(|object| object.manifest.annotation(SEALED_FOR))
                .and_then(fingerprint),
            file: path,
            line,
            uncommitted: Vec::new(),
            sealed_items: creators.iter().flat_map(|object| sealed_items(object)).collect(),
        })
    });
    found.collect()
}

/// Returns the sealed items of a committed SealedSecret.
fn sealed_items(object: &CatalogObject<'_>) -> Vec<CommittedItem> {
    if object.kind != "SealedSecret" {
        return Vec::new();
    }
    let record = object.manifest.annotation(RESEALED).and_then(|text| ResealRecord::parse(text).ok());
    let record = record.unwrap_or_default();
    let scope = SealingScope::from_annotation_map(object.manifest.annotations());
    let entries = object.manifest.root().entries_at(&["spec", "encryptedData"]).iter();
    let items = entries.filter_map(|entry| {
        let ciphertext = entry.value.as_str()?;
        let id = SealedItemId { namespace: object.namespace, name: object.name, scope, key: &entry.key };
        let digest = record.original(&id, ciphertext);
        Some(CommittedItem { key: entry.key.to_string(), digest, ciphertext: ciphertext.to_owned() })
    });
    items.collect()
}

/// Returns a fingerprint if the annotation has the form of one; anyone can write anything there.
fn fingerprint(text: &str) -> Option<String> {
    let digits = text.strip_prefix("sha256:")?;
    let is_digest = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_digest.then(|| text.to_owned())
}

/// Returns the workloads that use each Secret.
fn users<'a>(
    objects: &'a [Manifest],
    workloads: &'a [WorkloadKind],
) -> BTreeMap<(&'a str, &'a str), BTreeSet<String>> {
    let mut users: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for object in objects {
        let Ok(Some(template)) = pods::pod_template(object, workloads) else { continue };
        let references = pods::references(template.spec).into_iter();
        for reference in references.filter(|reference| reference.kind == ReferencedKind::Secret) {
            let user = format!("{}/{}", object.kind(), object.name());
            users.entry((object.namespace(), reference.name)).or_default().insert(user);
        }
    }
    users
}
