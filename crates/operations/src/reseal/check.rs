//! The report of `reseal --check`: which items are not sealed for the certificate.

use std::fmt::Write as _;

use serde::Serialize;

use sealwave_core::diagnostic::{Failure, first_on_line};
use sealwave_core::names::item_label;
use sealwave_secrets::crypto::Certificate;

use super::find::SealedTree;
use super::report_entries::UnseenEntry;
use super::status::{BoundObject, ItemState, StaleReason, opening_keys, state_of_key};
use crate::certificates::short_fingerprint;
use crate::json_document::json_document;
use crate::key_files::UnsealKeys;

/// The items of a tree, relative to a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckReport {
    /// SHA-256 of the certificate's public key, in hexadecimal.
    pub public_key_sha256: String,
    /// The number of items that are sealed for it.
    pub current: usize,
    /// The other items, in the order of files.
    pub items: Vec<CheckedItem>,
    /// The files that may hold further items.
    pub unseen: Vec<UnseenEntry>,
}

/// An item that is not known to be sealed for the certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckedItem {
    /// The file.
    pub path: String,
    /// The line of the item.
    pub line: u32,
    /// The namespace and name of the object.
    pub object: String,
    /// The item.
    pub item: String,
    /// `stale` or `unknown`.
    pub state: &'static str,
    /// The reason.
    pub reason: String,
}

impl CheckReport {
    /// Examines all items; with keys, by trial.
    ///
    /// # Errors
    /// A file cannot be read, or the work fails.
    pub fn new(
        tree: &SealedTree,
        certificate: &Certificate,
        keys: Option<&UnsealKeys>,
        namespace: Option<&str>,
    ) -> Result<Self, Failure> {
        tree.require_readable()?;
        let objects = BoundObject::all(tree, namespace);
        let opened = keys.map(|keys| opening_keys(&objects, keys)).transpose()?;
        let mut report = Self {
            public_key_sha256: certificate.details().public_key_sha256.clone(),
            current: 0,
            items: Vec::new(),
            unseen: tree.unseen.iter().map(UnseenEntry::from).collect(),
        };
        for (number, bound) in objects.iter().enumerate() {
            for (index, item) in bound.object.items.iter().enumerate() {
                let key = opened.as_ref().and_then(|all| all.get(number)?.get(index)?.clone());
                let state = match key {
                    Some(key) => state_of_key(key, certificate),
                    None => bound.reported_state(item, certificate),
                };
                report.add(bound, &item.key, item.line, state);
            }
            if bound.object.has_blob {
                report.push(
                    bound,
                    "all items (`spec.data`)".to_owned(),
                    bound.object.line,
                    "unknown",
                    "the old form with one ciphertext for all items".to_owned(),
                );
            }
        }
        Ok(report)
    }

    fn add(&mut self, bound: &BoundObject<'_>, key: &str, line: u32, state: ItemState) {
        let (state, reason) = match state {
            ItemState::Current => {
                self.current += 1;
                return;
            }
            ItemState::Stale(StaleReason::RuledOut) => ("stale", "sealed for another key".to_owned()),
            ItemState::Stale(StaleReason::SealedFor(key)) => {
                ("stale", format!("sealed for {}", short_fingerprint(&key)))
            }
            ItemState::Unknown => ("unknown", "sealed by another tool".to_owned()),
        };
        self.push(bound, item_label(key), line, state, reason);
    }

    fn push(
        &mut self,
        bound: &BoundObject<'_>,
        item: String,
        line: u32,
        state: &'static str,
        reason: String,
    ) {
        let (path, object) = (bound.found.file.path().to_owned(), bound.shown());
        self.items.push(CheckedItem { path, line, object, item, state, reason });
    }

    /// Reports whether an item is not known to be sealed for the certificate, or could not be read.
    #[must_use]
    pub const fn has_findings(&self) -> bool {
        !self.items.is_empty() || !self.unseen.is_empty()
    }

    /// Returns the report for people.
    #[must_use]
    pub fn human(&self) -> String {
        // Writing to a string cannot fail.
        let mut out = String::new();
        for item in &self.items {
            let CheckedItem { path, line, object, item, state, reason } = item;
            let line = format!("{path}:{line}: {state}: {item} of SealedSecret `{object}`: {reason}");
            let _ = writeln!(out, "{}", first_on_line(line));
        }
        for file in &self.unseen {
            let _ =
                writeln!(out, "{}", first_on_line(format!("{}: not checked: {}", file.path, file.reason)));
        }
        let stale = self.items.iter().filter(|item| item.state == "stale").count();
        let unknown = self.items.len() - stale;
        let _ = writeln!(
            out,
            "public key {}: {} current, {stale} stale, {unknown} unknown",
            short_fingerprint(&self.public_key_sha256),
            self.current
        );
        out
    }

    /// Returns the report as JSON, with a line break at the end.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        json_document(self)
    }
}
