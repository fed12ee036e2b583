//! Last verb: safe objects become bytes.
//!
//! It takes [`Sealed`] and nothing else, and returns the whole output: the caller prints it in one piece or not at all.

use super::Sealed;
use crate::yaml;

/// How manifests are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One compact JSON document per line: the form that Argo CD's two parsers cannot misread.
    Json,
    /// YAML documents for people.
    Yaml,
}

/// The bytes of all objects, in their order.
#[must_use]
pub fn emit(sealed: &Sealed, format: Format) -> Vec<u8> {
    let mut out = Vec::new();
    for object in sealed.objects() {
        match format {
            Format::Json => yaml::write_json(object.root(), &mut out),
            Format::Yaml => yaml::write_yaml(object.root(), &mut out),
        }
    }
    out
}
