//! Errors of changing files.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use sealwave_core::diagnostic::{Explain, write_error_reason};
use sealwave_core::text::shell_quoted;

/// An error of changing files.
#[derive(Debug, thiserror::Error)]
pub enum FileChangeError {
    /// A file is not what it was when the change was planned.
    #[error("`{}` has changed since the plan was made", .0.display())]
    Changed(PathBuf),
    /// A file is neither what it was before an interrupted change nor what it would be after it.
    #[error("`{}` was changed after an interrupted run", .0.display())]
    ChangedSince(PathBuf),
    /// The system refuses.
    #[error("`{}` cannot be changed: {}", .path.display(), write_error_reason(*.reason))]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        reason: io::ErrorKind,
    },
    /// Files that could not be restored after an error.
    #[error("{error}, and {} could not be restored", listed(.left))]
    NotRestored {
        /// The error.
        error: Box<Self>,
        /// The files that have their new contents.
        left: Vec<PathBuf>,
    },
    /// The path is a link, or not a regular file.
    #[error("`{}` is not a regular file", .0.display())]
    NotRegular(PathBuf),
    /// The path leaves the root.
    #[error("`{}` leads out of the directory", .0.display())]
    Outside(PathBuf),
    /// Two changes have the same path.
    #[error("`{}` would be changed twice", .0.display())]
    Twice(PathBuf),
}

fn listed(paths: &[PathBuf]) -> impl fmt::Display {
    let quoted: Vec<String> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
    quoted.join(", ")
}

impl FileChangeError {
    pub(super) fn io(path: &Path, error: &io::Error) -> Self {
        Self::Io { path: path.to_owned(), reason: error.kind() }
    }
}

impl Explain for FileChangeError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Changed(_) => Some("run the command again".to_owned()),
            Self::ChangedSince(path) => Some(format!(
                "restore the committed file with `git checkout -- {}`, and run the command again",
                shell_quoted(&path.to_string_lossy())
            )),
            Self::NotRestored { left, .. } => {
                let paths: Vec<String> =
                    left.iter().map(|path| shell_quoted(&path.to_string_lossy())).collect();
                Some(format!("`git checkout -- {}` restores them", paths.join(" ")))
            }
            Self::NotRegular(_) => Some("replace the link by the file".to_owned()),
            Self::Io { .. } | Self::Outside(_) | Self::Twice(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_within_commands_are_quoted() {
        let path = PathBuf::from("envs/dev/a b; rm -rf ~.yaml");
        let quoted = "`git checkout -- 'envs/dev/a b; rm -rf ~.yaml'`";
        let since = FileChangeError::ChangedSince(path.clone());
        let left = FileChangeError::NotRestored { error: Box::new(since), left: vec![path.clone()] };
        for error in [FileChangeError::ChangedSince(path), left] {
            assert!(error.hint().is_some_and(|hint| hint.contains(quoted)), "{error:?}");
        }
    }
}
