//! The report of `reseal --map`: which key opens each item of several repositories, and which keys nothing needs any more.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use sealwave_core::diagnostic::{Failure, first_on_line, printable};
use sealwave_core::document::display_path;
use sealwave_core::names::item_label;
use sealwave_core::text::counted;

use super::find::SealedTree;
use super::report_entries::{UnseenEntry, short};
use super::status::{BoundObject, opening_keys};
use crate::json_document::json_document;
use crate::key_files::{UnsealKeyInfo, UnsealKeys};

/// The keys and the items that need them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyMap {
    /// The given keys, from the newest to the oldest, then the keys that only records name.
    pub keys: Vec<KeyUse>,
    /// The items, in the order of repositories and files.
    pub items: Vec<MappedItem>,
    /// The files that may hold further items.
    pub unseen: Vec<UnseenEntry>,
    /// The repositories, or directories, that were searched.
    pub searched: Vec<String>,
}

/// A key, and the number of items that it opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyUse {
    /// SHA-256 of the public key, in hexadecimal.
    pub public_key_sha256: String,
    /// The file of the key, if it was given.
    pub file: Option<String>,
    /// The Secret that holds it, if its file is a backup.
    pub secret: Option<String>,
    /// Start of validity of its certificate, if known.
    pub not_before: Option<String>,
    /// The number of items that it opens.
    pub items: usize,
}

/// An item with its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MappedItem {
    /// The file.
    pub path: String,
    /// The line of the item.
    pub line: u32,
    /// The namespace and name of the object.
    pub object: String,
    /// The item.
    pub item: String,
    /// SHA-256 of the public key that it was sealed for, if known.
    pub public_key_sha256: Option<String>,
    /// The evidence for that: `opened`, `recorded`, `claimed` by the object, or `unknown`.
    pub evidence: &'static str,
}

impl KeyMap {
    /// Maps the items of several repositories to the given keys.
    ///
    /// # Errors
    /// The work fails.
    pub fn new(
        trees: &[SealedTree],
        keys: Option<&UnsealKeys>,
        namespace: Option<&str>,
    ) -> Result<Self, Failure> {
        let mut map = Self {
            keys: keys.into_iter().flat_map(UnsealKeys::infos).map(KeyUse::of_key).collect(),
            items: Vec::new(),
            unseen: Vec::new(),
            searched: trees.iter().map(|tree| display_path(&tree.root)).collect(),
        };
        for tree in trees {
            let objects = BoundObject::all(tree, namespace);
            let opened = keys.map(|keys| opening_keys(&objects, keys)).transpose()?;
            for (number, bound) in objects.iter().enumerate() {
                map.add_object(bound, opened.as_ref().and_then(|all| all.get(number)));
            }
            map.unseen.extend(tree.unseen.iter().map(UnseenEntry::from));
        }
        map.count();
        Ok(map)
    }

    fn add_object(&mut self, bound: &BoundObject<'_>, opened: Option<&Vec<Option<String>>>) {
        for (index, item) in bound.object.items.iter().enumerate() {
            let opened = opened.and_then(|items| items.get(index)?.clone());
            let (key, evidence) = match opened {
                Some(key) => (Some(key), "opened"),
                None => match (bound.recorded_key(item), bound.claimed_key()) {
                    (Some(key), _) => (Some(key), "recorded"),
                    (None, Some(key)) => (Some(key), "claimed"),
                    (None, None) => (None, "unknown"),
                },
            };
            self.push(bound, item_label(&item.key), item.line, key, evidence);
        }
        if bound.object.has_blob {
            self.push(bound, "all items (`spec.data`)".to_owned(), bound.object.line, None, "unknown");
        }
    }

    fn push(
        &mut self,
        bound: &BoundObject<'_>,
        item: String,
        line: u32,
        key: Option<String>,
        evidence: &'static str,
    ) {
        let (path, object) = (bound.found.file.path().to_owned(), bound.shown());
        self.items.push(MappedItem { path, line, object, item, public_key_sha256: key, evidence });
    }

    fn count(&mut self) {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for key in self.items.iter().filter_map(|item| item.public_key_sha256.clone()) {
            *counts.entry(key).or_default() += 1;
        }
        for key in &mut self.keys {
            key.items = counts.remove(&key.public_key_sha256).unwrap_or(0);
        }
        let others = counts.into_iter().map(|(public_key_sha256, items)| KeyUse {
            public_key_sha256,
            file: None,
            secret: None,
            not_before: None,
            items,
        });
        self.keys.extend(others);
    }

    /// Returns the items whose key is unknown.
    fn unknown(&self) -> usize {
        self.items.iter().filter(|item| item.public_key_sha256.is_none()).count()
    }

    /// Returns the map for people.
    #[must_use]
    pub fn human(&self) -> String {
        // Writing to a string cannot fail.
        let mut out = String::new();
        for item in &self.items {
            let MappedItem { path, line, object, item, public_key_sha256, evidence } = item;
            let key = public_key_sha256.as_deref().map_or_else(|| "unknown key".to_owned(), short);
            let by = match *evidence {
                "recorded" => " (by its record)",
                "claimed" => " (by the annotation of its object)",
                _ => "",
            };
            let line = format!("{path}:{line}: {item} of SealedSecret `{object}`: {key}{by}");
            let _ = writeln!(out, "{}", first_on_line(line));
        }
        out.push_str("\nKeys\n");
        for key in &self.keys {
            let _ = writeln!(out, "  {}", printable(key.human()));
        }
        if self.unknown() > 0 {
            let _ = writeln!(
                out,
                "  unknown: {}, which none of the given keys opens",
                counted(self.unknown(), "item")
            );
        }
        out.push_str("\nNot seen\n");
        for file in &self.unseen {
            let _ = writeln!(out, "  {}", first_on_line(format!("{}: {}", file.path, file.reason)));
        }
        let _ = writeln!(
            out,
            "  other repositories, branches and older commits; objects in clusters; files that Git ignores"
        );
        out
    }

    /// Returns the map as JSON, with a line break at the end.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        json_document(self)
    }
}

impl KeyUse {
    fn of_key(info: &UnsealKeyInfo) -> Self {
        Self {
            public_key_sha256: info.public_key_sha256.clone(),
            file: Some(display_path(&info.file)),
            secret: info.secret.clone(),
            not_before: info.not_before.clone(),
            items: 0,
        }
    }

    fn human(&self) -> String {
        let mut text = short(&self.public_key_sha256);
        let origin = [self.file.as_deref(), self.secret.as_deref(), self.not_before.as_deref()];
        let origin: Vec<&str> = origin.into_iter().flatten().collect();
        if origin.is_empty() {
            text.push_str(" (no key file)");
        } else {
            let _ = write!(text, " ({})", origin.join(", "));
        }
        let _ = match self.items {
            0 => write!(text, ": nothing that was seen needs it"),
            items => write!(text, ": {}", counted(items, "item")),
        };
        text
    }
}
