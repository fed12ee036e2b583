//! A decrypted file: it is decrypted as a whole and its MAC is verified before values are returned.
//!
//! The MAC is a SHA-512 over all values in order, encrypted with the data key. It does not cover keys (each encrypted
//! value is bound to its own key), comments, or the boundaries between values.

use std::collections::BTreeMap;
use std::convert::Infallible;

use compact_str::CompactString;
use zeroize::Zeroizing;

use super::error::{SopsError, at_line, display_path};
use super::format::{EncryptedFile, SopsFormat};
use super::metadata::SopsMetadata;
use super::value::{self, DecryptionError, PlainValue};
use crate::ProviderError;
use sealwave_core::document::{MappingEntry, Node, NodeValue};
use sealwave_core::yaml::{PlainScalars, is_json_literal, resolve_core};
use sealwave_secrets::crypto::{DataKey, ValuesDigest};
use sealwave_secrets::values::{
    EntriesError, KeyPath, KeyedValue, SecretBuffer, SecretEntries, SecretValue, ValueShape, WalkError,
};

/// The prefix of a digest over only encrypted values: the SHA-256 of `sops`, so that it never equals a digest over all.
const ONLY_ENCRYPTED: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b, 0x0b,
    0x97, 0x5b, 0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

/// A decrypted file.
pub(super) struct SopsDocument {
    format: SopsFormat,
    root: DecryptedNode,
}

/// A decrypted value or collection of values.
enum DecryptedNode {
    Leaf(PlainValue),
    List(Vec<Self>),
    Map(Vec<(CompactString, Self)>),
    Null,
}

impl SopsDocument {
    /// Decrypts all values and checks the MAC.
    pub(super) fn open(
        parsed: &EncryptedFile,
        metadata: &SopsMetadata,
        key: &DataKey,
    ) -> Result<Self, SopsError> {
        let mut digest = ValuesDigest::default();
        if metadata.mac_only_encrypted {
            digest.update(&ONLY_ENCRYPTED);
        }
        let mut decryptor =
            TreeDecryptor { metadata, key, plain: &parsed.plain, digest, path: String::new() };
        let mut root = decryptor.map(&parsed.data, false)?;
        let expected =
            value::decrypt(&metadata.mac, key, &metadata.last_modified).map_err(|_| SopsError::Mac)?;
        if expected.authenticated() != Some(decryptor.digest.finish().as_bytes()) {
            return Err(SopsError::Mac);
        }
        if parsed.format == SopsFormat::Ini {
            root = root.with_sections_joined();
        }
        Ok(Self { format: parsed.format, root })
    }

    /// Returns all top-level keys, each with its value.
    pub(super) fn entries(&self) -> Result<SecretEntries, ProviderError> {
        let mut entries = SecretEntries::default();
        match (self.format, &self.root) {
            (SopsFormat::Binary, _) => return Err(SopsError::NoKeysInBinary.into()),
            (_, DecryptedNode::Map(all)) => {
                for (key, tree) in all {
                    let value = match tree {
                        DecryptedNode::Null => None,
                        tree => Some(tree.bytes()?),
                    };
                    entries.insert(key.to_string(), value)?;
                }
            }
            (_, _) => return Err(EntriesError::NotAnObject.into()),
        }
        Ok(entries)
    }

    /// Returns the value of a key, or the content of a binary file.
    pub(super) fn value(&self, key: Option<&str>) -> Result<SecretValue, SopsError> {
        match (self.format, key) {
            (SopsFormat::Binary, None) => {
                self.root.entry("data").and_then(DecryptedNode::text).ok_or(SopsError::KeyMissing(None))
            }
            (SopsFormat::Binary, Some(_)) => Err(SopsError::NoKeysInBinary),
            (_, None) => Err(SopsError::WholeFile),
            (_, Some(key)) => {
                let path = KeyPath::parse(key).map_err(SopsError::Key)?;
                match path.walk(&self.root) {
                    Ok(tree) => tree.bytes(),
                    Err(WalkError::Missing(step)) => Err(SopsError::KeyMissing(Some(step))),
                    Err(WalkError::Structure(never)) => match never {},
                }
            }
        }
    }
}

