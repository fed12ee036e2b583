//! Paths that commands write to. In a repository, a commit may have made a link of any part of them.
//!
//! Everything that writes to a path that a user named asks here first, so that the rule is the same for all: the file is
//! written where its name says, or not at all. Outside of repositories, links are the user's own.

use std::path::Path;

use crate::diagnostic::Explain;
use crate::reach::{leaves_repository, repository_root};

/// A path that a commit could have redirected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` of a repository is a symbolic link, or is behind one that leads out of it or to its `.git`")]
pub struct LinkedOutput(String);

impl Explain for LinkedOutput {
    fn hint(&self) -> Option<String> {
        Some("pass the path that the link leads to".to_owned())
    }
}

/// Requires that no link in a repository decides where a file is written.
///
/// # Errors
/// The path is a link in a repository, or a link on the way leads out of the repository or to its `.git`.
pub fn check_output_path(path: &Path) -> Result<(), LinkedOutput> {
    // A link such as `/dev/stdout` is in no repository.
    let is_committed = std::path::absolute(path).is_ok_and(|full| repository_root(&full).is_some());
    let is_link = path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
    if is_link && is_committed || leaves_repository(path) {
        return Err(LinkedOutput(path.display().to_string()));
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_of_a_repository_do_not_decide_where_a_file_is_written() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        for name in ["own/.git/hooks", "own/a/b", "outside"] {
            fs_err::create_dir_all(path(name)).expect("created");
        }
        let links = [
            ("/dev/null", "own/device"),
            ("a/b", "own/inside"),
            ("a/file", "own/file"),
            ("../outside", "own/out"),
            ("../outside/new", "own/new"),
            (".git/hooks", "own/hooks"),
            ("../.git", "own/a/git"),
            ("own/a/file", "mine"),
        ];
        for (to, name) in links {
            symlink(to, path(name)).expect("a link");
        }
        for (name, is_refused) in [
            ("own/a/file", false),
            ("own/a/b/new", false),
            ("own/inside/new", false),
            ("own/.git/hooks/named", false),
            ("mine", false),
            ("own/out/../file", true),
            ("own/device", true),
            ("own/inside", true),
            ("own/file", true),
            ("own/out/new", true),
            ("own/new", true),
            ("own/hooks/pre-commit", true),
            ("own/a/git/config", true),
            ("own/a/git/hooks/pre-push", true),
        ] {
            assert_eq!(check_output_path(&path(name)).is_err(), is_refused, "{name}");
        }
        assert_eq!(check_output_path(Path::new("/dev/stdout")), Ok(()));
    }
}
