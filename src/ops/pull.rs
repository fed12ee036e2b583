//! The lock file with a cluster's custom resource definitions, so that `validate` needs no cluster.
//!
//! Equal clusters give equal bytes: the file holds no date, address or user.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use globset::{GlobBuilder, GlobMatcher};

use sealwave_core::diagnostic::Explain;
use sealwave_core::document::Node;
use sealwave_core::text::closest_name;
use sealwave_core::yaml;
use sealwave_kube::schema::{LockedDefinition, MAX_DEFINITIONS};
use sealwave_providers::{ClusterAccess, ProviderError};
use sealwave_validate::report::{ReportFileError, write_report};

/// The most bytes of a group pattern.
const MAX_GLOB: usize = 1000;

/// An error of `schemas pull`.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The cluster has no definitions.
    #[error("cluster has no CustomResourceDefinitions")]
    Empty,
    /// The pattern is malformed.
    #[error("`--group {0}` is not a valid group pattern")]
    Glob(String),
    /// The cluster does not return its definitions.
    #[error("the list of CustomResourceDefinitions {0}")]
    List(ProviderError),
    /// No definition matches a requested group.
    #[error("cluster has no CustomResourceDefinition with a group that matches `{pattern}`")]
    NoGroup {
        /// The pattern.
        pattern: String,
        /// A group of the cluster that is probably meant.
        meant: Option<String>,
    },
    /// The file would exceed the limit of `validate`.
    #[error("lock file would be larger than {} MiB", MAX_DEFINITIONS >> 20)]
    TooLarge,
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] ReportFileError),
}

impl Explain for PullError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Empty => Some("check that `--context` selects the intended cluster".to_owned()),
            Self::Glob(_) => {
                Some("write a group, for example `cert-manager.io` or `*.cert-manager.io`".to_owned())
            }
            Self::List(error) => error.hint(),
            Self::NoGroup { pattern, meant: Some(meant) } if pattern.ends_with(&format!(".{meant}")) => {
                Some(format!("did you mean `{meant}`? `*.` matches only groups below it"))
            }
            Self::NoGroup { meant: Some(meant), .. } => Some(format!("did you mean `{meant}`?")),
            Self::NoGroup { meant: None, .. } => {
                Some("`kubectl api-resources` lists the groups of the cluster".to_owned())
            }
            Self::TooLarge => Some("select the groups that you use with `--group`".to_owned()),
            Self::Write(error) => error.hint(),
        }
    }
}

/// The contents of a lock file.
#[derive(Debug)]
pub struct LockFile {
    /// The number of definitions in it.
    pub definitions: usize,
    text: Vec<u8>,
}

impl LockFile {
    /// Fetches the definitions of a cluster: all of them, or those whose groups match a pattern.
    ///
    /// # Errors
    /// Returns an error if the cluster does not return definitions, or has none.
    pub fn pull(cluster: &ClusterAccess, groups: &[String], deadline: Instant) -> Result<Self, PullError> {
        let mut groups = groups.to_vec();
        groups.sort();
        groups.dedup();
        let wanted = groups.iter().map(|group| glob(group)).collect::<Result<Vec<_>, _>>()?;
        let mut matched = vec![false; wanted.len()];
        let mut definitions: BTreeMap<String, Node> = BTreeMap::new();
        let mut existing = BTreeSet::new();
        let mut add = |definition| {
            let Some(locked) = LockedDefinition::new(&definition) else { return false };
            let mut is_wanted = wanted.is_empty();
            for (glob, matched) in wanted.iter().zip(&mut matched) {
                let is_match = glob.is_match(&locked.group);
                *matched |= is_match;
                is_wanted |= is_match;
            }
            existing.insert(locked.group.clone());
            if is_wanted {
                definitions.insert(locked.name, locked.root);
            }
            true
        };
        cluster.definitions(deadline, &mut add).map_err(PullError::List)?;
        if let Some((group, _)) = groups.iter().zip(&matched).find(|(_, matched)| !**matched) {
            return Err(PullError::NoGroup { pattern: group.clone(), meant: meant_group(group, &existing) });
        }
        if definitions.is_empty() {
            return Err(PullError::Empty);
        }
        Self::from_definitions(&definitions, &groups)
    }

    /// Writes the file, replacing an existing one.
    ///
    /// # Errors
    /// Returns an error if the file cannot be written; an existing file is unchanged.
    pub fn write(&self, path: &Path) -> Result<(), PullError> {
        Ok(write_report(path, &self.text)?)
    }

    fn from_definitions(definitions: &BTreeMap<String, Node>, groups: &[String]) -> Result<Self, PullError> {
        let mut text = head(groups).into_bytes();
        for definition in definitions.values() {
            yaml::write_yaml(definition, &mut text);
            if text.len() > MAX_DEFINITIONS {
                return Err(PullError::TooLarge);
            }
        }
        Ok(Self { definitions: definitions.len(), text })
    }
}

/// Returns the group of the cluster that a pattern without a match probably means: the one that it only looks below, or
/// a similar one.
fn meant_group(pattern: &str, existing: &BTreeSet<String>) -> Option<String> {
    let below = pattern.trim_start_matches(['*', '.']);
    let same = existing.get(below).map(String::as_str);
    same.or_else(|| closest_name(below, existing.iter().map(String::as_str))).map(str::to_owned)
}

fn head(groups: &[String]) -> String {
    let command: Vec<String> = ["sealwave schemas pull".to_owned()]
        .into_iter()
        .chain(groups.iter().map(|group| format!("--group '{group}'")))
        .collect();
    format!(
        "# Custom resource definitions of a cluster, for `--crds` or `validate.crds` of `sealwave validate`.\n\
         # Generated by `{}`. Run it again to update this file; manual changes are lost.\n",
        command.join(" ")
    )
}

/// Parses a pattern. It is written into a comment in quotes, so its characters are restricted.
fn glob(group: &str) -> Result<GlobMatcher, PullError> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-.*?[]{},!".contains(&byte);
    let invalid = || PullError::Glob(group.to_owned());
    if group.is_empty() || group.len() > MAX_GLOB || !group.bytes().all(is_allowed) {
        return Err(invalid());
    }
    GlobBuilder::new(group).build().map(|glob| glob.compile_matcher()).map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_without_a_match_suggests_a_group() {
        let existing = BTreeSet::from(["external-secrets.io".to_owned(), "cert-manager.io".to_owned()]);
        let hint = |pattern: &str| {
            let meant = meant_group(pattern, &existing);
            PullError::NoGroup { pattern: pattern.to_owned(), meant }.hint().expect("a hint")
        };
        assert_eq!(
            hint("*.external-secrets.io"),
            "did you mean `external-secrets.io`? `*.` matches only groups below it"
        );
        assert_eq!(hint("cert-manger.io"), "did you mean `cert-manager.io`?");
        assert_eq!(hint("example.com"), "`kubectl api-resources` lists the groups of the cluster");
    }
}
