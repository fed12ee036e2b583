//! Built-in definitions of common custom resources, in the format that `scripts/definitions` writes and documents: an
//! index of kinds and releases, and single definitions as trees.
//!
//! Only the stream of the requested kind's project is decompressed. Every access is checked: corrupt bytes yield no
//! definition, never a panic.

use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::life::{api_version, rank};
use super::resource_scope::ResourceScope;
use sealwave_core::document::{Node, Origin, Sources};
use sealwave_core::text::closest_name;

const BYTES: &[u8] = include_bytes!("definitions.bin");
const MAGIC: &[u8] = b"SWD1";
/// Maximum size of a decompressed stream, in bytes.
const MAX_STREAM: usize = 1 << 20;
/// Maximum number of schemas of one definition.
const MAX_SCHEMAS: usize = 100_000;
/// Maximum length of a kind that is compared with others, in bytes.
const MAX_KIND: usize = 100;

/// A release of a project and the kinds that it defines.
#[derive(Debug)]
pub struct PackedRelease {
    /// The project's name.
    pub project: String,
    /// The release, without a `v`.
    pub release: String,
    /// The kinds, in the order of their definitions' names.
    pub kinds: Vec<PackedKind>,
    stream: &'static [u8],
}

/// A kind with a built-in definition.
#[derive(Debug)]
pub struct PackedKind {
    /// The group.
    pub group: String,
    /// The name.
    pub kind: String,
    /// The scope of its objects.
    pub scope: ResourceScope,
    /// The versions that the release serves.
    pub served: Vec<String>,
}

/// A built-in definition.
#[derive(Clone, Copy, Debug)]
pub struct PackedDefinition {
    /// The release.
    pub release: &'static PackedRelease,
    /// The kind.
    pub kind: &'static PackedKind,
    number: usize,
}

#[derive(Deserialize)]
struct IndexEntry {
    project: String,
    release: String,
    bytes: usize,
    kinds: Vec<(String, String, u8, Vec<String>)>,
}

#[derive(Deserialize)]
struct PackedStream {
    nodes: Vec<Json>,
    kinds: Vec<Json>,
}

impl PackedRelease {
    /// Returns all releases, sorted by project.
    #[must_use]
    pub fn all() -> &'static [Self] {
        static ALL: OnceLock<Vec<PackedRelease>> = OnceLock::new();
        ALL.get_or_init(|| releases(BYTES).unwrap_or_default())
    }
}

impl PackedDefinition {
    /// Finds the definition of a kind.
    #[must_use]
    pub fn find(group: &str, kind: &str) -> Option<Self> {
        let all = PackedRelease::all().iter();
        all.flat_map(|release| {
            release.kinds.iter().enumerate().map(move |(number, own)| (release, number, own))
        })
        .find(|(_, _, own)| own.kind == kind && own.group == group)
        .map(|(release, number, kind)| Self { release, kind, number })
    }

    /// Returns the preferred `apiVersion` and name of a kind in the same group with a similar name.
    #[must_use]
    pub fn similar(group: &str, kind: &str) -> Option<(String, String)> {
        let kinds = || {
            PackedRelease::all().iter().flat_map(|release| &release.kinds).filter(|own| own.group == group)
        };
        let similar =
            (kind.len() <= MAX_KIND).then(|| closest_name(kind, kinds().map(|own| own.kind.as_str())))??;
        let own = kinds().find(|own| own.kind == similar)?;
        Some((own.preferred()?, own.kind.clone()))
    }

    /// Returns the definition as an object, or `None` if the pack is corrupt, which a test rules out.
    #[must_use]
    pub fn object(&self) -> Option<Node> {
        let inflated =
            miniz_oxide::inflate::decompress_to_vec_with_limit(self.release.stream, MAX_STREAM).ok()?;
        let PackedStream { nodes, mut kinds } = serde_json::from_slice(&inflated).ok()?;
        let mut spec = kinds.get_mut(self.number)?.take();
        let mut left = MAX_SCHEMAS;
        for version in spec.get_mut("versions")?.as_array_mut()? {
            if let Some(schema) = version.get_mut("schema") {
                let whole = schema_at(&nodes, schema, nodes.len(), &mut left)?;
                *schema = json!({"openAPIV3Schema": whole});
            }
        }
        let name = format!("{}.{}", spec.pointer("/names/plural")?.as_str()?, self.kind.group);
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": name},
            "spec": spec,
        });
        let source = Sources::default().add(&name);
        Some(Node::from_json(&definition, Origin::whole(source)))
    }
}

impl PackedKind {
    /// Returns the preferred `apiVersion`.
    #[must_use]
    pub fn preferred(&self) -> Option<String> {
        let version = self.served.iter().max_by_key(|version| rank(version))?;
        Some(api_version(&self.group, version))
    }

    /// Returns whether a version is less stable, or older, than another one that the release serves.
    #[must_use]
    pub fn is_superseded(&self, version: &str) -> bool {
        rank(version) > (0, 0, 0) && self.served.iter().any(|served| rank(served) > rank(version))
    }
}

fn releases(bytes: &'static [u8]) -> Option<Vec<PackedRelease>> {
    let (length, rest) = bytes.strip_prefix(MAGIC)?.split_first_chunk()?;
    let (index, mut streams) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    let index: Vec<IndexEntry> = serde_json::from_slice(index).ok()?;
    let release = |entry: IndexEntry| {
        let (stream, rest) = streams.split_at_checked(entry.bytes)?;
        streams = rest;
        let kind = |(group, kind, cluster, served)| PackedKind {
            group,
            kind,
            scope: if cluster == 0 { ResourceScope::Namespaced } else { ResourceScope::Cluster },
            served,
        };
        let kinds = entry.kinds.into_iter().map(kind).collect();
        Some(PackedRelease { project: entry.project, release: entry.release, kinds, stream })
    };
    index.into_iter().map(release).collect()
}

