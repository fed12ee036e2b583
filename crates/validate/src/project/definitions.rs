//! Definitions of custom resources from files, as published by controllers.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::engine::KnownDefinition;
use sealwave_core::bounded_file;
use sealwave_core::diagnostic::{
    Explain, Failure, LEAVES_REPOSITORY, NOT_FILE_OR_DIRECTORY, Problem, ProblemPlace, io_reason,
};
use sealwave_core::document::{Manifest, Node, Origin, SourceLocation, Sources, display_path};
use sealwave_core::reach::{PathReach, ReachError};
use sealwave_core::yaml;
use sealwave_kube::schema::{KubeVersion, MAX_DEFINITIONS, Schemas, ViolationKind};

const MAX_FILES: usize = 10_000;

/// The number of unreadable documents after which a scanned file is abandoned.
const MAX_FAULTS: usize = 100;

#[derive(Debug, thiserror::Error)]
enum DefinitionsError {
    #[error("`{0}` is a symbolic link loop")]
    Loop(String),
    #[error("`{0}` contains no CustomResourceDefinition")]
    None(String),
    #[error("`{0}` {NOT_FILE_OR_DIRECTORY}")]
    NotAFile(String),
    #[error("`{0}` {LEAVES_REPOSITORY}")]
    Outside(String),
    #[error("`{0}` contains more than {MAX_FILES} files")]
    TooMany(String),
    #[error("`{path}` cannot be read: {}", io_reason(*.reason))]
    Unreadable { path: String, reason: std::io::ErrorKind },
}

impl Explain for DefinitionsError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::None(_) => "use the file or directory in which a controller publishes its definitions, or create one with `sealwave schemas pull`".to_owned(),
            Self::Outside(_) => "keep all files of an app in its repository, or pass them with `--crds`; if Argo CD sends only a part of the repository, add the directory to `argocd.argoproj.io/manifest-generate-paths`".to_owned(),
            _ => return None,
        })
    }
}

/// Definitions and their faults.
#[derive(Default)]
pub struct LoadedDefinitions {
    /// The definitions.
    pub all: Vec<KnownDefinition>,
    /// The problems of unusable definitions.
    pub faults: Vec<Problem>,
}

/// Reads the definitions in a file or directory that the user named.
///
/// # Errors
/// A file cannot be read, or none of them contains a definition.
pub fn load_named_definitions(path: &Path) -> Result<LoadedDefinitions, Failure> {
    let is_directory = fs_err::metadata(path).is_ok_and(|about| about.is_dir());
    let reach = if is_directory {
        PathReach::for_directory(path).map_err(|error| unreadable(path, error.kind()))?
    } else {
        PathReach::Anywhere
    };
    load_definitions(path, &reach)
}

/// Reads the definitions within reach in a file, or in the files below a directory, sorted by path.
///
/// # Errors
/// A file cannot be read, or none of them contains a definition.
pub fn load_definitions(path: &Path, reach: &PathReach) -> Result<LoadedDefinitions, Failure> {
    let shown = path.display().to_string();
    let mut found = LoadedDefinitions::default();
    for file in files(path, reach)? {
        read_file(&file, reach, &mut found)?;
    }
    if found.all.is_empty() {
        return Err(Problem::new(&DefinitionsError::None(shown)).into());
    }
    Ok(found)
}

/// Checks that a path is in its repository, without revealing whether something exists outside.
///
/// # Errors
/// The path is outside, or a directory on the way cannot be read.
pub fn ensure_within(reach: &PathReach, directory: &Path, path: &Path) -> Result<(), Failure> {
    let start = fs_err::canonicalize(directory).map_err(|error| unreadable(directory, error.kind()))?;
    if !reach.contains_names(&start, path) || reach.resolve(&start.join(path)) == Err(ReachError::Outside) {
        return Err(Problem::new(&DefinitionsError::Outside(display_path(path))).into());
    }
    Ok(())
}

