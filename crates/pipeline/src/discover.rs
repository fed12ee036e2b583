//! The first stage: finds the app file, the environments, and the repository that the app's paths must not leave.
//!
//! The app file comes from Git. It is read with limits and checked before anything else. Messages name fields, never
//! their values.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use fs_err as fs;

use crate::boundary::{Boundary, Checkout, CheckoutExtent};
use crate::defined_values::DefinedValues;
use sealwave_core::diagnostic::{Explain, Failure, Problem, ProblemPlace};
use sealwave_core::document::{Node, Origin, SourceLocation, Sources, display_path};
use sealwave_core::reach::PathReach;
use sealwave_core::text::closest_name;
use sealwave_core::yaml;
use sealwave_secrets::settings::{
    API_VERSION, APP_FILE, App, EnvironmentBackends, EnvironmentSettings, locate_setting, read_config,
};

/// The size limit of an app file. It is written by hand, so a larger file is a mistake or an attack.
const MAX_APP_FILE: u64 = 1 << 20;
/// The node limit of an app file. Argo CD runs `discover` for any directory, many at once, so each run must be cheap.
const MAX_APP_NODES: usize = 50_000;

/// The directory that holds one directory for each environment.
pub(super) const ENVIRONMENTS: &str = "envs";

/// An app that was found, before any of its manifests is read.
#[derive(Clone, Debug)]
pub struct Discovery {
    given: PathBuf,
    root: PathBuf,
    boundary: Boundary,
    app: App,
    app_text: Vec<u8>,
    environments: BTreeMap<String, EnvironmentSettings>,
    defined: OnceLock<Arc<DefinedValues>>,
}

/// A reason why an app is not usable.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("environment name is read as `{0}`")]
    AmbiguousName(String),
    #[error("`apiVersion` must be `{API_VERSION}`")]
    ApiVersion,
    #[error("app file is a broken symbolic link")]
    BrokenLink,
    #[error("app file holds {0} documents, not one")]
    Documents(usize),
    #[error("environment name is not valid; it must match `[a-z0-9]([-a-z0-9._]*[a-z0-9])?`")]
    EnvironmentName,
    #[error("environments directory leaves the repository")]
    EnvironmentsOutside(CheckoutExtent),
    #[error("{0}")]
    Io(std::io::Error),
    #[error("`kind` must be `App`")]
    Kind,
    #[error("`{APP_FILE}` does not exist")]
    Missing,
    #[error("`{}` does not exist", display_path(.0))]
    MissingDirectory(PathBuf),
    #[error("app file leaves the repository")]
    Outside(CheckoutExtent),
    #[error("app file is larger than {MAX_APP_FILE} bytes")]
    TooLarge,
    #[error("environment `{name}` does not exist; known environments: {known}")]
    UnknownEnvironment { name: String, known: String, closest: Option<String> },
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::AmbiguousName(_) => Some("put the name in quotes".to_owned()),
            Self::ApiVersion | Self::Kind => {
                Some(format!("start the file with `apiVersion: {API_VERSION}` and `kind: App`"))
            }
            Self::EnvironmentsOutside(extent) | Self::Outside(extent) => Some(extent.hint().to_owned()),
            Self::Documents(_) => Some(format!("keep only the app in `{APP_FILE}`")),
            Self::Missing => Some(format!("an app is a directory with a `{APP_FILE}`")),
            Self::UnknownEnvironment { closest: Some(name), .. } => Some(format!("did you mean `{name}`?")),
            Self::UnknownEnvironment { .. } => Some(format!(
                "an environment is a directory under `{ENVIRONMENTS}/` or an entry of `environments` in `{APP_FILE}`"
            )),
            _ => None,
        }
    }
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
        std::io::ErrorKind::NotFound => Problem::new(&Error::MissingDirectory(dir.to_owned())),
        _ => Problem::new(&Error::Io(error)),
    })?;
    let boundary = Boundary::for_app(&root, checkout);
    let path = dir.join(APP_FILE);
    let name = display_name(dir, Path::new(APP_FILE));
    let app_text = app_file(&path, &boundary).map_err(|error| whole(&name, &error))?;
    let mut sources = Sources::default();
    let source = sources.add(&name);
    let tree = app_tree(&app_text, source).map_err(|failure| failure.located(&sources))?;
    let app: App = read_config(&app_text, &name)?;
    let environments =
        environments(dir, &boundary, &app, &tree).map_err(|failure| failure.located(&sources))?;
    Ok(Discovery {
        given: dir.to_owned(),
        root,
        boundary,
        app,
        app_text,
        environments,
        defined: OnceLock::new(),
    })
}

