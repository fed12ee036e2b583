//! The Secrets that the objects of an environment create, with their sources and users.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use sealwave_core::document::{Manifest, SourceLocation, Sources};
use sealwave_core::names::SEALED_FOR;
use sealwave_kube::catalog::{CatalogObject, ObjectCatalog, ObjectIndex};
use sealwave_kube::pods::{self, ReferencedKind, WorkloadKind};
use sealwave_pipeline::PlaceholderUse;

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
    /// Whether its sealed items are committed.
    #[serde(skip)]
    pub is_sealed_in_git: bool,
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
    let users = users(objects, workloads);
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
            users: of(users.get(&(namespace, name))),
            certificate: creators
                .iter()
                .find_map(|object| object.manifest.annotation(SEALED_FOR))
                .and_then(fingerprint),
            file: path,
            line,
            is_sealed_in_git: creators.iter().any(|object| object.kind == "SealedSecret"),
        })
    });
    found.collect()
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
