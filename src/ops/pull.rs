//! The lock file of custom resources: what a cluster says of them, for `validate` to read without one.
//!
//! Equal clusters give equal bytes: nothing of the day, the address or the user is in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use globset::{GlobBuilder, GlobMatcher};

use sealwave_core::diagnostic::Explain;
use sealwave_core::document::Node;
use sealwave_core::yaml;
use sealwave_kube::schema::{LockedDefinition, MAX_DEFINITIONS};
use sealwave_providers::{Cluster, ProviderError};
use sealwave_validate::report::{ReportFileError, write_report};

/// Longer than any group, with room for alternatives.
const MAX_GLOB: usize = 1000;

/// Why there is no new lock file.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The cluster has none.
    #[error("the cluster has no CustomResourceDefinition")]
    Empty,
    /// The pattern is malformed.
    #[error("`--group {0}` is not a pattern of groups")]
    Glob(String),
    /// The cluster does not give them.
    #[error("the list of CustomResourceDefinitions {0}")]
    List(ProviderError),
    /// No definition is of a group that was asked for.
    #[error("the cluster has no CustomResourceDefinition of a group like `{0}`")]
    NoGroup(String),
    /// `validate` would not read the file.
    #[error("the lock file would be larger than {} MiB", MAX_DEFINITIONS >> 20)]
    TooLarge,
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] ReportFileError),
}

impl Explain for PullError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Empty => Some("see that `--context` is the cluster that you mean".to_owned()),
            Self::Glob(_) => {
                Some("write a group, for example `cert-manager.io` or `*.cert-manager.io`".to_owned())
            }
            Self::List(error) => error.hint(),
            Self::NoGroup(_) => Some("`kubectl api-resources` shows the groups that there are".to_owned()),
            Self::TooLarge => Some("choose the groups that you use with `--group`".to_owned()),
            Self::Write(error) => error.hint(),
        }
    }
}

/// A lock file that is not written yet.
#[derive(Debug)]
pub struct LockFile {
    /// How many definitions it holds.
    pub definitions: usize,
    text: Vec<u8>,
}

impl LockFile {
    /// Asks a cluster for its definitions: all of them, or those of the groups that these patterns mean.
    ///
    /// # Errors
    /// The cluster does not give them, or has none.
    pub fn pull(cluster: &Cluster, groups: &[String], deadline: Instant) -> Result<Self, PullError> {
        let mut groups = groups.to_vec();
        groups.sort();
        groups.dedup();
        let wanted = groups.iter().map(|group| glob(group)).collect::<Result<Vec<_>, _>>()?;
        let mut matched = vec![false; wanted.len()];
        let mut definitions: BTreeMap<String, Node> = BTreeMap::new();
        let mut take = |definition| {
            let Some(locked) = LockedDefinition::new(&definition) else { return false };
            let mut is_wanted = wanted.is_empty();
            for (glob, matched) in wanted.iter().zip(&mut matched) {
                let is_like = glob.is_match(&locked.group);
                *matched |= is_like;
                is_wanted |= is_like;
            }
            if is_wanted {
                definitions.insert(locked.name, locked.root);
            }
            true
        };
        cluster.definitions(deadline, &mut take).map_err(PullError::List)?;
        if let Some((group, _)) = groups.iter().zip(&matched).find(|(_, matched)| !**matched) {
            return Err(PullError::NoGroup(group.clone()));
        }
        if definitions.is_empty() {
            return Err(PullError::Empty);
        }
        Self::of(&definitions, &groups)
    }

    /// Writes it in place of what was there.
    ///
    /// # Errors
    /// It cannot be written; what was there is as it was.
    pub fn write(&self, path: &Path) -> Result<(), PullError> {
        Ok(write_report(path, &self.text)?)
    }

    fn of(definitions: &BTreeMap<String, Node>, groups: &[String]) -> Result<Self, PullError> {
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

fn head(groups: &[String]) -> String {
    let command: Vec<String> = ["sealwave schemas pull".to_owned()]
        .into_iter()
        .chain(groups.iter().map(|group| format!("--group '{group}'")))
        .collect();
    format!(
        "# The custom resources of a cluster: `sealwave validate` reads this where `--crds` or `validate.crds` names it.\n\
         # Written by `{}`. Run that again to renew it; what is changed by hand is lost.\n",
        command.join(" ")
    )
}

/// What a pattern means. It will stand in a comment, in quotes.
fn glob(group: &str) -> Result<GlobMatcher, PullError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-.*?[]{},!".contains(&byte);
    let wrong = || PullError::Glob(group.to_owned());
    if group.is_empty() || group.len() > MAX_GLOB || !group.bytes().all(fits) {
        return Err(wrong());
    }
    GlobBuilder::new(group).build().map(|glob| glob.compile_matcher()).map_err(|_| wrong())
}