/// Expands the schema of a number below `before`. Each refers only to earlier ones, so this terminates.
fn schema_at(nodes: &[Json], number: &Json, before: usize, left: &mut usize) -> Option<Json> {
    let number = usize::try_from(number.as_u64()?).ok().filter(|number| *number < before)?;
    *left = left.checked_sub(1)?;
    let mut expand_child = |node: &Json| schema_at(nodes, node, number, left);
    let mut schema = Map::new();
    for (keyword, value) in nodes.get(number)?.as_object()? {
        let value = match (keyword.as_str(), value) {
            ("properties", Json::Object(fields)) => {
                let written = fields.iter().map(|(name, node)| Some((name.clone(), expand_child(node)?)));
                Json::Object(written.collect::<Option<_>>()?)
            }
            ("allOf" | "anyOf" | "oneOf", Json::Array(all)) => {
                Json::Array(all.iter().map(&mut expand_child).collect::<Option<_>>()?)
            }
            ("additionalProperties" | "items" | "not", Json::Number(_)) => expand_child(value)?,
            _ => value.clone(),
        };
        schema.insert(keyword.clone(), value);
    }
    Some(Json::Object(schema))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{KubeVersion, Schemas};

    fn definitions() -> impl Iterator<Item = PackedDefinition> {
        let kinds = |release: &'static PackedRelease| release.kinds.iter();
        PackedRelease::all()
            .iter()
            .flat_map(kinds)
            .map(|kind| PackedDefinition::find(&kind.group, &kind.kind).expect("each kind is found"))
    }

    #[test]
    fn every_definition_is_sound() {
        assert!(BYTES.len() <= 80_000, "{} bytes", BYTES.len());
        assert_eq!(releases(BYTES).expect("a sound index").len(), PackedRelease::all().len());
        let streams: usize = PackedRelease::all().iter().map(|release| release.stream.len()).sum();
        let head = BYTES.first_chunk::<8>().expect("a header");
        let index =
            usize::try_from(u32::from_le_bytes([head[4], head[5], head[6], head[7]])).expect("a length");
        assert_eq!(8 + index + streams, BYTES.len(), "the streams end the file");
        let mut count = 0;
        for definition in definitions() {
            let PackedKind { group, kind, scope, served } = definition.kind;
            let object = definition.object().expect("a sound stream");
            let mut schemas = Schemas::new(KubeVersion::NEWEST);
            let report = schemas.add_crd(&object);
            assert!(report.faults.is_empty(), "{kind}: {:?}", report.faults);
            assert_eq!(report.kind, Some((group.clone(), kind.clone())));
            assert_eq!(schemas.scope(group, kind), Some(*scope));
            assert!(served.iter().all(|version| schemas.kind(group, version, kind).is_some()), "{kind}");
            count += 1;
        }
        assert!(count >= 85, "only {count} kinds");
    }

    #[test]
    fn kinds_are_found_with_their_metadata() {
        let find = |group: &str, kind: &str| PackedDefinition::find(group, kind);
        let secret = find("external-secrets.io", "ExternalSecret").expect("packed");
        assert_eq!(
            (secret.release.project.as_str(), secret.kind.served.join(" ")),
            ("External Secrets", "v1".into())
        );
        assert_eq!(secret.kind.preferred().as_deref(), Some("external-secrets.io/v1"));
        assert!(secret.kind.is_superseded("v1beta1") && secret.kind.is_superseded("v1alpha1"));
        assert!(
            !secret.kind.is_superseded("v2")
                && !secret.kind.is_superseded("v1")
                && !secret.kind.is_superseded("x")
        );
        let store = find("external-secrets.io", "ClusterSecretStore").expect("packed");
        assert_eq!(store.kind.scope, ResourceScope::Cluster);
        assert!(
            find("example.com", "ExternalSecret").is_none()
                && find("external-secrets.io", "Secret").is_none()
        );
        assert_eq!(
            PackedDefinition::similar("external-secrets.io", "ExternalSecrets"),
            Some(("external-secrets.io/v1".to_owned(), "ExternalSecret".to_owned()))
        );
        assert_eq!(PackedDefinition::similar("external-secrets.io", &"E".repeat(1000)), None);
        assert_eq!(PackedDefinition::similar("example.com", "ExternalSecrets"), None);
    }

    #[test]
    fn corrupt_bytes_never_panic() {
        let mut state = 11_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap()
        };
        for round in 0..60 {
            let mut bytes = BYTES.to_vec();
            for _ in 0..=round % 7 {
                let at = random() % if round % 2 == 0 { 40 } else { bytes.len() };
                bytes[at] = random().to_le_bytes()[0];
            }
            if round % 3 == 0 {
                bytes.truncate(random() % bytes.len());
            }
            let all: &'static [PackedRelease] =
                releases(Box::leak(bytes.into_boxed_slice())).unwrap_or_default().leak();
            for release in all {
                if let Some(kind) = release.kinds.first() {
                    let _ = PackedDefinition { release, kind, number: 0 }.object();
                }
            }
        }
        let node = |text: &str| serde_json::from_str::<Json>(text).unwrap();
        let nodes = [node(r#"{"items": 1}"#), node(r#"{"items": 0}"#)];
        assert_eq!(schema_at(&nodes, &json!(1), 2, &mut 100), None, "a node that refers to a later one");
        let mut doubling: Vec<Json> = vec![json!({})];
        for last in 0..40 {
            doubling.push(json!({"allOf": [last, last]}));
        }
        assert_eq!(schema_at(&doubling, &json!(40), 41, &mut 1000), None, "more schemas than the bound");
    }
}
