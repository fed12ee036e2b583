//! The environments that paths of sources name: `values-{{env}}.yaml` finds `values-dev.yaml`.

use std::path::Path;

use fs_err as fs;

use super::error::{Error, at_path};
use super::nearby::{self, CHART_FILE, KUSTOMIZATION_FILES};
use crate::boundary::Boundary;
use sealwave_core::diagnostic::{Failure, Problem};
use sealwave_secrets::settings::EnvironmentPath;

/// Returns the names that stand for the environment in the paths of a pattern which exist, sorted. A directory counts if
/// Kustomize can render it.
///
/// # Errors
/// The directory of the pattern cannot be read, or leads out of the repository.
pub(super) fn names_for_pattern(
    dir: &Path,
    boundary: &Boundary,
    pattern: &EnvironmentPath,
) -> Result<Vec<String>, Failure> {
    let Some((before, after)) = pattern.around_environment() else { return Ok(Vec::new()) };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or((".", before));
    let suffix = after.split('/').next().unwrap_or_default();
    let parent = dir.join(parent);
    let io_failure = |error| Failure::from(Problem::new(&Error::Io(error)));
    if !parent.is_dir() {
        return Ok(Vec::new());
    }
    // Names appear in messages, so a path must not reveal those of other directories.
    if !fs::canonicalize(&parent).map_err(io_failure)?.starts_with(&boundary.directory) {
        return Err(at_path(&parent, &Error::EnvironmentsOutside(boundary.extent)).into());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(&parent).map_err(io_failure)? {
        let entry = entry.map_err(io_failure)?.file_name();
        let name = entry.to_str().and_then(|name| name.strip_prefix(prefix)?.strip_suffix(suffix));
        let Some(name) = name.filter(|name| !name.is_empty() && !name.starts_with('.')) else { continue };
        let path = dir.join(pattern.in_environment(name));
        if path.is_file()
            || nearby::has_file(&path, &KUSTOMIZATION_FILES)
            || nearby::has_file(&path, &[CHART_FILE])
        {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}
