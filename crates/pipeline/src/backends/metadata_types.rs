//! Checks that labels and annotations of a Secret are strings. The API server refuses others, but only in the cluster, and in the
//! template of another object, only its controller does.
//!
//! Keys and values may be misplaced secrets: no value is shown, and only what can be a key.

use sealwave_core::diagnostic::Explain;
use sealwave_core::document::{Manifest, Mapping, MappingEntry, NodeValue, Origin};

/// The longest key: a domain, `/`, and a name.
const MAX_KEY: usize = 253 + 1 + 63;

/// A label or an annotation of another type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} must be of type string, not {found}", subject(.field, .key.as_deref()))]
pub(super) struct MetadataTypeError {
    /// `label` or `annotation`.
    field: &'static str,
    key: Option<String>,
    found: &'static str,
    /// The value, if it is a boolean.
    boolean: Option<bool>,
}

fn subject(field: &str, key: Option<&str>) -> String {
    key.map_or_else(|| field.to_owned(), |key| format!("{field} `{key}`"))
}

impl Explain for MetadataTypeError {
    fn hint(&self) -> Option<String> {
        let key = self.key.as_deref().unwrap_or("KEY");
        Some(match self.boolean {
            Some(true) => format!(
                "put it in quotes, for example `{key}: \"true\"`; without, Kubernetes also reads `y`, `yes` and `on` as true"
            ),
            Some(false) => format!(
                "put it in quotes, for example `{key}: \"false\"`; without, Kubernetes also reads `n`, `no` and `off` as false"
            ),
            None => format!("write a text in quotes: `{key}: \"…\"`"),
        })
    }
}

impl MetadataTypeError {
    fn of(field: &'static str, entry: &MappingEntry) -> Option<(Origin, Self)> {
        let boolean = match entry.value.value {
            // The API server reads null as an empty string.
            NodeValue::String(_) | NodeValue::Null => return None,
            NodeValue::Bool(value) => Some(value),
            _ => None,
        };
        let key = Some(entry.key.to_string()).filter(|key| is_shown(key));
        Some((entry.value.origin, Self { field, key, found: entry.value.type_name(), boolean }))
    }
}

fn is_shown(key: &str) -> bool {
    key.len() <= MAX_KEY && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte))
}

/// Finds labels and annotations that are not strings, except for annotations that have a check of their own.
pub(super) fn metadata_type_errors(
    secret: &Manifest,
    has_own_check: impl Fn(&str) -> bool,
) -> Vec<(Origin, MetadataTypeError)> {
    let labels = secret.labels().into_iter().flat_map(Mapping::entries);
    let labels = labels.filter_map(|entry| MetadataTypeError::of("label", entry));
    let annotations = secret.annotations().into_iter().flat_map(Mapping::entries);
    let annotations = annotations.filter(|entry| !has_own_check(&entry.key));
    labels.chain(annotations.filter_map(|entry| MetadataTypeError::of("annotation", entry))).collect()
}
