//! Files that a run does not read: globs from flags and from a settings file, as in a `.gitignore`.
//!
//! The globs of a list are relative to a directory, and the last one that matches a path decides.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::paths::{full_directory, full_path};
use sealwave_core::diagnostic::{Explain, Note, Problem};

/// The globs of a run.
#[derive(Clone, Debug, Default)]
pub struct Excludes {
    lists: Vec<Arc<ExcludeList>>,
}

/// The globs of one directory.
#[derive(Debug)]
struct ExcludeList {
    /// The directory, without symbolic links.
    directory: PathBuf,
    globs: Gitignore,
    patterns: Vec<String>,
    used: Mutex<BTreeSet<String>>,
}

/// An invalid glob.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("exclude pattern is not a valid glob: `{pattern}`")]
pub struct ExcludeError {
    pattern: String,
    /// Its index in the list.
    pub index: usize,
}

impl Explain for ExcludeError {
    fn hint(&self) -> Option<String> {
        Some("write it as in a `.gitignore`, for example `vendor/` or `**/testdata/*.yaml`".to_owned())
    }
}

/// A glob without a match.
#[derive(Debug, thiserror::Error)]
#[error("exclude pattern `{0}` matches nothing")]
struct UnusedExclude(String);

impl Explain for UnusedExclude {
    fn hint(&self) -> Option<String> {
        Some("remove it, or write it relative to the working directory or the settings file".to_owned())
    }
}

impl Excludes {
    /// Adds globs relative to a directory.
    ///
    /// # Errors
    /// A glob is not valid.
    pub fn add(&mut self, directory: &Path, patterns: &[String]) -> Result<(), ExcludeError> {
        if patterns.is_empty() {
            return Ok(());
        }
        let directory = full_directory(directory);
        let mut globs = GitignoreBuilder::new(&directory);
        for (index, pattern) in patterns.iter().enumerate() {
            let invalid = || ExcludeError { pattern: pattern.clone(), index };
            if pattern.trim().is_empty() {
                return Err(invalid());
            }
            globs.add_line(None, pattern).map_err(|_| invalid())?;
        }
        let globs = globs.build().map_err(|_| ExcludeError { pattern: patterns.join(", "), index: 0 })?;
        let list = ExcludeList { directory, globs, patterns: patterns.to_vec(), used: Mutex::default() };
        self.lists.push(Arc::new(list));
        Ok(())
    }

    /// Reports whether a path, without symbolic links above its last part, is excluded; not whether a directory above is.
    pub(super) fn excludes(&self, full: &Path, is_directory: bool) -> bool {
        self.any(|list| list.excludes(full, |globs, path| glob_match(&globs.matched(path, is_directory))))
    }

    /// Reports whether a path or a directory above it is excluded.
    pub(super) fn excludes_given(&self, path: &Path, is_directory: bool) -> bool {
        if self.lists.is_empty() {
            return false;
        }
        let Some(full) = full_path(path) else { return false };
        let matched = |globs: &Gitignore, path: &Path| {
            glob_match(&globs.matched_path_or_any_parents(path, is_directory))
        };
        self.any(|list| list.excludes(&full, matched))
    }

    /// Returns notes about the globs that matched nothing.
    #[must_use]
    pub fn unused(&self) -> Vec<Note> {
        let unused = self.lists.iter().flat_map(|list| list.unused());
        unused.map(|pattern| Note::info(Problem::new(&UnusedExclude(pattern)))).collect()
    }

    /// Asks every list, so that each records its match.
    fn any(&self, excludes: impl Fn(&ExcludeList) -> bool) -> bool {
        self.lists.iter().fold(false, |found, list| excludes(list) | found)
    }
}

/// The text of the deciding glob, and whether it excludes.
type GlobMatch = Option<(String, bool)>;

fn glob_match(found: &Match<&ignore::gitignore::Glob>) -> GlobMatch {
    match found {
        Match::None => None,
        Match::Ignore(glob) => Some((glob.original().to_owned(), true)),
        Match::Whitelist(glob) => Some((glob.original().to_owned(), false)),
    }
}

impl ExcludeList {
    fn excludes(&self, full: &Path, matched: impl Fn(&Gitignore, &Path) -> GlobMatch) -> bool {
        let inside = full.strip_prefix(&self.directory).ok().filter(|path| !path.as_os_str().is_empty());
        self.record(inside.and_then(|path| matched(&self.globs, path)))
    }

    fn record(&self, found: GlobMatch) -> bool {
        found.is_some_and(|(pattern, is_excluded)| {
            self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(pattern);
            is_excluded
        })
    }

    fn unused(&self) -> Vec<String> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        self.patterns.iter().filter(|pattern| !used.contains(pattern.trim_end())).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excluded(patterns: &[&str], paths: &[(&str, bool)]) -> (Vec<bool>, usize) {
        let mut excludes = Excludes::default();
        let patterns: Vec<String> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        excludes.add(Path::new("/nowhere/repo"), &patterns).unwrap();
        let found =
            paths.iter().map(|(path, is_directory)| excludes.excludes(Path::new(path), *is_directory));
        (found.collect(), excludes.unused().len())
    }

    #[test]
    fn globs_are_those_of_a_gitignore() {
        let paths = [
            ("/nowhere/repo/vendor", true),
            ("/nowhere/repo/vendor", false),
            ("/nowhere/repo/a/b.yaml", false),
            ("/nowhere/repo/a/keep.yaml", false),
            ("/nowhere/vendor", true),
            ("/nowhere/repo", true),
        ];
        let (found, unused) = excluded(&["vendor/", "a/*.yaml", "!keep.yaml", "/nothing"], &paths);
        assert_eq!(found, [true, false, true, false, false, false]);
        assert_eq!(unused, 1);
    }

    #[test]
    fn an_invalid_glob_is_an_error_with_its_index() {
        for pattern in ["a{", " ", "[z-a]"] {
            let error = Excludes::default().add(Path::new("/"), &["ok".to_owned(), pattern.to_owned()]);
            assert_eq!(error, Err(ExcludeError { pattern: pattern.to_owned(), index: 1 }));
        }
    }
}
