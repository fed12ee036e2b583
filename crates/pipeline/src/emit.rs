//! The last stage: writes sealed objects as bytes.
//!
//! It accepts only [`SealedApp`] and returns the whole output, so the caller prints all of it or nothing.

use std::cmp::Reverse;

use super::SealedApp;
use sealwave_core::diagnostic::{Explain, Failure, Problem};
use sealwave_core::document::{Manifest, Node, NodeValue};
use sealwave_core::yaml;

/// The maximum size of the output. Argo CD accepts 100 MiB per message, including the message's own overhead.
const MAX_OUTPUT: usize = 90 << 20;

/// The number of objects that the error names.
const MAX_NAMED: usize = 3;

/// The output format of manifests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManifestFormat {
    /// One compact JSON document per line, which Argo CD's two parsers read identically.
    Json,
    /// YAML documents for people.
    Yaml,
}

#[derive(Debug, thiserror::Error)]
enum EmitError {
    #[error("output is larger than {limit} bytes; the largest objects are {}", largest.join(", "))]
    TooLarge { limit: usize, largest: Vec<String> },
}

impl Explain for EmitError {
    fn hint(&self) -> Option<String> {
        Some("split the app; Argo CD takes at most 100 MiB of manifests at once".to_owned())
    }
}

/// Writes all objects in order.
///
/// # Errors
/// The output is larger than Argo CD accepts. It is never buffered beyond that size.
pub fn emit(sealed: &SealedApp, format: ManifestFormat) -> Result<Vec<u8>, Failure> {
    emit_within(sealed.objects(), format, MAX_OUTPUT)
        .map_err(|yaml::OutputFull| Problem::new(&too_large(sealed.objects(), MAX_OUTPUT)).into())
}

fn emit_within(
    objects: &[Manifest],
    format: ManifestFormat,
    limit: usize,
) -> Result<Vec<u8>, yaml::OutputFull> {
    let expected: usize =
        objects.iter().map(|object| content_size(object.root())).fold(0, usize::saturating_add);
    // Line breaks are escaped as two characters.
    let mut out = Vec::with_capacity(expected.saturating_add(expected / 16).min(limit));
    for object in objects {
        let room = limit.saturating_sub(out.len());
        match format {
            ManifestFormat::Json => yaml::write_json_within(object.root(), &mut out, room)?,
            ManifestFormat::Yaml => yaml::write_yaml_within(object.root(), &mut out, room)?,
        }
    }
    Ok(out)
}

fn too_large(objects: &[Manifest], limit: usize) -> EmitError {
    let mut sizes: Vec<(usize, &Manifest)> =
        objects.iter().map(|object| (content_size(object.root()), object)).collect();
    sizes.sort_by_key(|(size, _)| Reverse(*size));
    let describe = |(size, object): &(usize, &Manifest)| format!("{} ({} KiB)", object.id(), size / 1024);
    EmitError::TooLarge { limit, largest: sizes.iter().take(MAX_NAMED).map(describe).collect() }
}

/// Estimates the size of keys and scalars. The readers bound the depth of trees.
fn content_size(node: &Node) -> usize {
    match &node.value {
        NodeValue::Mapping(mapping) => mapping
            .entries()
            .iter()
            .map(|entry| content_size(&entry.value).saturating_add(entry.key.len()).saturating_add(4))
            .fold(2, usize::saturating_add),
        NodeValue::Sequence(items) => {
            items.iter().map(|item| content_size(item).saturating_add(1)).fold(2, usize::saturating_add)
        }
        NodeValue::String(text) => text.len().saturating_add(2),
        NodeValue::Bool(_) | NodeValue::Null | NodeValue::Number(_) => 5,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use sealwave_testkit::manifest;

    #[test]
    fn output_over_the_limit_is_not_written_and_the_error_names_the_largest_objects() {
        let config_map = |name: &str, text: &str| {
            manifest(&json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": text},
            }))
        };
        let objects =
            [config_map("small", "x"), config_map("large", &"y\n".repeat(2000)), config_map("tiny", "")];
        for format in [ManifestFormat::Json, ManifestFormat::Yaml] {
            let whole = emit_within(&objects, format, usize::MAX).unwrap();
            assert_eq!(emit_within(&objects, format, whole.len()), Ok(whole.clone()));
            assert_eq!(emit_within(&objects, format, whole.len() - 1), Err(yaml::OutputFull));
            assert_eq!(emit_within(&objects, format, 100), Err(yaml::OutputFull));
        }
        let error = too_large(&objects, 5000).to_string();
        assert!(error.contains("5000 bytes; the largest objects are ConfigMap `large` (3 KiB)"), "{error}");
    }
}
