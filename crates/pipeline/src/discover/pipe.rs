//! Finds the settings for manifests from standard input: those of an app file, or the defaults.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

use fs_err as fs;

use super::app_file::parse_app;
use super::environments::{is_environment_name, valid_environment_name};
use super::error::Error;
use super::sources::AppSource;
use super::{Discovery, app_limits, discover, misnamed_app_file};
use crate::boundary::Boundary;
use crate::piped::PipedManifests;
use sealwave_core::diagnostic::{Failure, Problem};
use sealwave_secrets::settings::{API_VERSION, APP_FILE, EnvironmentSettings, SettingsFile};

/// The name of the settings without an app file, for messages.
const DEFAULTS: &str = "<defaults>";

/// Finds the settings in `dir` for manifests that `read` returns; they replace the sources of the app.
///
/// Without an app file, the defaults apply, and `environment` names the only environment. With `needs_app_file`, there
/// must be one.
///
/// # Errors
/// The app file is not valid or is missing, there is no environment, or the manifests cannot be read.
pub fn discover_for_pipe(
    dir: &Path,
    environment: Option<&str>,
    needs_app_file: bool,
    read: impl FnOnce() -> Result<PipedManifests, Failure>,
) -> Result<Discovery, Failure> {
    let has_app_file = || dir.join(APP_FILE).symlink_metadata().is_ok() || misnamed_app_file(dir).is_some();
    let mut found = if needs_app_file || has_app_file() {
        let found = discover(dir, None)?;
        if let Some(name) = environment {
            found.environment(name)?;
        }
        found
    } else {
        with_defaults(dir, environment)?
    };
    found.sources = vec![AppSource::Piped(read()?)];
    Ok(found)
}

/// Returns an app with one environment, without an app file and without sources.
fn with_defaults(dir: &Path, environment: Option<&str>) -> Result<Discovery, Failure> {
    let name = environment.ok_or_else(|| Problem::new(&Error::NoEnvironmentName))?;
    if !is_environment_name(name) {
        let error = Error::EnvironmentName { valid: valid_environment_name(name) };
        return Err(Problem::new(&error).into());
    }
    let root = fs::canonicalize(dir).map_err(|error| Problem::new(&Error::Io(error)))?;
    let text = format!("apiVersion: {API_VERSION}\nkind: App\n");
    let app_file = SettingsFile::new(DEFAULTS, text.into_bytes(), app_limits());
    Ok(Discovery {
        given: dir.to_owned(),
        boundary: Boundary::for_app(&root, None),
        root,
        app: parse_app(&app_file)?,
        app_file,
        sources: Vec::new(),
        environments: BTreeMap::from([(name.to_owned(), EnvironmentSettings::default())]),
        directories: BTreeSet::new(),
        defined: OnceLock::new(),
    })
}

impl Discovery {
    /// Reports whether the manifests come from standard input.
    pub(crate) fn is_piped(&self) -> bool {
        matches!(self.sources[..], [AppSource::Piped(_)])
    }
}
