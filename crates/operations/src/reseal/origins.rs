//! Whether the keys that opened the items of a run are of one controller: that of the certificate to seal for.
//!
//! A file that was copied from the directory of another cluster would otherwise be opened with that cluster's keys, and sealed for
//! this one, whose users could read its values then. A private key does not say which controller it belongs to. What tells it: the
//! controller itself, if it is asked; the key files, since a backup has the keys of one controller; the user's consent.

use std::collections::{BTreeMap, BTreeSet};

use sealwave_core::diagnostic::{Explain, Failure, Problem, ProblemPlace};
use sealwave_core::document::{SourceLocation, display_path};
use sealwave_core::text::quoted_list;

use crate::certificates::short_fingerprint;
use crate::key_files::UnsealKeys;
use crate::plan::PlanFact;

/// The fewest digits of a fingerprint that name a key.
const MIN_DIGITS: usize = 12;

/// The keys that opened the items of files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenedItems {
    /// The number of items by the path of their file, and by the public key that opened them.
    pub by_file: BTreeMap<String, BTreeMap<String, usize>>,
    /// Whether the key of the certificate opened an item, which stays as it is.
    pub has_current: bool,
}

/// The knowledge about the controllers of keys.
pub struct KeyOrigins<'k> {
    keys: &'k UnsealKeys,
    /// The public key of the certificate.
    target: &'k str,
    /// The public keys that the controller has, if it was asked.
    controller: Option<BTreeSet<String>>,
    /// The fingerprints, or their starts, of keys that the user accepts.
    accepted: Vec<String>,
}

/// A key that may be of another controller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// An accepted fingerprint names no key.
    #[error("`{0}` of `--accept-key` is not the fingerprint of a given key")]
    Accepted(String),
    /// The controller does not have the key.
    #[error(
        "items were opened with key {key} ({files}), which the controller of the certificate does not have"
    )]
    NotOfController {
        /// The start of the fingerprint.
        key: String,
        /// The key files.
        files: String,
    },
    /// The keys of a run are of several controllers, as far as is known.
    #[error(
        "items were opened with key {key} ({files}), which may belong to another controller than that of the certificate"
    )]
    Other {
        /// The start of the fingerprint.
        key: String,
        /// The key files.
        files: String,
    },
    /// Nothing is known about the keys of a run.
    #[error(
        "items were opened with key {key} ({files}), which is not known to be of the controller of the certificate"
    )]
    Unknown {
        /// The start of the fingerprint.
        key: String,
        /// The key files.
        files: String,
    },
}

impl Explain for OriginError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Accepted(_) => {
                format!("write its SHA-256 in hexadecimal, or at least its first {MIN_DIGITS} digits, as the plan shows it")
            }
            Self::NotOfController { key, .. } => format!(
                "if the file was copied from another cluster, seal its values again for this one; if the controller lost the key, pass `--accept-key {}`",
                key.trim_end_matches('…')
            ),
            Self::Other { key, .. } => format!(
                "if the file was copied from another cluster, seal its values again for this one; if not, let the controller tell its keys with `--context`, \
                 pass all keys of the controller in one file, or pass `--accept-key {}`",
                key.trim_end_matches('…')
            ),
            Self::Unknown { .. } => {
                "check that it is a key of that cluster: `sealwave cert list`, or pass `--context` to have it checked".to_owned()
            }
        })
    }
}

impl<'k> KeyOrigins<'k> {
    /// Knows nothing but the key files.
    #[must_use]
    pub const fn new(keys: &'k UnsealKeys, target: &'k str) -> Self {
        Self { keys, target, controller: None, accepted: Vec::new() }
    }

    /// Adds the public keys that the controller has.
    #[must_use]
    pub fn with_controller(self, public_keys: BTreeSet<String>) -> Self {
        Self { controller: Some(public_keys), ..self }
    }

