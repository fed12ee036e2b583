//! The environments of files: each environment usually has a cluster of its own, and an item that is sealed for the certificate of
//! another cluster cannot be opened.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sealwave_core::reach::PathReach;

use super::error::ResealError;
use super::find::SealedTree;

/// The directory of environments in an app.
const ENVIRONMENTS: &str = "envs";

/// Returns where the files of environments are below paths: `envs/<name>` if a directory has it, else the path itself.
#[must_use]
pub fn environment_paths(paths: &[PathBuf], environments: &[String]) -> Vec<PathBuf> {
    if environments.is_empty() {
        return paths.to_vec();
    }
    let narrowed = |path: &PathBuf| -> Vec<PathBuf> {
        let directories = environments.iter().map(|name| path.join(ENVIRONMENTS).join(name));
        // A link out of the repository would have the files of another one changed.
        let reach = PathReach::for_directory(path);
        let is_inside = |directory: &PathBuf| {
            directory.is_dir() && reach.as_ref().is_ok_and(|reach| reach.resolve(directory).is_ok())
        };
        let found: Vec<PathBuf> = directories.filter(is_inside).collect();
        if found.is_empty() { vec![path.clone()] } else { found }
    };
    paths.iter().flat_map(narrowed).collect()
}

/// Requires that the files of a tree belong to the named environments, or to one if none is named.
///
/// # Errors
/// The files belong to several environments, or to one that is not named.
pub fn require_one_environment(tree: &SealedTree, named: &[String]) -> Result<(), ResealError> {
    let found: BTreeSet<String> =
        tree.files.iter().filter_map(|file| environment_of(&file.path).map(str::to_owned)).collect();
    let is_named = |name: &String| named.contains(name);
    if found.iter().all(is_named) || named.is_empty() && found.len() <= 1 {
        return Ok(());
    }
    if named.is_empty() {
        return Err(ResealError::SeveralEnvironments(found.into_iter().collect()));
    }
    Err(ResealError::OtherEnvironments(found.into_iter().filter(|name| !is_named(name)).collect()))
}

/// Returns the environment of a file: the directory below the last `envs`.
#[must_use]
pub fn environment_of(path: &Path) -> Option<&str> {
    let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
    let at = parts.iter().rposition(|part| *part == ENVIRONMENTS)?;
    // The last part is the file itself.
    parts.get(at + 1).copied().filter(|_| at + 2 < parts.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_link_to_another_repository_is_no_environment() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        for name in ["own/.git", "own/envs/prod", "other/.git", "other/envs/dev"] {
            fs_err::create_dir_all(path(name)).expect("created");
        }
        fs_err::os::unix::fs::symlink(path("other/envs/dev"), path("own/envs/dev")).expect("a link");
        fs_err::os::unix::fs::symlink("prod", path("own/envs/live")).expect("a link");
        let paths = |name: &str| environment_paths(&[path("own")], &[name.to_owned()]);
        assert_eq!(paths("dev"), [path("own")]);
        assert_eq!(paths("prod"), [path("own/envs/prod")]);
        assert_eq!(paths("live"), [path("own/envs/live")]);
    }

    #[test]
    fn the_environment_is_the_directory_below_envs() {
        for (path, expected) in [
            ("envs/dev/sealed-secrets/a.yaml", Some("dev")),
            ("apps/x/envs/prod/a.yaml", Some("prod")),
            ("envs/a/envs/b/c.yaml", Some("b")),
            ("envs/a.yaml", None),
            ("base/a.yaml", None),
        ] {
            assert_eq!(environment_of(Path::new(path)), expected, "{path}");
        }
    }
}
