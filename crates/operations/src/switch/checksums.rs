//! Checksums of workloads before and after a change of the backend, from the output of `generate`.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use sealwave_secrets::settings::{ChecksumText, KeptChecksum};

/// The annotation of pod templates.
const SECRET: &str = "checksum/secret";

/// The deepest nesting that is searched for pod templates.
const MAX_DEPTH: usize = 20;

/// Returns the checksums of Secrets of all workloads in an output of JSON documents, by `Kind/namespace/name`.
#[must_use]
pub fn secret_checksums(output: &[u8]) -> BTreeMap<String, ChecksumText> {
    let objects = serde_json::Deserializer::from_slice(output).into_iter::<Json>();
    let found = objects.filter_map(|object| {
        let object = object.ok()?;
        let text = checksum_in(object.get("spec")?, 0)?;
        let field = |path: &str| object.pointer(path).and_then(Json::as_str).unwrap_or_default();
        let id = [field("/kind"), field("/metadata/namespace"), field("/metadata/name")].join("/");
        Some((id, text))
    });
    found.collect()
}

/// Returns the checksum of a pod template below a node.
fn checksum_in(node: &Json, depth: usize) -> Option<ChecksumText> {
    if depth > MAX_DEPTH {
        return None;
    }
    let fields = node.as_object()?;
    let own = fields.get("metadata").and_then(|metadata| metadata.get("annotations")?.get(SECRET));
    own.and_then(Json::as_str)
        .and_then(ChecksumText::parse)
        .or_else(|| fields.values().find_map(|field| checksum_in(field, depth + 1)))
}

/// Pairs the checksums that pods have with those that are computed after the change. Workloads without a difference need
/// no entry, and neither do new ones.
#[must_use]
pub fn kept_checksums(
    present: &BTreeMap<String, ChecksumText>,
    computed: BTreeMap<String, ChecksumText>,
) -> BTreeMap<String, KeptChecksum> {
    let pairs = computed.into_iter().filter_map(|(workload, computed)| {
        let kept = present.get(&workload).filter(|kept| **kept != computed)?.clone();
        Some((workload, KeptChecksum { computed, kept }))
    });
    pairs.collect()
}
