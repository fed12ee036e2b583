//! The items of a Secret, as far as they are known.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::rules::Object;
use sealwave_core::document::{Entry, Node};
use sealwave_core::names::{AVP_PATH, item_called};
use sealwave_secrets::placeholder::Text;

/// As Go's `encoding/base64.StdEncoding`.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// One item.
pub(super) struct Item<'a> {
    /// Key and value as they are written.
    pub(super) entry: &'a Entry,
    /// `data` or `stringData`.
    pub(super) field: &'static str,
    /// What it stands for.
    pub(super) content: Content<'a>,
}

/// What an item stands for.
pub(super) enum Content<'a> {
    /// `data` that is no base64.
    Broken,
    /// These bytes.
    Plain(Cow<'a, [u8]>),
    /// Something with placeholders in it, or encrypted.
    Unknown,
}

impl<'a> Item<'a> {
    /// The text of an item that is known, and is text.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Plain(bytes) => std::str::from_utf8(bytes).ok(),
            Content::Broken | Content::Unknown => None,
        }
    }

    /// The bytes of an item that is known.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Plain(bytes) => Some(bytes),
            Content::Broken | Content::Unknown => None,
        }
    }

    /// Its key.
    pub(super) fn key(&self) -> &'a str {
        &self.entry.key
    }

    /// What a message calls it.
    pub(super) fn called(&self) -> String {
        item_called(&self.entry.key)
    }

    /// The value as it is written.
    pub fn written(&self) -> &'a str {
        self.entry.value.as_str().unwrap_or_default()
    }
}

/// The items of an object that is a Secret, those with strings; none of any other object.
pub(super) fn items<'a>(object: &Object<'a>) -> Vec<Item<'a>> {
    if !object.is("", "Secret") {
        return Vec::new();
    }
    let root = object.manifest.root();
    let generic = object.manifest.annotation(AVP_PATH).is_some();
    let mut items = Vec::new();
    for (field, encoded) in [("data", true), ("stringData", false)] {
        for entry in entries(root, field) {
            if let Some(text) = entry.value.as_str() {
                items.push(Item { entry, field, content: content(text, encoded, generic) });
            }
        }
    }
    items
}

/// The entries of a mapping below the root.
pub(super) fn entries<'a>(root: &'a Node, field: &str) -> &'a [Entry] {
    root.get(field).and_then(Node::as_mapping).map_or(&[], |mapping| mapping.entries())
}

fn content(text: &str, encoded: bool, generic: bool) -> Content<'_> {
    if is_encrypted(text) || holds_placeholder(text, generic) {
        return Content::Unknown;
    }
    if !encoded {
        return Content::Plain(Cow::Borrowed(text.as_bytes()));
    }
    let Some(bytes) = decode(text) else { return Content::Broken };
    match std::str::from_utf8(&bytes) {
        Ok(decoded) if holds_placeholder(decoded, generic) => Content::Unknown,
        _ => Content::Plain(Cow::Owned(bytes)),
    }
}

/// Whether SOPS encrypted a value.
pub(super) fn is_encrypted(text: &str) -> bool {
    text.starts_with("ENC[AES256_GCM,")
}

/// Whether something in brackets would be replaced, or would have been had it been written well.
fn holds_placeholder(text: &str, generic: bool) -> bool {
    let Some(at) = memchr::memchr(b'<', text.as_bytes()) else { return false };
    generic && memchr::memrchr(b'>', text.as_bytes()).is_some_and(|end| end > at)
        || Text::parse(text).map_or(true, |text| !text.is_literal())
}

/// Base64 as Kubernetes reads it: with line breaks in it, not with spaces.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    if memchr::memchr2(b'\n', b'\r', text.as_bytes()).is_none() {
        return BASE64.decode(text).ok();
    }
    BASE64.decode(text.replace(['\n', '\r'], "")).ok()
}
