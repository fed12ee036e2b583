//! The first stage: finds the app file, the environments, and the repository that the app's paths must not leave.
//!
//! The app file comes from Git. It is read with limits and checked before anything else. Messages name fields, never
//! their values.

mod app_file;
mod environment_paths;
mod environments;
mod error;
mod nearby;
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use fs_err as fs;

use crate::boundary::{Boundary, Checkout, CheckoutExtent};
use crate::defined_values::DefinedValues;
use crate::piped::PipedManifests;
use app_file::parse_app;
use environments::Environments;
use error::{Error, MAX_APP_FILE, whole};
pub(crate) use nearby::{BASE, CHART_FILE, ENVIRONMENTS, KUSTOMIZATION_FILES};
pub use nearby::{meant_directory, misnamed_app_file};
pub(crate) use nearby::{misnamed_directory, misnamed_file};
use sealwave_core::bounded_file::{BoundedReadError, read_regular_file};
use sealwave_core::diagnostic::{Failure, Problem, ProblemPlace};
use sealwave_core::document::{Node, SourceId, SourceLocation, Sources, display_path};
use sealwave_core::reach::PathReach;
use sealwave_core::text::{closest_choice, quoted_list};
use sealwave_core::yaml;
use sealwave_secrets::settings::{
    API_VERSION, APP_FILE, App, EnvironmentBackends, EnvironmentSettings, SettingsFile,
};
pub use sources::{AppConvention, ArgoCdTool, environment_names};
pub(crate) use sources::{AppSource, ChartSource};

/// The node limit of an app file. Argo CD runs `discover` for any directory, many at once, so each run must be cheap.
const MAX_APP_NODES: usize = 50_000;

/// The name of the settings without an app file, for messages.
const DEFAULTS: &str = "<defaults>";

/// An app that was found, before any of its manifests is read.
#[derive(Clone, Debug)]
pub struct Discovery {
    given: PathBuf,
    root: PathBuf,
    boundary: Boundary,
    app: App,
    app_file: SettingsFile<'static>,
    sources: Vec<AppSource>,
    environments: BTreeMap<String, EnvironmentSettings>,
    /// The environments with a directory.
    directories: BTreeSet<String>,
    defined: OnceLock<Arc<DefinedValues>>,
}

/// Reports whether a directory holds an app, for Argo CD's discovery. It is cheap and reports nothing else.
///
/// Other tools may use a file of this name, so `apiVersion` and `kind` decide.
#[must_use]
pub fn is_app(dir: &Path) -> bool {
    let path = dir.join(APP_FILE);
    let Ok(text) = read_bounded(&path) else {
        return false;
    };
    let source = Sources::default().add(APP_FILE);
    match yaml::read(&text, source, &app_limits()) {
        // An unreadable app file still marks an app, so that `generate` reports the error.
        Err(_) => true,
        Ok(documents) => documents.first().is_some_and(|node| {
            node.get("kind").and_then(Node::as_str) == Some("App")
                && node
                    .get("apiVersion")
                    .and_then(Node::as_str)
                    .is_some_and(|version| version.starts_with("sealwave.dev/"))
        }),
    }
}

fn app_limits() -> yaml::Limits {
    yaml::Limits { document_nodes: MAX_APP_NODES, ..yaml::Limits::default() }
}

