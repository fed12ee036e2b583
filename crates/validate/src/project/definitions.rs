//! Definitions of custom resources from files, as controllers publish them.

use std::collections::HashSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::engine::KnownDefinition;
use sealwave_core::diagnostic::{At, Explain, Failure, Problem, io_reason};
use sealwave_core::document::{Manifest, Node, Sources, display_path};
use sealwave_core::reach::{Reach, ReachError};
use sealwave_core::yaml;
use sealwave_kube::schema::{KubeVersion, MAX_DEFINITIONS, Schemas, ViolationKind};

const MAX_FILES: usize = 10_000;

/// Documents that cannot be read, after which a file that nobody named is given up.
const MAX_FAULTS: usize = 100;

#[derive(Debug, thiserror::Error)]
enum DefinitionsError {
    #[error("`{0}` is a link that leads to itself")]
    Loop(String),
    #[error("`{0}` holds no CustomResourceDefinition")]
    None(String),
    #[error("`{0}` is neither a file nor a directory")]
    NotAFile(String),
    #[error("`{0}` leaves the repository")]
    Outside(String),
    #[error("`{0}` holds more than {MAX_FILES} files")]
    TooMany(String),
    #[error("`{path}` cannot be read: {}", io_reason(*.reason))]
    Unreadable { path: String, reason: std::io::ErrorKind },
}

impl Explain for DefinitionsError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::None(_) => "name the file or directory in which a controller publishes its definitions; `sealwave schemas pull` writes one".to_owned(),
            Self::Outside(_) => "keep everything that an app uses in its own repository, or name it with `--crds`; where Argo CD sends only a part of the repository, name the directory in `argocd.argoproj.io/manifest-generate-paths`".to_owned(),
            _ => return None,
        })
    }
}

/// Definitions, and what is wrong with them.
#[derive(Default)]
pub struct Definitions {
    pub all: Vec<KnownDefinition>,
    pub faults: Vec<Problem>,
}

/// The definitions in a file that the user named, or in the files below a directory that the user named.
pub fn named_definitions(path: &Path) -> Result<Definitions, Failure> {
    let is_directory = fs_err::metadata(path).is_ok_and(|about| about.is_dir());
    let reach = if is_directory {
        Reach::of_directory(path).map_err(|error| unreadable(path, error.kind()))?
    } else {
        Reach::Anywhere
    };
    definitions(path, &reach)
}

/// The definitions in a file, or in the files below a directory, in the order of paths; those within reach.
pub fn definitions(path: &Path, reach: &Reach) -> Result<Definitions, Failure> {
    let shown = path.display().to_string();
    let mut found = Definitions::default();
    for file in files(path, reach)? {
        of_file(&file, reach, &mut found)?;
    }
    if found.all.is_empty() {
        return Err(Problem::new(&DefinitionsError::None(shown)).into());
    }
    Ok(found)
}

/// What an app names must be in its repository; whether something exists outside does not show.
///
/// # Errors
/// It is not, or a directory on the way cannot be read.
pub fn stays_within(reach: &Reach, directory: &Path, path: &Path) -> Result<(), Failure> {
    let start = fs_err::canonicalize(directory).map_err(|error| unreadable(directory, error.kind()))?;
    if !reach.holds_names(&start, path) || reach.resolve(&start.join(path)) == Err(ReachError::Outside) {
        return Err(Problem::new(&DefinitionsError::Outside(display_path(path))).into());
    }
    Ok(())
}

/// Links to files are followed, as in a volume that a `ConfigMap` fills; links to directories are not.
fn files(path: &Path, reach: &Reach) -> Result<Vec<PathBuf>, Failure> {
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

/// Why a path is not read.
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

fn of_file(path: &Path, reach: &Reach, found: &mut Definitions) -> Result<(), Failure> {
    let shown = display_path(path);
    let file = reach.open(path).map_err(|error| refused(path, error))?;
    let mut bytes = Vec::new();
    let read = file.take(MAX_DEFINITIONS as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| unreadable(path, error.kind()))?;
    if bytes.len() > MAX_DEFINITIONS {
        return Err(unreadable(path, std::io::ErrorKind::FileTooLarge).into());
    }
    let mut sources = Sources::default();
    let source = sources.add(&shown);
    let nodes =
        yaml::read(&bytes, source, &yaml::Limits::default()).map_err(|failure| failure.located(&sources))?;
    for object in among(nodes) {
        found.faults.extend(faults(&object, &sources));
        let place = sources.place(object.origin());
        found.all.push(KnownDefinition { object, place, is_named: true });
    }
    Ok(())
}

/// What could be read of a file that nobody named.
#[derive(Debug, Default)]
pub struct Found {
    /// Its definitions, in order.
    pub(crate) definitions: Vec<Manifest>,
    /// Whether there are documents that cannot be read.
    pub(crate) is_faulty: bool,
}

/// The definitions in the text of a file that nobody named: what cannot be read is passed over.
pub fn definitions_in(text: &[u8], name: &str) -> Found {
    let source = Sources::default().add(name);
    let mut nodes = Vec::new();
    let mut faults = 0;
    for document in yaml::documents(text, source, &yaml::searching()) {
        match document {
            Ok(node) => nodes.push(node),
            Err(_) => faults += 1,
        }
        if faults == MAX_FAULTS {
            break;
        }
    }
    Found { definitions: among(nodes), is_faulty: faults > 0 }
}

fn among(nodes: Vec<Node>) -> Vec<Manifest> {
    let objects = yaml::flatten_lists(nodes).into_iter().filter_map(|node| Manifest::new(node).ok());
    objects.filter(|object| object.is("apiextensions.k8s.io", "CustomResourceDefinition")).collect()
}

/// What keeps objects from being checked against a definition.
fn faults(definition: &Manifest, sources: &Sources) -> Vec<Problem> {
    let mut schemas = Schemas::new(KubeVersion::NEWEST);
    let report = schemas.add_crd(definition.root());
    let faults = report.faults.iter();
    faults
        .filter(|fault| !matches!(&fault.kind, ViolationKind::Definition(fault) if fault.is_note()))
        .map(|fault| Problem {
            message: fault.kind.to_string(),
            at: At::Place(sources.place(fault.origin)),
            hint: fault.kind.hint(),
            rule: None,
        })
        .collect()
}