/// Decrypts a tree, in the order in which SOPS digests values.
struct TreeDecryptor<'a> {
    metadata: &'a SopsMetadata,
    key: &'a DataKey,
    plain: &'a PlainScalars,
    digest: ValuesDigest,
    /// The keys down to the current node, each followed by `:`; list items add nothing.
    path: String,
}

impl TreeDecryptor<'_> {
    /// Decrypts a mapping; the parsers limit its depth. `named` is set if the rule matches a key on the path.
    fn map(&mut self, encrypted: &[MappingEntry], named: bool) -> Result<DecryptedNode, SopsError> {
        let mut entries = Vec::with_capacity(encrypted.len());
        for entry in encrypted {
            self.check_key(entry)?;
            let length = self.path.len();
            self.path.push_str(&entry.key);
            self.path.push(':');
            let named = named || self.metadata.rule.matches_key(&entry.key);
            if let Some(tree) = self.tree(&entry.value, named)? {
                entries.push((entry.key.clone(), tree));
            }
            self.path.truncate(length);
        }
        Ok(DecryptedNode::Map(entries))
    }

    /// Rejects keys that are not strings, as SOPS does; `<<` is a string to it.
    fn check_key(&self, entry: &MappingEntry) -> Result<(), SopsError> {
        let is_null = || matches!(entry.key.as_str(), "" | "~" | "null" | "Null" | "NULL");
        if self.plain.contains(entry.key_origin) && (is_null() || resolve_core(&entry.key).is_some()) {
            let line = entry.key_origin.line as usize;
            return Err(at_line(
                line,
                "a key is a number, a boolean, a date or null; SOPS requires quotes around it",
            ));
        }
        Ok(())
    }

    /// Decrypts a node; returns `None` for a comment instead of a value.
    fn tree(&mut self, node: &Node, named: bool) -> Result<Option<DecryptedNode>, SopsError> {
        let plain = match &node.value {
            NodeValue::Mapping(mapping) => return self.map(mapping.entries(), named).map(Some),
            NodeValue::Null => return Ok(Some(DecryptedNode::Null)),
            NodeValue::Sequence(items) => {
                let trees: Result<Vec<_>, _> =
                    items.iter().filter_map(|item| self.tree(item, named).transpose()).collect();
                return trees.map(|items| Some(DecryptedNode::List(items)));
            }
            NodeValue::String(text) if self.plain.contains(node.origin) => value::plain_scalar(text),
            NodeValue::String(text) => PlainValue::Text(Zeroizing::new(text.as_bytes().to_vec())),
            // The parsers of these formats keep scalars as strings.
            NodeValue::Bool(_) | NodeValue::Number(_) => {
                return Err(SopsError::Syntax("a scalar in it cannot be read".to_owned()));
            }
        };
        self.leaf(node, plain, named)
    }

    fn leaf(
        &mut self,
        node: &Node,
        as_written: PlainValue,
        named: bool,
    ) -> Result<Option<DecryptedNode>, SopsError> {
        let looks_encrypted = || node.as_str().is_some_and(value::looks_encrypted);
        let encrypted = self.metadata.rule.encrypts(named).unwrap_or_else(looks_encrypted);
        let plain = if encrypted { self.decrypt(node)? } else { as_written };
        let Some(bytes) = plain.authenticated() else { return Ok(None) };
        if encrypted || !self.metadata.mac_only_encrypted {
            self.digest.update(bytes);
        }
        Ok(Some(DecryptedNode::Leaf(plain)))
    }

    fn decrypt(&self, node: &Node) -> Result<PlainValue, SopsError> {
        let shown_path = || display_path(self.path.trim_end_matches(':'));
        let text = node.as_str().ok_or_else(|| SopsError::ValueInClear(shown_path()))?;
        value::decrypt(text, self.key, &self.path).map_err(|why| match why {
            DecryptionError::Form => SopsError::ValueForm(shown_path()),
            DecryptionError::InClear => SopsError::ValueInClear(shown_path()),
            DecryptionError::Mismatch => SopsError::Value(shown_path()),
        })
    }
}

