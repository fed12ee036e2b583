//! A file in the clear: decrypted as a whole, its MAC verified, and only then asked for values.
//!
//! The MAC is a SHA-512 over all values in their order, encrypted under the data key. It covers neither keys (each
//! encrypted value is bound to its own) nor comments, nor where one value ends and the next begins.

use compact_str::CompactString;
use zeroize::Zeroizing;

use super::error::{SopsError, shown};
use super::format::{Format, Parsed};
use super::metadata::Metadata;
use super::value::{self, NotOpened, Plain};
use crate::crypto::{DataKey, ValuesDigest};
use crate::model::{EntriesError, Mapping, Node, Number, SecretBuffer, SecretEntries, SecretValue, Value};
use crate::providers::ProviderError;

/// What a digest over encrypted values only starts with: the SHA-256 of `sops`, so that it never equals one over all.
const ONLY_ENCRYPTED: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b, 0x0b,
    0x97, 0x5b, 0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

/// A decrypted file.
pub(super) struct Document {
    format: Format,
    root: Tree,
}

enum Tree {
    Leaf(Plain),
    List(Vec<Self>),
    Map(Vec<(CompactString, Self)>),
    Null,
}

impl Document {
    /// Decrypts all values and checks the MAC.
    pub(super) fn open(parsed: &Parsed, metadata: &Metadata, key: &DataKey) -> Result<Self, SopsError> {
        let mut digest = ValuesDigest::default();
        if metadata.mac_only_encrypted {
            digest.update(&ONLY_ENCRYPTED);
        }
        let mut walk = Walk { metadata, key, digest, path: String::new() };
        let root = walk.map(&parsed.data, false)?;
        let expected =
            value::open(&metadata.mac, key, &metadata.last_modified).map_err(|_| SopsError::Mac)?;
        if expected.authenticated() != Some(walk.digest.finish().as_bytes()) {
            return Err(SopsError::Mac);
        }
        Ok(Self { format: parsed.format, root })
    }

    /// Returns all top-level keys, each with its value.
    pub(super) fn entries(&self) -> Result<SecretEntries, ProviderError> {
        let mut entries = SecretEntries::default();
        match (self.format, &self.root) {
            (Format::Binary, _) => return Err(SopsError::NoKeysInBinary.into()),
            (_, Tree::Map(all)) => {
                for (key, tree) in all {
                    let value = match tree {
                        Tree::Null => None,
                        tree => Some(tree.bytes()?),
                    };
                    entries.insert(key.to_string(), value)?;
                }
            }
            (_, _) => return Err(EntriesError::NotAnObject.into()),
        }
        Ok(entries)
    }

    /// The value under a key, or the whole of a binary file.
    pub(super) fn value(&self, key: Option<&str>) -> Result<SecretValue, SopsError> {
        match (self.format, key) {
            (Format::Binary, None) => {
                self.root.member("data").and_then(Tree::text).ok_or(SopsError::KeyMissing)
            }
            (Format::Binary, Some(_)) => Err(SopsError::NoKeysInBinary),
            (_, None) => Err(SopsError::WholeFile),
            (_, Some(key)) => self.root.find(key).ok_or(SopsError::KeyMissing)?.bytes(),
        }
    }
}

/// The way through the tree, values in the order in which SOPS takes them.
struct Walk<'a> {
    metadata: &'a Metadata,
    key: &'a DataKey,
    digest: ValuesDigest,
    /// Keys down to here, each with `:` behind it; items of lists add nothing.
    path: String,
}

