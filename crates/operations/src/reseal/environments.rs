//! The environments of files: each environment usually has a cluster of its own, and an item that is sealed for the certificate of
//! another cluster cannot be opened.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sealwave_core::document::display_path;

use super::error::ResealError;
use crate::manifest_files::SkippedFile;

/// The directory of environments in an app.
const ENVIRONMENTS: &str = "envs";

/// Leaves the files of environments among those at or below a path. In a directory without environments, all files are left.
///
/// # Errors
/// The path is a file of another environment.
pub(super) fn select(
    path: &Path,
    files: &mut BTreeMap<PathBuf, String>,
    skipped: &mut Vec<SkippedFile>,
    environments: &[String],
) -> Result<(), ResealError> {
    let is_other = |name: &str| !environments.iter().any(|named| named == name);
    if !path.is_dir() {
        let other = files.keys().find_map(|file| environment_of(file).filter(|name| is_other(name)));
        return match other {
            Some(name) => {
                let (path, environment) = (display_path(path), name.to_owned());
                Err(ResealError::OtherEnvironment { path, environment })
            }
            None => Ok(()),
        };
    }
    if files.keys().any(|file| environment_of(file).is_some()) {
        files.retain(|file, _| environment_of(file).is_some_and(|name| !is_other(name)));
    }
    // What cannot be read may be a directory; where its files belong is not known everywhere.
    skipped.retain(|file| !environment_of(&file.inside.join("file")).is_some_and(is_other));
    Ok(())
}

/// Returns the directory that holds the last `envs` on the way to a directory.
pub(super) fn above_environments(directory: &Path) -> Option<&Path> {
    directory.ancestors().find(|at| at.file_name().is_some_and(|name| name == ENVIRONMENTS))?.parent()
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