/// Finds the app in `dir`.
///
/// `checkout` describes the files that Argo CD sent, if it is the caller. Environments are those that the app file
/// declares and the directories under `envs/`; a directory that is not declared gets the defaults.
///
/// # Errors
/// The app file does not exist or is not valid, or an environment has an invalid name.
pub fn discover(dir: &Path, checkout: Option<&Checkout>) -> Result<Discovery, Failure> {
    let root = fs::canonicalize(dir).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotADirectory | std::io::ErrorKind::NotFound => {
            Problem::new(&Error::MissingDirectory(dir.to_owned()))
        }
        _ => Problem::new(&Error::Io(error)),
    })?;
    if !root.is_dir() {
        return Err(Problem::new(&Error::NotADirectory(dir.to_owned())).into());
    }
    let boundary = Boundary::for_app(&root, checkout);
    let path = dir.join(APP_FILE);
    let name = display_name(dir, Path::new(APP_FILE));
    let text = read_app_file(&path, &boundary).map_err(|error| match error {
        Error::Missing => explain_missing(dir, &root, checkout.is_some().then_some(&boundary.directory)),
        error => whole(&name, &error),
    })?;
    let app_file = SettingsFile::new(name, text, app_limits());
    let app = parse_app(&app_file)?;
    let sources = sources::read(dir, &boundary, &app, &app_file)?;
    let Environments { settings: environments, directories } =
        Environments::read(dir, &boundary, &app, &sources, &app_file)
            .map_err(|failure| failure.located(&Sources::default()))?;
    Ok(Discovery {
        given: dir.to_owned(),
        root,
        boundary,
        app,
        app_file,
        sources,
        environments,
        directories,
        defined: OnceLock::new(),
    })
}

impl Discovery {
    /// Creates an app with one environment and default settings, without an app file and without sources.
    ///
    /// # Errors
    /// The name of the environment is not valid, or the directory cannot be read.
    pub(crate) fn with_defaults(dir: &Path, environment: Option<&str>) -> Result<Self, Failure> {
        let name = environment.ok_or_else(|| Problem::new(&Error::NoEnvironmentName))?;
        let root = fs::canonicalize(dir).map_err(|error| Problem::new(&Error::Io(error)))?;
        let text = format!("apiVersion: {API_VERSION}\nkind: App\n");
        let app_file = SettingsFile::new(DEFAULTS, text.into_bytes(), app_limits());
        Ok(Self {
            given: dir.to_owned(),
            boundary: Boundary::for_app(&root, None),
            root,
            app: parse_app(&app_file)?,
            app_file,
            sources: Vec::new(),
            environments: environments::only(name).map_err(|error| Problem::new(&error))?,
            directories: BTreeSet::new(),
            defined: OnceLock::new(),
        })
    }

    /// Replaces the sources by manifests from standard input.
    pub(crate) fn with_manifests(self, manifests: PipedManifests) -> Self {
        Self { sources: vec![AppSource::Piped(manifests)], ..self }
    }

    /// Reports whether the manifests come from standard input.
    pub(crate) fn is_piped(&self) -> bool {
        matches!(self.sources[..], [AppSource::Piped(_)])
    }

    /// Returns the app file.
    #[must_use]
    pub const fn app(&self) -> &App {
        &self.app
    }

    /// Returns the name of the app file for messages.
    #[must_use]
    pub fn app_file_name(&self) -> &str {
        self.app_file.name()
    }

    /// Returns the sources of the app's objects, in order.
    pub(crate) fn sources(&self) -> &[AppSource] {
        &self.sources
    }

    /// Reports whether programs render some of the sources.
    #[must_use]
    pub fn has_external_sources(&self) -> bool {
        self.sources.iter().any(|source| matches!(source, AppSource::Helm(_) | AppSource::Kustomize(_)))
    }

    /// Reports whether the app has manifests and templates in `base/` and `envs/`.
    #[must_use]
    pub fn has_own_files(&self) -> bool {
        self.sources.iter().any(|source| matches!(source, AppSource::Files))
    }

    /// Returns the files and directories that the sources of other tools name, relative to the app's directory. A path that
    /// differs between environments is shortened to its directory.
    pub fn external_paths(&self) -> impl Iterator<Item = PathBuf> {
        self.sources.iter().flat_map(AppSource::environment_paths).map(|pattern| {
            let path = pattern.path();
            let written = path.as_written();
            match path.around_environment() {
                Some((before, _)) => before.rsplit_once('/').map_or(".", |(parent, _)| parent).into(),
                None => written.into(),
            }
        })
    }

