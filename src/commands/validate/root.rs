//! Where the repository of a path is.

use std::path::{Path, PathBuf};

/// The nearest directory above a full path, or the path itself, that has a `.git`.
pub(super) fn root_of(path: &Path) -> Option<PathBuf> {
    // In a worktree and in a submodule it is a file.
    path.ancestors().find(|directory| directory.join(".git").exists()).map(Path::to_owned)
}