    /// Adds the fingerprints of keys that the user accepts, or their starts.
    ///
    /// # Errors
    /// One names no key.
    pub fn accepting(self, fingerprints: &[String]) -> Result<Self, OriginError> {
        let accepted: Vec<String> = fingerprints.iter().map(|text| text.to_ascii_lowercase()).collect();
        for text in &accepted {
            let names = |key: &str| text.len() >= MIN_DIGITS && key.starts_with(text.as_str());
            if !self.keys.infos().any(|info| names(&info.public_key_sha256)) {
                return Err(OriginError::Accepted(text.clone()));
            }
        }
        Ok(Self { accepted, ..self })
    }

    /// Judges the keys of a run. Returns warnings.
    ///
    /// # Errors
    /// Items were opened with keys that may be of another controller. Each file is named.
    pub fn judge(&self, opened: &OpenedItems) -> Result<Vec<Problem>, Failure> {
        let used: BTreeSet<&str> =
            opened.by_file.values().flat_map(BTreeMap::keys).map(String::as_str).collect();
        let unknown: BTreeSet<&str> =
            used.iter().copied().filter(|key| self.evidence(key).is_none()).collect();
        let is_mixed = opened.has_current || unknown.len() < used.len() || !self.share_a_file(&unknown);
        let is_refused = is_mixed || self.controller.is_some() || self.target_has_a_backup();
        let mut problems = Vec::new();
        for (path, keys) in &opened.by_file {
            for key in keys.keys().filter(|key| unknown.contains(key.as_str())) {
                let place = SourceLocation { path: path.clone(), line: 0, column: 0, rendered: None };
                let error = self.error(key, is_refused);
                problems.push(Problem { at: ProblemPlace::Place(place), ..Problem::new(&error) });
            }
        }
        if is_refused {
            return Failure::unless_empty(problems).map(|()| Vec::new());
        }
        Ok(unknown.iter().map(|key| Problem::new(&self.error(key, false))).collect())
    }

    /// Returns a fact for each key that opened an item.
    #[must_use]
    pub fn facts(&self, opened: &OpenedItems) -> Vec<PlanFact> {
        let mut uses: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for (key, items) in opened.by_file.values().flatten() {
            let entry = uses.entry(key.as_str()).or_default();
            *entry = (entry.0 + items, entry.1 + 1);
        }
        let fact = |(key, (items, files)): (&str, (usize, usize))| PlanFact {
            name: format!("key {}", short_fingerprint(key)),
            value: format!(
                "opened items: {items}, in files: {files}; from {}; {}",
                self.shown_files(key),
                self.evidence(key).unwrap_or("not known to be of the controller of the certificate")
            ),
        };
        uses.into_iter().map(fact).collect()
    }

    /// Returns the evidence that a key is of the controller of the certificate.
    fn evidence(&self, key: &str) -> Option<&'static str> {
        if key == self.target {
            Some("the key of the certificate")
        } else if self.controller.as_ref().is_some_and(|keys| keys.contains(key)) {
            Some("the controller has it")
        } else if self.accepted.iter().any(|text| key.starts_with(text.as_str())) {
            Some("accepted with `--accept-key`")
        } else if self.controller.is_none() && self.share_a_file(&BTreeSet::from([key, self.target])) {
            Some("in the same file as the key of the certificate")
        } else {
            None
        }
    }

    /// Reports whether one file has all of these keys.
    fn share_a_file(&self, keys: &BTreeSet<&str>) -> bool {
        keys.is_empty() || self.keys.files().any(|(_, held)| keys.iter().all(|key| held.contains(*key)))
    }

    /// Reports whether the key of the certificate was given in a backup with others, so that the controller's keys are known.
    fn target_has_a_backup(&self) -> bool {
        self.keys.files().any(|(_, held)| held.len() > 1 && held.contains(self.target))
    }

    fn error(&self, key: &str, is_refused: bool) -> OriginError {
        let (files, key) = (self.shown_files(key), short_fingerprint(key));
        match (is_refused, &self.controller) {
            (false, _) => OriginError::Unknown { key, files },
            (true, Some(_)) => OriginError::NotOfController { key, files },
            (true, None) => OriginError::Other { key, files },
        }
    }

    fn shown_files(&self, key: &str) -> String {
        let files = self.keys.files().filter(|(_, held)| held.contains(key));
        quoted_list(&files.map(|(file, _)| display_path(file)).collect::<Vec<_>>())
    }
}