    /// Returns the files with values of charts, for an environment, relative to the app's directory.
    pub fn chart_values<'a>(&'a self, environment: &'a str) -> impl Iterator<Item = PathBuf> + 'a {
        let charts = self.sources.iter().filter_map(|source| match source {
            AppSource::Helm(chart) => Some(chart),
            AppSource::Files | AppSource::Kustomize(_) | AppSource::Piped(_) => None,
        });
        charts.flat_map(move |chart| {
            chart.settings.value_files.iter().map(move |path| path.in_environment(environment))
        })
    }

    /// Reports whether a chart gets the values of the app.
    pub(crate) fn passes_values_on(&self) -> bool {
        self.sources
            .iter()
            .any(|source| matches!(source, AppSource::Helm(chart) if chart.settings.layered_values))
    }

    /// Returns the location of a source in the app file, by its index; the whole file if it is not stated there.
    pub(crate) fn source_place(&self, index: usize) -> SourceLocation {
        self.app_file.locate_setting(&["sources"], Some(index))
    }

    /// Returns the directory as the user gave it.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.given
    }

    /// Returns the directory that no path of the app may leave; absolute, without symbolic links.
    #[must_use]
    pub fn boundary(&self) -> &Path {
        &self.boundary.directory
    }

    /// Returns the part of the repository that the app can reach.
    pub(super) const fn extent(&self) -> CheckoutExtent {
        self.boundary.extent
    }

    /// Returns the directory above the app's if the app file is in, or beside, the directory `name` of it: it is probably
    /// one level too deep. Looks for the directory only within the repository.
    pub(crate) fn parent_with(&self, name: &str) -> Option<String> {
        let parent = self.root.parent()?;
        let is_directory = || parent.join(name).symlink_metadata().is_ok_and(|about| about.is_dir());
        let is_in_it = self.root.file_name() == Some(OsStr::new(name));
        (is_in_it || (parent.starts_with(self.boundary()) && is_directory()))
            .then(|| display_path(&nearby::parent_of(&self.given, 1)))
    }

    /// Returns how far the app's paths may lead.
    pub fn reach(&self) -> PathReach {
        PathReach::Below(self.boundary.directory.clone())
    }

    /// Returns the names of the environments, sorted.
    pub fn environments(&self) -> impl Iterator<Item = &str> {
        self.environments.keys().map(String::as_str)
    }

    /// Reports whether an environment has a directory.
    #[must_use]
    pub fn has_directory(&self, environment: &str) -> bool {
        self.directories.contains(environment)
    }

    /// Returns an environment by its name.
    ///
    /// # Errors
    /// The environment does not exist; the message lists the known ones.
    pub fn environment(&self, name: &str) -> Result<&EnvironmentSettings, Failure> {
        self.environments.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.environments().collect();
            if known.is_empty() {
                return self.no_environments();
            }
            let last = name.trim_end_matches('/').rsplit('/').next().unwrap_or(name);
            let named = known.iter().find(|known| **known == last).copied();
            let closest = named.or_else(|| closest_choice(name, &known)).map(str::to_owned);
            let known = quoted_list(&known);
            let error = Error::UnknownEnvironment { name: name.to_owned(), known, closest };
            whole(self.app_file.name(), &error)
        })
    }

    /// Returns the failure of a run that needs an environment of an app without any.
    #[must_use]
    pub fn no_environments(&self) -> Failure {
        let misnamed =
            misnamed_directory(&self.root, ENVIRONMENTS).map(|name| self.name_of(Path::new(&name)));
        whole(self.app_file.name(), &Error::NoEnvironments { misnamed })
    }

    /// Returns the backends for the Secrets of an environment.
    ///
    /// # Errors
    /// The environment does not exist, or its settings are not valid.
    pub fn backends(&self, name: &str) -> Result<EnvironmentBackends, Failure> {
        let environment = self.environment(name)?;
        EnvironmentBackends::decide(&self.app, environment).map_err(|failure| self.at_app_file(failure))
    }

    /// Sets the app file as the location of problems that have none.
    pub fn at_app_file(&self, failure: Failure) -> Failure {
        let path = self.app_file.name().to_owned();
        failure.or_with_place(&ProblemPlace::Place(SourceLocation {
            path,
            line: 0,
            column: 0,
            rendered: None,
        }))
    }

    /// Returns the location of a setting in the app file, by its keys and its index in a list.
    #[must_use]
    pub fn setting_at(&self, keys: &[&str], item: Option<usize>) -> SourceLocation {
        self.app_file.locate_setting(keys, item)
    }

    /// Returns the app's directory; absolute, without symbolic links.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the app file as a tree with positions in `source`. The file is parsed at the first call only.
    pub fn app_tree(&self, source: SourceId) -> Node {
        self.app_file.tree_in(source)
    }

    /// Returns the names that the values of all environments define; calls `read` at the first call.
    pub(super) fn defined_values(&self, read: impl FnOnce() -> DefinedValues) -> &DefinedValues {
        self.defined.get_or_init(|| Arc::new(read()))
    }

    /// Returns a path below the app's directory as the user would open it.
    pub fn name_of(&self, relative: &Path) -> String {
        display_name(&self.given, relative)
    }
}

