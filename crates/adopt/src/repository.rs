//! The directory and its repository: walks and reads within limits. Links are never followed.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use fs_err as fs;
use ignore::WalkBuilder;

use crate::gap::Refusal;
use sealwave_core::bounded_file::read_file;
use sealwave_core::diagnostic::{Failure, io_reason};
use sealwave_core::document::display_path;
use sealwave_core::reach::{PathReach, ReachError, repository_root};
use sealwave_secrets::settings::APP_FILE;

/// The most files and directories visited in a walk.
pub(crate) const MAX_ENTRIES: usize = 20_000;
/// The greatest depth of a walk.
const MAX_DEPTH: usize = 24;
/// The most bytes of a file; larger ones are not read.
const MAX_FILE: u64 = 1 << 20;
/// The most bytes read in one walk.
const MAX_TOTAL: u64 = 64 << 20;

/// A directory and the repository around it.
pub(crate) struct Repository {
    given: PathBuf,
    /// The full path of the directory, without links.
    pub(crate) dir: PathBuf,
    /// The full path of the repository's root; outside of repositories, that of the directory.
    pub(crate) root: PathBuf,
    reach: PathReach,
}

/// The files below a directory, in the order of paths.
#[derive(Default)]
pub(crate) struct WalkedFiles {
    /// Regular files.
    pub(crate) files: Vec<PathBuf>,
    /// Links that leave the repository.
    pub(crate) outside: Vec<PathBuf>,
    /// Whether the walk ended at its limit.
    pub(crate) is_cut: bool,
}

/// The bytes that may still be read.
pub(crate) struct ReadBudget(u64);

impl Default for ReadBudget {
    fn default() -> Self {
        Self(MAX_TOTAL)
    }
}

impl Repository {
    /// Finds the repository of a directory.
    ///
    /// # Errors
    /// The directory does not exist, or is not one.
    pub(crate) fn of(dir: &Path) -> Result<Self, Failure> {
        let unreadable = |error: std::io::Error| Refusal::Unreadable {
            path: display_path(dir),
            reason: io_reason(error.kind()),
        };
        let full = fs::canonicalize(dir).map_err(|error| unreadable(error).into_problem())?;
        if !full.is_dir() {
            return Err(Refusal::NotADirectory(display_path(dir)).into_problem().into());
        }
        let root = repository_root(&full).unwrap_or(&full).to_owned();
        Ok(Self { given: dir.to_owned(), reach: PathReach::Below(root.clone()), dir: full, root })
    }

    /// Returns a full path as the user would write it.
    pub(crate) fn name_of(&self, full: &Path) -> String {
        let mut parts: Vec<Component<'_>> = self.given.components().collect();
        let relative = relative_path(&self.dir, full);
        for part in relative.components() {
            match (part, parts.last()) {
                (Component::ParentDir, Some(Component::Normal(_))) => drop(parts.pop()),
                (Component::ParentDir, Some(Component::CurDir)) => {
                    parts.pop();
                    parts.push(part);
                }
                _ => parts.push(part),
            }
        }
        display_path(&parts.iter().collect::<PathBuf>())
    }

    /// Returns the directory's path from the root, as an Application names it.
    pub(crate) fn path_from_root(&self) -> String {
        display_path(self.dir.strip_prefix(&self.root).unwrap_or(&self.dir))
    }

    /// Returns the full path of a path from the root; `None` if it does not exist or leaves the repository.
    pub(crate) fn resolve(&self, from_root: &Path) -> Option<PathBuf> {
        if !self.reach.contains_names(&self.root, from_root) {
            return None;
        }
        let mut normal = PathBuf::new();
        for part in from_root.components() {
            match part {
                Component::Normal(name) => normal.push(name),
                Component::ParentDir => drop(normal.pop()),
                _ => {}
            }
        }
        if normal.as_os_str().is_empty() {
            Some(self.root.clone())
        } else {
            self.reach.resolve(&self.root.join(normal)).ok()
        }
    }

    /// Reads a regular file; `None` if it is too large, cannot be read, or leaves the repository.
    pub(crate) fn read(&self, file: &Path, budget: &mut ReadBudget) -> Option<String> {
        let bytes = read_file(self.reach.open(file).ok()?, MAX_FILE.min(budget.0)).ok()?;
        budget.0 = budget.0.saturating_sub(bytes.len() as u64);
        String::from_utf8(bytes.to_vec()).ok()
    }

    /// Walks a directory of the repository, without hidden files, ignored files, and other apps below it.
    pub(crate) fn walk(&self, top: &Path) -> WalkedFiles {
        let mut walked = WalkedFiles::default();
        let start = top.to_owned();
        let walk = WalkBuilder::new(top)
            .ignore(false)
            .git_global(false)
            .git_exclude(false)
            .require_git(repository_root(top).is_some())
            .follow_links(false)
            .max_depth(Some(MAX_DEPTH))
            .sort_by_file_name(OsStr::cmp)
            .filter_entry(move |entry| entry.path() == start || !has_app_file(entry.path()))
            .build();
        for (visited, entry) in walk.flatten().enumerate() {
            if visited == MAX_ENTRIES {
                walked.is_cut = true;
                break;
            }
            let Some(kind) = entry.file_type() else { continue };
            let leaves = || self.reach.resolve(entry.path()) == Err(ReachError::Outside);
            if kind.is_file() {
                walked.files.push(entry.into_path());
            } else if kind.is_symlink() && leaves() {
                walked.outside.push(entry.into_path());
            }
        }
        walked
    }
}

fn has_app_file(directory: &Path) -> bool {
    directory.join(APP_FILE).symlink_metadata().is_ok()
}

/// Reports whether a file is named like a manifest.
pub(crate) fn is_manifest_name(file: &Path) -> bool {
    file.extension().is_some_and(|end| ["yaml", "yml", "json"].iter().any(|known| end == *known))
}

/// Returns the path from a directory to a file or directory; both are full paths without links.
pub(crate) fn relative_path(from: &Path, to: &Path) -> PathBuf {
    let shared = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    let path: PathBuf = up.chain(to.components().skip(shared)).collect();
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_from_one_directory_to_another() {
        for (from, to, path) in [
            ("/r/apps/web", "/r/apps/web", "."),
            ("/r/apps/web", "/r/apps/web/overlays/dev", "overlays/dev"),
            ("/r/apps/web", "/r/charts/web", "../../charts/web"),
            ("/r", "/r/a", "a"),
        ] {
            assert_eq!(relative_path(Path::new(from), Path::new(to)), Path::new(path));
        }
    }
}
