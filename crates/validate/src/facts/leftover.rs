//! Text in objects that another tool should have decrypted or replaced.

use crate::facts::secret_items::is_encrypted;
use sealwave_core::document::{Manifest, Node, Origin};
use sealwave_kube::undecrypted_sops_block;

/// Returns the positions in an object that only exist because SOPS encrypted it.
pub(crate) fn encrypted_by_sops(object: &Manifest) -> Vec<Origin> {
    let positions = undecrypted_sops_block(object).into_iter().flat_map(|block| {
        let is_encrypted = |value: &&Node| value.as_str().is_some_and(is_encrypted);
        let values = values(object).map(|(_, value)| value).filter(is_encrypted);
        std::iter::once(block.key_origin).chain(values.map(|value| value.origin))
    });
    positions.collect()
}

/// Iterates over the items of a ConfigMap or a Secret.
pub(crate) fn values(object: &Manifest) -> impl Iterator<Item = (&str, &Node)> {
    let root = object.root();
    ["data", "stringData"]
        .into_iter()
        .filter_map(|field| root.get(field)?.as_mapping())
        .flat_map(|mapping| mapping.entries().iter().map(|entry| (entry.key.as_str(), &entry.value)))
}

/// Returns whether a string consists of a variable.
pub(crate) fn is_variable(text: &str) -> bool {
    let text = text.trim();
    let between = |before, after| text.strip_prefix(before)?.strip_suffix(after);
    between("${", "}").is_some_and(is_variable_name) || between("{{", "}}").is_some_and(is_template_path)
}

/// Returns whether a string is `NAME`, optionally with a default as in Flux: `NAME:=default`.
fn is_variable_name(text: &str) -> bool {
    let name = text.split_once(":=").or_else(|| text.split_once(":-")).map_or(text, |(name, _)| name);
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_template_path(text: &str) -> bool {
    text.trim().trim_matches('-').trim().starts_with(".Values.")
}
