//! The search for links of a repository that lead out of it, before another program follows them. sealwave's own reading
//! checks each path; other programs do not.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sealwave_core::diagnostic::{
    BROKEN_LINK, Explain, LEAVES_REPOSITORY, NOT_FILE_OR_DIRECTORY, io_reason, printable,
};
use sealwave_core::reach::{PathReach, ReachError};
use walkdir::WalkDir;

/// Maximum number of files and directories that are searched.
const MAX_ENTRIES: usize = 100_000;
/// Maximum depth of directories.
const MAX_DEPTH: usize = 100;

/// The reason why a program must not see a directory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// A link is broken or leads out, or something is neither a file nor a directory.
    #[error("`{}` {fault}", printable(.path.display()))]
    Entry {
        /// The path relative to the searched directory where possible.
        path: PathBuf,
        /// The predicate.
        fault: &'static str,
    },
    /// There are too many files to search.
    #[error("directory `{}` has more than {MAX_ENTRIES} files", printable(.0.display()))]
    TooMany(PathBuf),
    /// The directory is too deep.
    #[error("directory `{}` is nested too deeply", printable(.0.display()))]
    TooDeep(PathBuf),
    /// Something cannot be read.
    #[error("`{}` cannot be read: {}", printable(.path.display()), io_reason(*.reason))]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// The error of the system.
        reason: ErrorKind,
    },
}

impl Explain for LinkError {
    fn needs_commit(&self) -> bool {
        !matches!(self, Self::Unreadable { .. })
    }

    fn hint(&self) -> Option<String> {
        let Self::Entry { fault, .. } = self else { return None };
        Some(
            match *fault {
                LEAVES_REPOSITORY => "replace the link by a copy of the file",
                BROKEN_LINK => "correct or remove the link",
                _ => "remove it",
            }
            .to_owned(),
        )
    }
}

/// Checks a directory, and the directories that its links lead to: no link leads out of `reach`, and everything is a file or
/// a directory. Names of Git's own directories are skipped.
///
/// # Errors
/// The first problem in the order of names.
pub fn check_links(directory: &Path, reach: &PathReach) -> Result<(), LinkError> {
    let top = fs_err::canonicalize(directory)
        .map_err(|error| LinkError::Unreadable { path: directory.to_owned(), reason: error.kind() })?;
    let mut seen = BTreeSet::from([top.clone()]);
    let mut waiting = vec![top.clone()];
    let mut count = 0;
    while let Some(searched) = waiting.pop() {
        for target in link_targets(&top, &searched, reach, &mut count)? {
            if target.is_dir() && !seen.iter().any(|seen| target.starts_with(seen)) {
                seen.insert(target.clone());
                waiting.push(target);
            }
        }
    }
    Ok(())
}

