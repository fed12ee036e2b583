//! Text in objects that another tool should have decrypted or replaced.

use crate::facts::checked_object::CheckedObject;
use crate::facts::secret_items::{SecretItem, decode, is_encrypted, items};
use sealwave_core::document::{Manifest, Node, Origin};
use sealwave_core::names::{AVP_IGNORE, AVP_PATH, LITERAL};
use sealwave_kube::undecrypted_sops_block;
use sealwave_secrets::placeholder::{AvpPath, LookAlike, find_look_alike};

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

/// The form of an item of a Secret that was meant to be replaced.
pub(crate) enum Leftover {
    /// It looks like a placeholder, but is not one.
    LookAlike(LookAlike),
    /// It consists of a variable.
    Variable,
}

/// Returns the items of a Secret that look like placeholders but are not, or that consist of a variable.
pub(crate) fn leftovers<'a>(object: &CheckedObject<'a>) -> impl Iterator<Item = (SecretItem<'a>, Leftover)> {
    let annotation = |name| object.manifest.annotation(name);
    let is_literal = [LITERAL, AVP_IGNORE].iter().any(|name| annotation(name) == Some("true"));
    let generic = annotation(AVP_PATH).and_then(|path| AvpPath::new(path, None).ok());
    items(object).into_iter().filter_map(move |item| {
        let decoded = Some(item.raw_value()).filter(|_| item.field == "data").and_then(decode);
        let decoded = decoded.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
        let text = decoded.unwrap_or_else(|| item.raw_value());
        let look_alike = Some(text).filter(|_| !is_literal);
        let look_alike = look_alike.and_then(|text| find_look_alike(text, generic.as_ref(), &|_| false));
        let found = look_alike
            .map(Leftover::LookAlike)
            .or_else(|| is_variable(text).then_some(Leftover::Variable))?;
        Some((item, found))
    })
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
