//! The report of `reseal --map`: which key opens each item of several repositories, and which keys nothing needs any more.
//!
//! A key is not needed only if another key opened every item of all paths. An item that was not opened may be sealed for any key, so
//! then the answer is unknown for all of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use sealwave_core::diagnostic::{Failure, first_on_line, printable};
use sealwave_core::document::display_path;
use sealwave_core::names::item_label;
use sealwave_core::text::counted;

use super::controller_keys::{ControllerKeys, ControllerSecret};
use super::find::SealedTree;
use super::report_entries::UnseenEntry;
use super::status::{BoundObject, opening_keys};
use crate::certificates::short_fingerprint;
use crate::json_document::json_document;
use crate::key_files::{UnsealKeyInfo, UnsealKeys};

/// The keys and the items that need them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyMap {
    /// The keys that were tried, from the newest to the oldest, then the others of the controller, then those that only records
    /// name.
    pub keys: Vec<KeyUse>,
    /// The server and the context whose controller was asked for its keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The key Secrets of the controller that could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<ControllerSecret>,
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
    /// The Secrets of the controller that hold it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub controller_secrets: Vec<ControllerSecret>,
    /// Whether it was tried on the items: its private key was given or read.
    pub examined: bool,
    /// The number of items that it opens.
    pub items: usize,
    /// Whether it is needed.
    pub needed: KeyNeed,
}

/// Whether a key is needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum KeyNeed {
    /// Nothing that was seen needs it: another key opened each item.
    No,
    /// Items were not opened, or files not seen.
    #[default]
    Unknown,
    /// An item needs it, or the controller seals with it.
    Yes,
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
        controller: Option<&ControllerKeys>,
        namespace: Option<&str>,
    ) -> Result<Self, Failure> {
        let mut map = Self {
            keys: keys.into_iter().flat_map(UnsealKeys::infos).map(KeyUse::of_key).collect(),
            cluster: controller.map(|controller| controller.cluster.clone()),
            unreadable: controller.map(|controller| controller.unreadable.clone()).unwrap_or_default(),
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
        for (public_key, secret) in controller.iter().flat_map(|controller| &controller.known) {
            map.key(public_key).controller_secrets.push(secret.clone());
        }
        map.count();
        map.decide();
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

    /// Returns the entry of a key, and adds one if it is missing.
    fn key(&mut self, public_key_sha256: &str) -> &mut KeyUse {
        let known = self.keys.iter().position(|key| key.public_key_sha256 == public_key_sha256);
        let at = known.unwrap_or_else(|| {
            self.keys.push(KeyUse::named(public_key_sha256));
            self.keys.len() - 1
        });
        &mut self.keys[at]
    }

    fn count(&mut self) {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for key in self.items.iter().filter_map(|item| item.public_key_sha256.clone()) {
            *counts.entry(key).or_default() += 1;
        }
        for (public_key, items) in counts {
            self.key(&public_key).items = items;
        }
    }

    fn decide(&mut self) {
        let is_complete = self.unopened() == 0 && self.unseen.is_empty() && !self.items.is_empty();
        for key in &mut self.keys {
            let seals = key.controller_secrets.iter().any(|secret| secret.state == "newest");
            key.needed = match (key.items, seals) {
                (1.., _) | (_, true) => KeyNeed::Yes,
                _ if is_complete => KeyNeed::No,
                _ => KeyNeed::Unknown,
            };
        }
    }

    /// Returns the number of items that no key opened.
    fn unopened(&self) -> usize {
        self.items.iter().filter(|item| item.evidence != "opened").count()
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
            let key =
                public_key_sha256.as_deref().map_or_else(|| "unknown key".to_owned(), short_fingerprint);
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
            let _ = writeln!(out, "  {}", printable(key.human(self.cluster.is_some())));
        }
        for ControllerSecret { secret, reason, .. } in &self.unreadable {
            let reason = reason.as_deref().unwrap_or_default();
            let _ = writeln!(out, "  {}", printable(format!("Secret {secret}: not examined: {reason}")));
        }
        if self.unknown() > 0 {
            let _ = writeln!(
                out,
                "  unknown: {}, which none of the given keys opens",
                counted(self.unknown(), "item")
            );
        }
        if self.keys.iter().any(|key| key.needed == KeyNeed::Unknown) {
            let (items, files) = (self.unopened(), self.unseen.len());
            let _ = writeln!(
                out,
                "  which other keys are needed is unknown; items that were not opened: {items}, files that were not seen: {files}"
            );
        }
        if let Some(cluster) = &self.cluster {
            let _ = writeln!(out, "  controller: {cluster}");
        }
        out.push_str("\nNot seen\n");
        for file in &self.unseen {
            let _ = writeln!(out, "  {}", first_on_line(format!("{}: {}", file.path, file.reason)));
        }
        let _ = writeln!(
            out,
            "  other repositories, branches and older commits; other clusters, and objects in clusters; files that Git ignores, and files whose names do not end in .yaml, .yml, .json or .hbs"
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
            file: info.file.as_deref().map(display_path),
            secret: info.secret.clone().filter(|_| info.file.is_some()),
            not_before: info.not_before.clone(),
            examined: true,
            ..Self::named(&info.public_key_sha256)
        }
    }

    /// Returns a key with an unknown private key.
    fn named(public_key_sha256: &str) -> Self {
        Self {
            public_key_sha256: public_key_sha256.to_owned(),
            file: None,
            secret: None,
            not_before: None,
            controller_secrets: Vec::new(),
            examined: false,
            items: 0,
            needed: KeyNeed::Unknown,
        }
    }

    /// Returns the key for people; `is_asked` if the controller was asked for its keys.
    fn human(&self, is_asked: bool) -> String {
        let mut text = short_fingerprint(&self.public_key_sha256);
        let origin = [self.file.as_deref(), self.secret.as_deref(), self.not_before.as_deref()];
        let mut origin: Vec<String> = origin.into_iter().flatten().map(str::to_owned).collect();
        for ControllerSecret { secret, state, reason } in &self.controller_secrets {
            origin.push(format!("Secret {secret}, {state}"));
            origin.extend(reason.clone());
        }
        if origin.is_empty() {
            origin.push("no key file".to_owned());
        }
        if is_asked && self.controller_secrets.is_empty() {
            origin.push("the controller does not have it".to_owned());
        }
        if !self.examined && !self.controller_secrets.is_empty() {
            origin.push("not examined: its private key was not given".to_owned());
        }
        let _ = write!(text, " ({})", origin.join(", "));
        let _ = match (self.items, self.needed) {
            (0, KeyNeed::No) => write!(text, ": nothing that was seen needs it"),
            (0, KeyNeed::Yes) => write!(text, ": the controller seals with it"),
            (0, KeyNeed::Unknown) => write!(text, ": unknown whether an item needs it"),
            (items, _) => write!(text, ": {}", counted(items, "item")),
        };
        text
    }
}