impl KeyedValue for &DecryptedNode {
    type Error = Infallible;

    fn member(self, name: &str) -> Result<Option<Self>, Infallible> {
        Ok(self.entry(name))
    }

    fn item(self, index: usize) -> Result<Option<Self>, Infallible> {
        let DecryptedNode::List(items) = self else { return Ok(None) };
        Ok(items.get(index))
    }

    fn shape(self) -> ValueShape {
        match self {
            DecryptedNode::List(_) => ValueShape::List,
            DecryptedNode::Map(_) => ValueShape::Object,
            DecryptedNode::Leaf(_) | DecryptedNode::Null => ValueShape::Scalar,
        }
    }
}

impl DecryptedNode {
    fn entry(&self, key: &str) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find(|(name, _)| name == key).map(|(_, tree)| tree)
    }

    /// Joins sections with the same name, which `.ini` files may have. The parser rejects duplicate keys across them.
    fn with_sections_joined(self) -> Self {
        let Self::Map(sections) = self else { return self };
        let mut places: BTreeMap<CompactString, usize> = BTreeMap::new();
        let mut joined: Vec<(CompactString, Self)> = Vec::new();
        for (name, section) in sections {
            let place = *places.entry(name.clone()).or_insert(joined.len());
            match (joined.get_mut(place), section) {
                (Some((_, Self::Map(first))), Self::Map(more)) => first.extend(more),
                (_, section) => joined.push((name, section)),
            }
        }
        Self::Map(joined)
    }

    fn text(&self) -> Option<SecretValue> {
        match self {
            Self::Leaf(PlainValue::Text(bytes)) => Some(SecretValue::new(bytes.to_vec())),
            _ => None,
        }
    }

    fn bytes(&self) -> Result<SecretValue, SopsError> {
        let bytes = match self {
            Self::Null => return Err(SopsError::KeyMissing(None)),
            Self::Leaf(PlainValue::Text(bytes)) => bytes.to_vec(),
            Self::Leaf(PlainValue::Literal(literal)) => literal.written.as_bytes().to_vec(),
            Self::Leaf(PlainValue::Comment) | Self::List(_) | Self::Map(_) => {
                let mut json = SecretBuffer::default();
                self.write_json(&mut json)?;
                return Ok(json.into_value());
            }
        };
        Ok(SecretValue::new(bytes))
    }

    /// Writes compact JSON, with keys in the order of the file.
    fn write_json(&self, out: &mut SecretBuffer) -> Result<(), SopsError> {
        match self {
            Self::Null | Self::Leaf(PlainValue::Comment) => out.push(b"null"),
            Self::Leaf(PlainValue::Literal(literal)) if is_json_literal(&literal.written) => {
                out.push(literal.written.as_bytes());
            }
            Self::Leaf(PlainValue::Literal(literal)) => write_text(&literal.written, out),
            Self::Leaf(PlainValue::Text(bytes)) => {
                write_text(std::str::from_utf8(bytes).map_err(|_| SopsError::KeyNotText)?, out);
            }
            Self::List(items) => {
                out.push(b"[");
                for (number, item) in items.iter().enumerate() {
                    out.push(if number == 0 { "" } else { "," }.as_bytes());
                    item.write_json(out)?;
                }
                out.push(b"]");
            }
            Self::Map(entries) => {
                out.push(b"{");
                for (number, (key, tree)) in entries.iter().enumerate() {
                    out.push(if number == 0 { "" } else { "," }.as_bytes());
                    write_text(key, out);
                    out.push(b":");
                    tree.write_json(out)?;
                }
                out.push(b"}");
            }
        }
        Ok(())
    }
}

fn write_text(text: &str, out: &mut SecretBuffer) {
    serde_json::to_writer(out, text).expect("strings are JSON");
}
