//! Last verb: safe objects become bytes.
//!
//! It takes [`Sealed`] and nothing else, and returns the whole output: the caller prints it in one piece or not at all.

use std::cmp::Reverse;

use super::Sealed;
use sealwave_core::diagnostic::{Explain, Failure, Problem};
use sealwave_core::document::{Manifest, Node, Value};
use sealwave_core::yaml;

/// Bytes of the output: Argo CD takes 100 MiB in one message, of which something is left for the message itself.
const MAX_OUTPUT: usize = 90 << 20;

/// How many objects the error names.
const NAMED: usize = 3;

/// How manifests are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One compact JSON document per line: the form that Argo CD's two parsers cannot misread.
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

/// Writes all objects, in their order.
///
/// # Errors
/// They take more than Argo CD accepts; no more memory than that was used for them.
pub fn emit(sealed: &Sealed, format: Format) -> Result<Vec<u8>, Failure> {
    emit_within(sealed.objects(), format, MAX_OUTPUT)
        .map_err(|yaml::OutputFull| Problem::new(&too_large(sealed.objects(), MAX_OUTPUT)).into())
}

fn emit_within(objects: &[Manifest], format: Format, limit: usize) -> Result<Vec<u8>, yaml::OutputFull> {
    let expected: usize = objects.iter().map(|object| content(object.root())).fold(0, usize::saturating_add);
    // Line breaks become two characters.
    let mut out = Vec::with_capacity(expected.saturating_add(expected / 16).min(limit));
    for object in objects {
        let room = limit.saturating_sub(out.len());
        match format {
            Format::Json => yaml::write_json_within(object.root(), &mut out, room)?,
            Format::Yaml => yaml::write_yaml_within(object.root(), &mut out, room)?,
        }
    }
    Ok(out)
}

fn too_large(objects: &[Manifest], limit: usize) -> EmitError {
    let mut sizes: Vec<(usize, &Manifest)> =
        objects.iter().map(|object| (content(object.root()), object)).collect();
    sizes.sort_by_key(|(size, _)| Reverse(*size));
    let named = |(size, object): &(usize, &Manifest)| format!("{} ({} KiB)", object.id(), size / 1024);
    EmitError::TooLarge { limit, largest: sizes.iter().take(NAMED).map(named).collect() }
}

/// Bytes of keys and scalars, roughly. The depth of a tree is bounded by the readers.
fn content(node: &Node) -> usize {
    match &node.value {
        Value::Mapping(mapping) => mapping
            .entries()
            .iter()
            .map(|entry| content(&entry.value).saturating_add(entry.key.len()).saturating_add(4))
            .fold(2, usize::saturating_add),
        Value::Sequence(items) => {
            items.iter().map(|item| content(item).saturating_add(1)).fold(2, usize::saturating_add)
        }
        Value::String(text) => text.len().saturating_add(2),
        Value::Bool(_) | Value::Null | Value::Number(_) => 5,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use sealwave_testkit::manifest;

    #[test]
    fn what_is_too_large_names_the_largest_and_is_not_written() {
        let named = |name: &str, text: &str| {
            manifest(&json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": text},
            }))
        };
        let objects = [named("small", "x"), named("large", &"y\n".repeat(2000)), named("tiny", "")];
        for format in [Format::Json, Format::Yaml] {
            let whole = emit_within(&objects, format, usize::MAX).unwrap();
            assert_eq!(emit_within(&objects, format, whole.len()), Ok(whole.clone()));
            assert_eq!(emit_within(&objects, format, whole.len() - 1), Err(yaml::OutputFull));
            assert_eq!(emit_within(&objects, format, 100), Err(yaml::OutputFull));
        }
        let error = too_large(&objects, 5000).to_string();
        assert!(error.contains("5000 bytes; the largest objects are ConfigMap `large` (3 KiB)"), "{error}");
    }
}
