//! A baseline: a list of known findings, so that a run fails for new ones only.
//!
//! The file identifies a finding by its subject, not by its line, and holds the message as a hash: a message may
//! contain a name that must not be copied to another file. Identical findings are counted. A finding is known in the
//! listed environments; in others it is new. The file is sorted, so that its diffs show what changed:
//!
//! ```json
//! {
//!   "apiVersion": "sealwave.dev/v1alpha1",
//!   "kind": "ValidationBaseline",
//!   "paths": "repository",
//!   "findings": [
//!     {
//!       "path": "apps/shop/base/web.yaml",
//!       "rule": "config/env-duplicate",
//!       "app": "apps/shop",
//!       "object": "apps/Deployment/shop/web",
//!       "pointer": "/spec/template/spec/containers/0/env/1/name",
//!       "message": "93b1f0a5a1d0e7a4bd2f6d8f4b7e7c55",
//!       "environments": ["dev", "prod"],
//!       "count": 1
//!     }
//!   ]
//! }
//! ```
//!
//! `path` and `app` are relative to the root of the repository, as `paths` says; files from before the field existed lack it,
//! and their paths are relative to the working directory of the run that wrote them. Outside of a repository, paths are as
//! they were given. `app` is empty for plain manifests; `object` (group, kind, namespace, name) and `pointer` are empty for a finding
//! without an object. `environments` is empty for a finding without environments; files from before the field existed
//! lack it, which means all environments.

mod counts;
mod scope;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::counts::KnownCounts;
use self::scope::BrokenInputs;
use super::to_vec;
use crate::counts::quantity;
use crate::fingerprint::digest;
use crate::{Finding, Report};
use sealwave_core::diagnostic::Explain;
use sealwave_secrets::settings::API_VERSION;

pub use self::scope::{BaselineNames, CheckedScope};

const KIND: &str = "ValidationBaseline";

/// The known findings, with their counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    known: BTreeMap<FindingKey, KnownCounts>,
    /// Whether the paths are relative to a working directory, as in old files.
    has_given_paths: bool,
}

/// The properties that identify a finding across runs.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct FindingKey {
    path: String,
    rule: String,
    app: String,
    object: String,
    pointer: String,
    message: String,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BaselineFile {
    api_version: String,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    paths: Option<PathBase>,
    findings: Vec<BaselineEntry>,
}

/// The directory that the paths of a baseline are relative to.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum PathBase {
    Repository,
}

#[derive(Deserialize, Serialize)]
struct BaselineEntry {
    #[serde(flatten)]
    finding: FindingKey,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environments: Option<Vec<String>>,
    count: usize,
}

/// An error in a baseline file.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The file is not JSON or has unexpected fields.
    #[error("baseline was not written by sealwave (line {line}, column {column})")]
    Malformed {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// The file has another kind or version.
    #[error("baseline is not a `{KIND}` of `{API_VERSION}`")]
    WrongKind,
}

impl Explain for BaselineError {
    fn hint(&self) -> Option<String> {
        Some("`--write-baseline` creates a baseline".to_owned())
    }
}

/// A note about the baseline of a run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaselineNote {
    /// Known findings no longer occur.
    #[error("{} in the baseline no longer {}", quantity(*.count, "finding"), if *.count == 1 { "occurs" } else { "occur" })]
    Gone {
        /// The number of these findings.
        count: usize,
        /// The baseline as given, for the command in the hint.
        file: String,
    },
    /// A baseline is written.
    #[error("baseline `{file}` has {}{}", quantity(*.count, "finding"), kept_text(*.kept))]
    Written {
        /// The number of findings in it.
        count: usize,
        /// The number of those that the run did not look for.
        kept: usize,
        /// The file as given.
        file: String,
    },
}

fn kept_text(kept: usize) -> String {
    if kept == 0 { String::new() } else { format!("; {kept} of them outside of what this run checked") }
}

impl Explain for BaselineNote {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Gone { file, .. } => Some(format!(
                "to remove {} from the file, run the same command with `--write-baseline {file}` instead of `--baseline {file}`",
                if matches!(self, Self::Gone { count: 1, .. }) { "it" } else { "them" }
            )),
            Self::Written { .. } => None,
        }
    }
}

impl Baseline {
    /// Creates a baseline of all findings of a report.
    #[must_use]
    pub fn from_report(report: &Report, names: &BaselineNames<'_>) -> Self {
        let mut baseline = Self::default();
        for finding in &report.findings {
            let counts = baseline.known.entry(FindingKey::new(finding, names)).or_default();
            counts.add(&finding.environments, 1);
        }
        baseline
    }