/// Returns `dir/relative` for messages.
fn display_name(dir: &Path, relative: &Path) -> String {
    display_path(&dir.join(relative))
}

/// Explains why a directory, whose full path is `root`, has no app file. Looks for an app around it, but not above `top`.
fn explain_missing(dir: &Path, root: &Path, top: Option<&PathBuf>) -> Failure {
    if let Some(found) = misnamed_app_file(root) {
        return whole(&display_name(dir, Path::new(&found)), &Error::Misnamed(found));
    }
    let directory = display_path(dir);
    if let Some((app, environment)) =
        nearby::enclosing_app(root, top.map_or(Path::new("/"), PathBuf::as_path))
    {
        let depth = root.strip_prefix(&app).map_or(0, |inside| inside.components().count());
        let app = display_path(&nearby::parent_of(dir, depth));
        return whole(&directory, &Error::InsideApp { directory: directory.clone(), app, environment });
    }
    let error = if nearby::has_file(root, &[CHART_FILE]) {
        Error::Chart(directory.clone())
    } else if nearby::has_file(root, &KUSTOMIZATION_FILES) {
        Error::Kustomization(directory.clone())
    } else {
        let apps = nearby::apps_below(root);
        let example = apps.first().map(|name| display_name(dir, Path::new(name)));
        return whole(&display_name(dir, Path::new(APP_FILE)), &Error::MissingHere { example });
    };
    whole(&directory, &error)
}

fn read_app_file(path: &Path, boundary: &Boundary) -> Result<Vec<u8>, Error> {
    let real = fs::canonicalize(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound if path.is_symlink() => Error::BrokenLink,
        std::io::ErrorKind::NotFound => Error::Missing,
        _ => Error::Io(error),
    })?;
    if !real.starts_with(&boundary.directory) {
        return Err(Error::Outside(boundary.extent));
    }
    read_bounded(path)
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, Error> {
    match read_regular_file(path, MAX_APP_FILE) {
        Ok(mut text) => Ok(std::mem::take(&mut *text)),
        Err(BoundedReadError::Io(error)) if error.kind() == std::io::ErrorKind::IsADirectory => {
            Err(Error::Missing)
        }
        Err(BoundedReadError::Io(error)) => Err(Error::Io(error)),
        Err(BoundedReadError::NotRegular) => Err(Error::Missing),
        Err(BoundedReadError::TooLarge) => Err(Error::TooLarge),
    }
}
