//! The environments of an app: entries of the app file, and directories.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use fs_err as fs;

use super::environment_paths::names_for_pattern;
use super::error::{Error, at_path};
use super::nearby::ENVIRONMENTS;
use super::sources::AppSource;
use crate::boundary::Boundary;
use sealwave_core::diagnostic::{Failure, Problem, ProblemPlace};
use sealwave_secrets::settings::{App, EnvironmentSettings, SettingsFile};

/// The environments of an app.
pub(super) struct Environments {
    /// The settings of each environment; a directory that is not declared has the defaults.
    pub(super) settings: BTreeMap<String, EnvironmentSettings>,
    /// The environments that have a directory.
    pub(super) directories: BTreeSet<String>,
}

impl Environments {
    /// Reads the environments that the app file declares, and the directories under `envs/`. If the app file declares none,
    /// the paths of sources also name environments.
    ///
    /// # Errors
    /// Names that are not valid, and directories that cannot be read.
    pub(super) fn read(
        dir: &Path,
        boundary: &Boundary,
        app: &App,
        sources: &[AppSource],
        file: &SettingsFile<'_>,
    ) -> Result<Self, Failure> {
        let mut problems = Vec::new();
        for name in app.environments.keys().filter(|name| !is_environment_name(name)) {
            let place = file.locate_setting(&["environments", name], None);
            let error = Error::EnvironmentName { valid: valid_environment_name(name) };
            problems.push(Problem { at: ProblemPlace::Place(place), ..Problem::new(&error) });
        }
        let mut all = app.environments.clone();
        let directories = environment_directories(dir, boundary)?;
        for name in &directories {
            if is_environment_name(name) {
                all.entry(name.clone()).or_default();
            } else {
                let error = Error::EnvironmentName { valid: valid_environment_name(name) };
                problems.push(at_path(&dir.join(ENVIRONMENTS).join(name), &error));
            }
        }
        if app.environments.is_empty() {
            let patterns = sources.iter().flat_map(AppSource::environment_paths);
            for pattern in patterns {
                for name in names_for_pattern(dir, boundary, pattern)? {
                    if is_environment_name(&name) {
                        all.entry(name).or_default();
                    } else {
                        let error = Error::EnvironmentName { valid: valid_environment_name(&name) };
                        problems.push(at_path(&dir.join(pattern.path().in_environment(&name)), &error));
                    }
                }
            }
        }
        Failure::unless_empty(problems)?;
        Ok(Self { settings: all, directories })
    }
}

/// Returns the settings of an only environment: the defaults.
///
/// # Errors
/// The name is not valid.
pub(super) fn only(name: &str) -> Result<BTreeMap<String, EnvironmentSettings>, Error> {
    if is_environment_name(name) {
        Ok(BTreeMap::from([(name.to_owned(), EnvironmentSettings::default())]))
    } else {
        Err(Error::EnvironmentName { valid: valid_environment_name(name) })
    }
}

fn environment_directories(dir: &Path, boundary: &Boundary) -> Result<BTreeSet<String>, Failure> {
    let path = dir.join(ENVIRONMENTS);
    let io_failure = |error| Failure::from(Problem::new(&Error::Io(error)));
    if !path.is_dir() {
        return Ok(BTreeSet::new());
    }
    // Directory names appear in messages, so a link must not reveal others.
    if !fs::canonicalize(&path).map_err(io_failure)?.starts_with(&boundary.directory) {
        let error = Error::EnvironmentsOutside(boundary.extent);
        return Err(at_path(&path, &error).into());
    }
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(&path).map_err(io_failure)? {
        let entry = entry.map_err(io_failure)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && entry.path().is_dir() {
            names.insert(name);
        }
    }
    Ok(names)
}

/// Returns the valid name that is most like an invalid one.
fn valid_environment_name(name: &str) -> Option<String> {
    let plain: String = name
        .to_ascii_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_') { c } else { '-' })
        .collect();
    let plain = plain.trim_matches(['-', '.', '_']);
    is_environment_name(plain).then(|| plain.to_owned())
}

/// Reports whether an environment name is as plain as an object name, since it is used in paths, parameters and
/// messages.
fn is_environment_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= 63
        && name.starts_with(is_plain)
        && name.ends_with(is_plain)
        && name.chars().all(|c| is_plain(c) || matches!(c, '-' | '.' | '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_names_are_plain() {
        for name in ["dev", "eu-west.1", "a", "pre_prod"] {
            assert!(is_environment_name(name), "{name}");
        }
        for name in ["", "Dev", "-dev", "dev-", "a/b", "..", "dév"] {
            assert!(!is_environment_name(name), "{name}");
        }
    }
}