    /// Parses a baseline file.
    ///
    /// # Errors
    /// Returns an error if the file is not a baseline.
    pub fn parse(bytes: &[u8]) -> Result<Self, BaselineError> {
        let document: BaselineFile = serde_json::from_slice(bytes)
            .map_err(|error| BaselineError::Malformed { line: error.line(), column: error.column() })?;
        if document.api_version != API_VERSION || document.kind != KIND {
            return Err(BaselineError::WrongKind);
        }
        let mut known: BTreeMap<FindingKey, KnownCounts> = BTreeMap::new();
        for BaselineEntry { finding, environments, count } in document.findings {
            let counts = known.entry(finding).or_default();
            match environments {
                Some(environments) => counts.add(&environments, count),
                None => counts.anywhere = counts.anywhere.saturating_add(count),
            }
        }
        Ok(Self { known, has_given_paths: document.paths.is_none() })
    }

    /// Returns the baseline with paths from the root of the repository, if its paths are those of an old file.
    #[must_use]
    pub fn with_names(self, names: &BaselineNames<'_>) -> Self {
        if !self.has_given_paths {
            return self;
        }
        let mut known: BTreeMap<FindingKey, KnownCounts> = BTreeMap::new();
        for (mut key, counts) in self.known {
            key.path = (names.path)(&key.path).unwrap_or(key.path);
            key.app = (names.app)(&key.app).unwrap_or(key.app);
            let same = known.entry(key).or_default();
            *same = same.max(&counts);
        }
        Self { known, has_given_paths: false }
    }

    /// Returns the contents of the baseline file.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let entries = self.known.iter().flat_map(|(finding, counts)| {
            let layers = counts.layers().into_iter();
            let entry =
                |(environments, count)| BaselineEntry { finding: finding.clone(), environments, count };
            layers.map(entry)
        });
        to_vec(&BaselineFile {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            paths: (!self.has_given_paths).then_some(PathBase::Repository),
            findings: entries.collect(),
        })
    }

    /// Returns the number of known findings.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.values().map(KnownCounts::findings).fold(0, usize::saturating_add)
    }

    /// Reports whether the baseline is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes known findings from a report; returns the number of known findings that no longer occur, of those that the
    /// run looked for.
    ///
    /// A finding that is known in some of its environments only stays, with the others.
    pub fn remove_known(
        &self,
        report: &mut Report,
        names: &BaselineNames<'_>,
        scope: &CheckedScope<'_>,
    ) -> usize {
        let broken = BrokenInputs::new(report, names);
        let mut left = self.known.clone();
        for mut finding in std::mem::take(&mut report.findings) {
            let counts = left.get_mut(&FindingKey::new(&finding, names));
            if counts.is_some_and(|counts| counts.take(&mut finding)) {
                report.withhold(&finding);
                report.in_baseline += 1;
            } else {
                report.findings.push(finding);
            }
        }
        Self { known: left, has_given_paths: false }.split(scope, &broken).0.len()
    }

    /// Returns the baseline for a run that checked a part of the input: its findings, and those of an earlier baseline that
    /// it did not look for. Also returns the number of the latter.
    #[must_use]
    pub fn updated(
        &self,
        report: &Report,
        names: &BaselineNames<'_>,
        scope: &CheckedScope<'_>,
    ) -> (Self, usize) {
        let mut new = Self::from_report(report, names);
        let found = new.len();
        let (_, kept) = self.clone().split(scope, &BrokenInputs::new(report, names));
        for (key, counts) in kept.known {
            let same = new.known.entry(key).or_default();
            *same = same.max(&counts);
        }
        let kept = new.len().saturating_sub(found);
        (new, kept)
    }

    /// Splits the known findings into those that a run looks for and the others.
    fn split(self, scope: &CheckedScope<'_>, broken: &BrokenInputs) -> (Self, Self) {
        let (mut found, mut other) = (Self::default(), Self::default());
        for (key, counts) in self.known {
            let (own, rest) = if scope.covers(broken, &key.rule, &key.app, &key.path) {
                counts.split(scope.environments)
            } else {
                (KnownCounts::default(), counts)
            };
            for (part, counts) in [(&mut found, own), (&mut other, rest)] {
                if counts.findings() > 0 {
                    part.known.insert(key.clone(), counts);
                }
            }
        }
        (found, other)
    }
}

impl FindingKey {
    fn new(finding: &Finding, names: &BaselineNames<'_>) -> Self {
        let path = finding.span.as_ref().map(|span| span.place.path.as_str()).unwrap_or_default();
        let object = finding
            .object
            .as_ref()
            .map(|object| format!("{}/{}/{}/{}", object.group(), object.kind, object.namespace, object.name));
        Self {
            path: (names.path)(path).unwrap_or_else(|| path.to_owned()),
            rule: finding.rule.id.to_owned(),
            app: (names.app)(&finding.app).unwrap_or_else(|| finding.app.clone()),
            object: object.unwrap_or_default(),
            pointer: finding.pointer.clone(),
            message: digest(&finding.message),
        }
    }
}
