//! The items of a Secret, decoded as far as possible.

use std::borrow::Cow;

use base64::Engine as _;

use crate::rules::CheckedObject;
use sealwave_core::document::{MappingEntry, Node};
use sealwave_core::encoding::GO_BASE64;
use sealwave_core::names::{AVP_PATH, item_label};
use sealwave_secrets::placeholder::PlaceholderText;

/// An item of a Secret.
pub(super) struct SecretItem<'a> {
    /// Key and value as written.
    pub(super) entry: &'a MappingEntry,
    /// The field with the item: `data` or `stringData`.
    pub(super) field: &'static str,
    /// Decoded content.
    pub(super) content: SecretContent<'a>,
}

/// Decoded content of an item.
pub(super) enum SecretContent<'a> {
    /// `data` that is not base64.
    Broken,
    /// Known bytes.
    Plain(Cow<'a, [u8]>),
    /// A value with placeholders, or an encrypted value.
    Unknown,
}

impl<'a> SecretItem<'a> {
    /// Returns the content, if it is known and valid UTF-8.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            SecretContent::Plain(bytes) => std::str::from_utf8(bytes).ok(),
            SecretContent::Broken | SecretContent::Unknown => None,
        }
    }

    /// Returns the content, if it is known.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        match &self.content {
            SecretContent::Plain(bytes) => Some(bytes),
            SecretContent::Broken | SecretContent::Unknown => None,
        }
    }

    /// Returns the key.
    pub(super) fn key(&self) -> &'a str {
        &self.entry.key
    }

    /// Returns the name of the item for messages.
    pub(super) fn display_name(&self) -> String {
        item_label(&self.entry.key)
    }

    /// Returns the value as written.
    pub fn raw_value(&self) -> &'a str {
        self.entry.value.as_str().unwrap_or_default()
    }
}

/// Returns the items with string values of a Secret, or none for other objects.
pub(super) fn items<'a>(object: &CheckedObject<'a>) -> Vec<SecretItem<'a>> {
    if !object.is("", "Secret") {
        return Vec::new();
    }
    let root = object.manifest.root();
    let generic = object.manifest.annotation(AVP_PATH).is_some();
    let mut items = Vec::new();
    for (field, encoded) in [("data", true), ("stringData", false)] {
        for entry in entries(root, field) {
            if let Some(text) = entry.value.as_str() {
                items.push(SecretItem { entry, field, content: content(text, encoded, generic) });
            }
        }
    }
    items
}

/// Returns the entries of a top-level mapping.
pub(super) fn entries<'a>(root: &'a Node, field: &str) -> &'a [MappingEntry] {
    root.get(field).and_then(Node::as_mapping).map_or(&[], |mapping| mapping.entries())
}

fn content(text: &str, encoded: bool, generic: bool) -> SecretContent<'_> {
    if is_encrypted(text) || holds_placeholder(text, generic) {
        return SecretContent::Unknown;
    }
    if !encoded {
        return SecretContent::Plain(Cow::Borrowed(text.as_bytes()));
    }
    let Some(bytes) = decode(text) else { return SecretContent::Broken };
    match std::str::from_utf8(&bytes) {
        Ok(decoded) if holds_placeholder(decoded, generic) => SecretContent::Unknown,
        _ => SecretContent::Plain(Cow::Owned(bytes)),
    }
}

/// Returns whether SOPS encrypted a value.
pub(super) fn is_encrypted(text: &str) -> bool {
    text.starts_with("ENC[AES256_GCM,")
}

/// Returns whether a string contains a placeholder, valid or malformed.
fn holds_placeholder(text: &str, generic: bool) -> bool {
    let Some(at) = memchr::memchr(b'<', text.as_bytes()) else { return false };
    generic && memchr::memrchr(b'>', text.as_bytes()).is_some_and(|end| end > at)
        || PlaceholderText::parse(text).map_or(true, |text| !text.is_literal())
}

/// Decodes base64 as Kubernetes does: line breaks are allowed, spaces are not.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    if memchr::memchr2(b'\n', b'\r', text.as_bytes()).is_none() {
        return GO_BASE64.decode(text).ok();
    }
    GO_BASE64.decode(text.replace(['\n', '\r'], "")).ok()
}
