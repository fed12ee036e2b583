//! The epoch of each path.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::settings::PathEpoch;
use crate::SettingsError;
use crate::config_error::BadGlob;
use sealwave_core::diagnostic::Explain;

/// The epochs of the operator file, in their order.
pub(super) struct Epochs(Vec<(GlobSet, u32)>);

/// An entry that applies to no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`paths` of `epochs[{index}]` is empty, so the epoch applies to no path")]
struct NoPaths {
    index: usize,
}

impl Explain for NoPaths {
    fn hint(&self) -> Option<String> {
        Some("list globs over paths, for example `db/*`; `**` matches every path".to_owned())
    }
}

impl Epochs {
    pub(super) fn new(entries: &[PathEpoch]) -> Result<Self, SettingsError> {
        let compiled = entries.iter().enumerate().map(|(index, PathEpoch { paths, epoch })| {
            if paths.is_empty() {
                return Err(NoPaths { index }.into());
            }
            Ok((compile(paths)?, *epoch))
        });
        compiled.collect::<Result<_, _>>().map(Self)
    }

    /// Returns the epoch of the first entry that matches a path; by default 0.
    pub(super) fn of_path(&self, path: &str) -> u32 {
        self.0.iter().find(|(globs, _)| globs.is_match(path)).map_or(0, |(_, epoch)| *epoch)
    }
}

/// Compiles globs with the syntax of the policy: only `**` crosses `/`.
fn compile(patterns: &[String]) -> Result<GlobSet, SettingsError> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let mut glob = GlobBuilder::new(pattern);
        glob.literal_separator(true).backslash_escape(true);
        set.add(glob.build().map_err(|_| BadGlob { pattern: pattern.clone() })?);
    }
    set.build().map_err(|_| BadGlob { pattern: patterns.join(", ") }.into())
}
