//! The items of a Secret, decoded as far as possible.

use std::borrow::Cow;

use base64::Engine as _;

use crate::facts::checked_object::CheckedObject;
use crate::located::{FindingPlace, ObjectPath};
use sealwave_core::document::{MappingEntry, Node};
use sealwave_core::encoding::GO_BASE64;
use sealwave_core::names::{AVP_PATH, item_label};
use sealwave_secrets::placeholder::PlaceholderText;

/// An item of a Secret.
pub(crate) struct SecretItem<'a> {
    /// Key and value as written.
    pub(crate) entry: &'a MappingEntry,
    /// The field with the item: `data` or `stringData`.
    pub(crate) field: &'static str,
    /// Decoded content.
    pub(crate) content: SecretContent<'a>,
}

/// Decoded content of an item.
pub(crate) enum SecretContent<'a> {
    /// `data` that is not base64.
    Broken,
    /// Known bytes.
    Plain(Cow<'a, [u8]>),
    /// A value with placeholders, or an encrypted value.
    Unknown,
}

impl<'a> SecretItem<'a> {
    /// Returns the content, if it is known and valid UTF-8.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.content {
            SecretContent::Plain(bytes) => std::str::from_utf8(bytes).ok(),
            SecretContent::Broken | SecretContent::Unknown => None,
        }
    }

    /// Returns the content, if it is known.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        match &self.content {
            SecretContent::Plain(bytes) => Some(bytes),
            SecretContent::Broken | SecretContent::Unknown => None,
        }
    }

    /// Returns the key.
    pub(crate) fn key(&self) -> &'a str {
        &self.entry.key
    }

    /// Returns the name of the item for messages.
    pub(crate) fn display_name(&self) -> String {
        item_label(&self.entry.key)
    }

    /// Returns the place of the value.
    pub(crate) fn place(&self) -> FindingPlace {
        let path = ObjectPath::from_keys([self.field, &self.entry.key]);
        FindingPlace::new(self.entry.value.origin, path)
    }

    /// Returns the value as written.
    pub(crate) fn raw_value(&self) -> &'a str {
        self.entry.value.as_str().unwrap_or_default()
    }
}

/// Returns the items with string values of a Secret, or none for other objects.
pub(crate) fn items<'a>(object: &CheckedObject<'a>) -> Vec<SecretItem<'a>> {
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
pub(crate) fn entries<'a>(root: &'a Node, field: &str) -> &'a [MappingEntry] {
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
pub(crate) fn is_encrypted(text: &str) -> bool {
    text.starts_with("ENC[AES256_GCM,")
}

/// Returns whether a string contains a placeholder, valid or malformed.
fn holds_placeholder(text: &str, generic: bool) -> bool {
    let Some(at) = memchr::memchr(b'<', text.as_bytes()) else { return false };
    generic && memchr::memrchr(b'>', text.as_bytes()).is_some_and(|end| end > at)
        || PlaceholderText::parse(text).map_or(true, |text| !text.is_literal())
}

/// Decodes base64 as Kubernetes does: line breaks are allowed, spaces are not.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    if memchr::memchr2(b'\n', b'\r', text.as_bytes()).is_none() {
        return GO_BASE64.decode(text).ok();
    }
    GO_BASE64.decode(text.replace(['\n', '\r'], "")).ok()
}