/// Lists files. Follows links to files, as in a volume from a `ConfigMap`, but not links to directories.
fn files(path: &Path, reach: &PathReach) -> Result<Vec<PathBuf>, Failure> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    let mut seen = HashSet::new();
    for entry in WalkDir::new(path).sort_by_file_name() {
        let entry = entry.map_err(|error| {
            let reason = error.io_error().map_or(std::io::ErrorKind::Other, std::io::Error::kind);
            unreadable(path, reason)
        })?;
        let known =
            |extension: &std::ffi::OsStr| ["yaml", "yml", "json"].iter().any(|known| extension == *known);
        if !entry.path().extension().is_some_and(known) {
            continue;
        }
        let real = reach.resolve(entry.path()).map_err(|error| refused(entry.path(), error))?;
        if !real.is_dir() && seen.insert(real) {
            files.push(entry.into_path());
        }
        if files.len() > MAX_FILES {
            return Err(Problem::new(&DefinitionsError::TooMany(path.display().to_string())).into());
        }
    }
    Ok(files)
}

/// Converts the reason why a path is not read.
fn refused(path: &Path, error: ReachError) -> Problem {
    let error = match error {
        ReachError::Io(reason) => return unreadable(path, reason),
        ReachError::Loop => DefinitionsError::Loop(display_path(path)),
        ReachError::Missing => return unreadable(path, std::io::ErrorKind::NotFound),
        ReachError::Outside => DefinitionsError::Outside(display_path(path)),
        ReachError::Special => DefinitionsError::NotAFile(display_path(path)),
    };
    Problem::new(&error)
}

fn unreadable(path: &Path, reason: std::io::ErrorKind) -> Problem {
    Problem::new(&DefinitionsError::Unreadable { path: display_path(path), reason })
}

fn read_file(path: &Path, reach: &PathReach, found: &mut LoadedDefinitions) -> Result<(), Failure> {
    let shown = display_path(path);
    let file = reach.open(path).map_err(|error| refused(path, error))?;
    let bytes = bounded_file::read_file(file, MAX_DEFINITIONS as u64)
        .map_err(|error| unreadable(path, error.kind()))?;
    let mut sources = Sources::default();
    let source = sources.add(&shown);
    let nodes =
        yaml::read(&bytes, source, &yaml::Limits::default()).map_err(|failure| failure.located(&sources))?;
    for object in only_definitions(nodes) {
        found.faults.extend(faults(&object, &sources));
        let place = sources.location(object.origin());
        found.all.push(KnownDefinition { object, place, is_named: true });
    }
    Ok(())
}

/// The definitions in a file that the user did not name.
#[derive(Debug, Default)]
pub struct ScannedDefinitions {
    /// The definitions, in order.
    pub(crate) definitions: Vec<Manifest>,
    /// Whether some documents cannot be read.
    pub(crate) is_faulty: bool,
}

/// Returns the definitions in a file that the user did not name, skipping documents that cannot be read.
#[must_use]
pub fn scan_definitions(text: &[u8], name: &str) -> ScannedDefinitions {
    let source = Sources::default().add(name);
    let mut nodes = Vec::new();
    let mut faults = 0;
    for document in yaml::documents(text, source, &yaml::Limits::lenient()) {
        match document {
            Ok(node) => nodes.push(node),
            Err(_) => faults += 1,
        }
        if faults == MAX_FAULTS {
            break;
        }
    }
    ScannedDefinitions { definitions: only_definitions(nodes), is_faulty: faults > 0 }
}

/// Returns the definitions among plain manifests, with their places.
pub(super) fn scan_definitions_of(text: &[u8], name: &str) -> Vec<KnownDefinition> {
    let definitions = scan_definitions(text, name).definitions.into_iter();
    definitions
        .map(|object| {
            let Origin { line, column, .. } = object.origin();
            let place = SourceLocation { path: name.to_owned(), line, column, rendered: None };
            KnownDefinition { object, place, is_named: false }
        })
        .collect()
}

fn only_definitions(nodes: Vec<Node>) -> Vec<Manifest> {
    let objects = yaml::flatten_lists(nodes).into_iter().filter_map(|node| Manifest::new(node).ok());
    objects.filter(|object| object.is("apiextensions.k8s.io", "CustomResourceDefinition")).collect()
}

/// Returns the faults that prevent checking objects against a definition.
fn faults(definition: &Manifest, sources: &Sources) -> Vec<Problem> {
    let mut schemas = Schemas::new(KubeVersion::NEWEST);
    let report = schemas.add_crd(definition.root());
    let faults = report.faults.iter();
    faults
        .filter(|fault| !matches!(&fault.kind, ViolationKind::Definition(fault) if fault.is_note()))
        .map(|fault| Problem {
            message: fault.kind.to_string(),
            at: ProblemPlace::Place(sources.location(fault.origin)),
            hint: fault.kind.hint(),
            kind: None,
            needs_commit: false,
        })
        .collect()
}
