//! JSON documents of plans and reports.

use serde::Serialize;

/// Returns a value as an indented JSON document, with a line break at the end.
#[must_use]
pub fn json_document(value: &impl Serialize) -> Vec<u8> {
    // The keys of reports are strings, so they are always JSON.
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