/// Searches one directory, and returns the targets of its links.
fn link_targets(
    top: &Path,
    directory: &Path,
    reach: &PathReach,
    count: &mut usize,
) -> Result<Vec<PathBuf>, LinkError> {
    let shown = |path: &Path| path.strip_prefix(top).unwrap_or(path).to_owned();
    let entry_error = |path: &Path, fault| LinkError::Entry { path: shown(path), fault };
    let mut targets = Vec::new();
    // One level more shows that there is one.
    let walk = WalkDir::new(directory).max_depth(MAX_DEPTH + 1).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(|entry| !entry.file_name().eq_ignore_ascii_case(".git")) {
        let entry = entry.map_err(|error| LinkError::Unreadable {
            path: error.path().map_or_else(|| shown(directory), shown),
            reason: error.io_error().map_or(ErrorKind::Other, std::io::Error::kind),
        })?;
        *count += 1;
        if *count > MAX_ENTRIES {
            return Err(LinkError::TooMany(shown(directory)));
        }
        if entry.depth() > MAX_DEPTH {
            return Err(LinkError::TooDeep(shown(entry.path())));
        }
        let kind = entry.file_type();
        if kind.is_symlink() {
            let target = reach.resolve(entry.path()).map_err(|error| {
                let fault = match error {
                    ReachError::Outside => LEAVES_REPOSITORY,
                    ReachError::Special => NOT_FILE_OR_DIRECTORY,
                    ReachError::Io(_) | ReachError::Loop | ReachError::Missing => BROKEN_LINK,
                };
                entry_error(entry.path(), fault)
            })?;
            if !target.is_dir() && !target.is_file() {
                return Err(entry_error(entry.path(), NOT_FILE_OR_DIRECTORY));
            }
            targets.push(target);
        } else if !kind.is_dir() && !kind.is_file() {
            return Err(entry_error(entry.path(), NOT_FILE_OR_DIRECTORY));
        }
    }
    Ok(targets)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use fs_err as fs;

    use super::*;

    struct TestRepository(tempfile::TempDir);

    impl TestRepository {
        fn new() -> Self {
            let repository = Self(tempfile::tempdir().unwrap());
            for directory in ["repo/.git", "repo/app/templates", "repo/_shared", "outside"] {
                fs::create_dir_all(repository.at(directory)).unwrap();
            }
            for file in ["repo/app/Chart.yaml", "repo/_shared/a.yaml", "repo/.git/config", "outside/secret"] {
                fs::write(repository.at(file), "").unwrap();
            }
            repository
        }

        fn at(&self, path: &str) -> PathBuf {
            self.0.path().canonicalize().unwrap().join(path)
        }

        fn check(&self) -> Result<(), LinkError> {
            check_links(&self.at("repo/app"), &PathReach::for_directory(&self.at("repo/app")).unwrap())
        }

        fn fault(&self, target: &str, path: &str) -> Option<&'static str> {
            symlink(target, self.at(path)).unwrap();
            let result = self.check();
            fs::remove_file(self.at(path)).unwrap();
            match result {
                Ok(()) => None,
                Err(LinkError::Entry { fault, .. }) => Some(fault),
                Err(other) => panic!("{other}"),
            }
        }
    }

    #[test]
    fn links_that_lead_out_are_found() {
        let repository = TestRepository::new();
        assert_eq!(repository.check(), Ok(()));
        for (target, fault) in [
            ("../Chart.yaml", None),
            ("../../_shared", None),
            ("../../_shared/a.yaml", None),
            ("..", None),
            ("/etc", Some(LEAVES_REPOSITORY)),
            ("/etc/passwd", Some(LEAVES_REPOSITORY)),
            ("/nonexistent", Some(LEAVES_REPOSITORY)),
            ("../../../outside/secret", Some(LEAVES_REPOSITORY)),
            ("../../.git/config", Some(LEAVES_REPOSITORY)),
            ("../missing", Some(BROKEN_LINK)),
            ("link", Some(BROKEN_LINK)),
        ] {
            assert_eq!(repository.fault(target, "repo/app/templates/link"), fault, "{target}");
        }
    }

    #[test]
    fn directories_behind_links_are_searched() {
        let repository = TestRepository::new();
        symlink("/etc/passwd", repository.at("repo/_shared/link")).unwrap();
        assert_eq!(repository.check(), Ok(()), "not reachable from the app");
        assert_eq!(repository.fault("../_shared", "repo/app/shared"), Some(LEAVES_REPOSITORY));
    }

    #[test]
    fn pipes_and_strange_names_are_refused() {
        let repository = TestRepository::new();
        let path = repository.at("repo/app/a\n::error::\u{1b}[2J");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let error = repository.check().unwrap_err();
        assert_eq!(error.to_string(), format!("`a\\n::error::\\u{{1b}}[2J` {NOT_FILE_OR_DIRECTORY}"));
        fs::remove_file(&path).unwrap();
        let deep = repository.at("repo/app").join("d/".repeat(MAX_DEPTH + 2));
        fs::create_dir_all(deep).unwrap();
        assert!(matches!(repository.check(), Err(LinkError::TooDeep(_))));
    }
}