impl Walk<'_> {
    /// The depth is bounded by the readers. `named`: whether the rule names a key on the way.
    fn map(&mut self, mapping: &Mapping, named: bool) -> Result<Tree, SopsError> {
        let mut entries = Vec::with_capacity(mapping.len());
        for entry in mapping.entries() {
            let length = self.path.len();
            self.path.push_str(&entry.key);
            self.path.push(':');
            let named = named || self.metadata.rule.names(&entry.key);
            if let Some(tree) = self.tree(&entry.value, named)? {
                entries.push((entry.key.clone(), tree));
            }
            self.path.truncate(length);
        }
        Ok(Tree::Map(entries))
    }

    /// `None` for a comment that stands where a value would.
    fn tree(&mut self, node: &Node, named: bool) -> Result<Option<Tree>, SopsError> {
        let plain = match &node.value {
            Value::Mapping(mapping) => return self.map(mapping, named).map(Some),
            Value::Null => return Ok(Some(Tree::Null)),
            Value::Sequence(items) => {
                let trees: Result<Vec<_>, _> =
                    items.iter().filter_map(|item| self.tree(item, named).transpose()).collect();
                return trees.map(|items| Some(Tree::List(items)));
            }
            Value::Bool(flag) => Plain::Bool(*flag),
            Value::Number(number) => Plain::Number(Zeroizing::new(digits(*number))),
            Value::String(text) => Plain::Text(Zeroizing::new(text.as_bytes().to_vec())),
        };
        self.leaf(node, plain, named)
    }

    fn leaf(&mut self, node: &Node, as_written: Plain, named: bool) -> Result<Option<Tree>, SopsError> {
        let looks = || node.as_str().is_some_and(value::looks_encrypted);
        let encrypted = self.metadata.rule.encrypts(named).unwrap_or_else(looks);
        let plain = if encrypted { self.decrypt(node)? } else { as_written };
        let Some(bytes) = plain.authenticated() else { return Ok(None) };
        if encrypted || !self.metadata.mac_only_encrypted {
            self.digest.update(bytes);
        }
        Ok(Some(Tree::Leaf(plain)))
    }

    fn decrypt(&self, node: &Node) -> Result<Plain, SopsError> {
        let at = || shown(self.path.trim_end_matches(':'));
        let text = node.as_str().ok_or_else(|| SopsError::ValueInClear(at()))?;
        value::open(text, self.key, &self.path).map_err(|why| match why {
            NotOpened::Form => SopsError::ValueForm(at()),
            NotOpened::InClear => SopsError::ValueInClear(at()),
            NotOpened::Mismatch => SopsError::Value(at()),
        })
    }
}

fn digits(number: Number) -> String {
    match number {
        Number::Float(float) => value::float(float),
        Number::Int(int) => int.to_string(),
        Number::Uint(uint) => uint.to_string(),
    }
}

impl Tree {
    /// The key as it is first (`a.b` may be one key), then as a way down.
    fn find(&self, key: &str) -> Option<&Self> {
        self.member(key).or_else(|| key.split('.').try_fold(self, Self::member))
    }

    fn member(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, tree)| tree),
            // One way to write a number only, so that `01` and `+1` are no second names of an item.
            Self::List(items) => {
                items.get(key.parse::<usize>().ok().filter(|index| index.to_string() == key)?)
            }
            Self::Leaf(_) | Self::Null => None,
        }
    }

    fn text(&self) -> Option<SecretValue> {
        match self {
            Self::Leaf(Plain::Text(bytes)) => Some(SecretValue::new(bytes.to_vec())),
            _ => None,
        }
    }

    fn bytes(&self) -> Result<SecretValue, SopsError> {
        let bytes = match self {
            Self::Null => return Err(SopsError::KeyMissing),
            Self::Leaf(Plain::Text(bytes)) => bytes.to_vec(),
            Self::Leaf(Plain::Number(text)) => text.as_bytes().to_vec(),
            Self::Leaf(_) | Self::List(_) | Self::Map(_) => {
                let mut json = SecretBuffer::default();
                self.write_json(&mut json)?;
                return Ok(json.into_value());
            }
        };
        Ok(SecretValue::new(bytes))
    }

    /// Compact JSON, keys in the order of the file.
    fn write_json(&self, out: &mut SecretBuffer) -> Result<(), SopsError> {
        match self {
            Self::Null | Self::Leaf(Plain::Comment) => out.push(b"null"),
            Self::Leaf(Plain::Bool(flag)) => out.push(if *flag { "true" } else { "false" }.as_bytes()),
            Self::Leaf(Plain::Number(text)) => match text.as_str() {
                "NaN" | "+Inf" | "-Inf" => write_text(text, out),
                digits => out.push(digits.as_bytes()),
            },
            Self::Leaf(Plain::Text(bytes)) => {
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