impl Discovery {
    /// Returns the app file.
    #[must_use]
    pub const fn app(&self) -> &App {
        &self.app
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

    /// Returns how far the app's paths may lead.
    pub fn reach(&self) -> PathReach {
        PathReach::Below(self.boundary.directory.clone())
    }

    /// Returns the names of the environments, sorted.
    pub fn environments(&self) -> impl Iterator<Item = &str> {
        self.environments.keys().map(String::as_str)
    }

    /// Returns an environment by its name.
    ///
    /// # Errors
    /// The environment does not exist; the message lists the known ones.
    pub fn environment(&self, name: &str) -> Result<&EnvironmentSettings, Failure> {
        self.environments.get(name).ok_or_else(|| {
            let known: Vec<String> = self.environments().map(|name| format!("`{name}`")).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let closest = closest_name(name, self.environments()).map(str::to_owned);
            let error = Error::UnknownEnvironment { name: name.to_owned(), known, closest };
            whole(&self.name_of(Path::new(APP_FILE)), &error)
        })
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
        let path = self.name_of(Path::new(APP_FILE));
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
        locate_setting(&self.app_text, &self.name_of(Path::new(APP_FILE)), keys, item)
    }

    /// Returns the app's directory; absolute, without symbolic links.
    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn app_text(&self) -> &[u8] {
        &self.app_text
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

fn whole(name: &str, error: &Error) -> Failure {
    at_line(name, 0, 0, error)
}

fn at_line(name: &str, line: u32, column: u32, error: &Error) -> Failure {
    let place = SourceLocation { path: name.to_owned(), line, column, rendered: None };
    Problem { at: ProblemPlace::Place(place), ..Problem::new(error) }.into()
}

fn app_file(path: &Path, boundary: &Boundary) -> Result<Vec<u8>, Error> {
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
    if !fs::metadata(path).map_err(Error::Io)?.is_file() {
        return Err(Error::Missing);
    }
    let mut text = Vec::new();
    let file = fs::File::open(path).map_err(Error::Io)?;
    file.take(MAX_APP_FILE + 1).read_to_end(&mut text).map_err(Error::Io)?;
    if text.len() as u64 > MAX_APP_FILE {
        return Err(Error::TooLarge);
    }
    Ok(text)
}

/// Parses the file as a tree with positions, and checks its limits and its first two fields.
fn app_tree(text: &[u8], source: sealwave_core::document::SourceId) -> Result<Node, Failure> {
    let mut documents = yaml::read(text, source, &app_limits())?;
    if documents.len() != 1 {
        return Err(Problem::at(Origin::whole(source), &Error::Documents(documents.len())).into());
    }
    let tree = documents.remove(0);
    for (field, wanted, error) in
        [("apiVersion", API_VERSION, Error::ApiVersion), ("kind", "App", Error::Kind)]
    {
        let node = tree.get(field);
        if node.and_then(Node::as_str) != Some(wanted) {
            let at = node.map_or(tree.origin, |node| node.origin);
            return Err(Problem::at(at, &error).into());
        }
    }
    Ok(tree)
}

fn environments(
    dir: &Path,
    boundary: &Boundary,
    app: &App,
    tree: &Node,
) -> Result<BTreeMap<String, EnvironmentSettings>, Failure> {
    let mut problems = Vec::new();
    for entry in
        tree.get("environments").and_then(Node::as_mapping).map_or(&[][..], |mapping| mapping.entries())
    {
        if !is_environment_name(&entry.key) {
            problems.push(Problem::at(entry.key_origin, &Error::EnvironmentName));
        } else if !app.environments.contains_key(entry.key.as_str()) {
            // Kubernetes' YAML parser reads `no` as `false`; both parsers must see the same environment.
            problems.push(Problem::at(entry.key_origin, &Error::AmbiguousName(entry.key.to_string())));
        }
    }
    let mut all = app.environments.clone();
    for name in environment_directories(dir, boundary)? {
        if is_environment_name(&name) {
            all.entry(name).or_default();
        } else {
            let path = display_name(dir, &Path::new(ENVIRONMENTS).join(&name));
            let place = SourceLocation { path, line: 0, column: 0, rendered: None };
            problems
                .push(Problem { at: ProblemPlace::Place(place), ..Problem::new(&Error::EnvironmentName) });
        }
    }
    Failure::unless_empty(problems)?;
    Ok(all)
}

fn environment_directories(dir: &Path, boundary: &Boundary) -> Result<Vec<String>, Failure> {
    let path = dir.join(ENVIRONMENTS);
    let io_failure = |error| Failure::from(Problem::new(&Error::Io(error)));
    if !path.is_dir() {
        return Ok(Vec::new());
    }
    // Directory names appear in messages, so a link must not reveal others.
    if !fs::canonicalize(&path).map_err(io_failure)?.starts_with(&boundary.directory) {
        let error = Error::EnvironmentsOutside(boundary.extent);
        return Err(whole(&display_name(dir, Path::new(ENVIRONMENTS)), &error));
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(&path).map_err(io_failure)? {
        let entry = entry.map_err(io_failure)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && entry.path().is_dir() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
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
