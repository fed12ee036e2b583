//! Definitions of custom resources from files, as controllers publish them.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use walkdir::WalkDir;

use crate::diagnostic::{At, Explain, Failure, Problem, io_reason};
use crate::model::{Manifest, Node, Sources, display_path};
use crate::schema::{KubeVersion, MAX_DEFINITIONS, Schemas, ViolationKind};
use crate::yaml;

const MAX_FILES: usize = 10_000;

/// Documents that cannot be read, after which a file that nobody named is given up.
const MAX_FAULTS: usize = 100;

#[derive(Debug, thiserror::Error)]
enum DefinitionsError {
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
            Self::Outside(_) => "keep everything that an app uses in its own repository, or name it with `--crds`".to_owned(),
            _ => return None,
        })
    }
}

/// Definitions, and what is wrong with them.
#[derive(Default)]
pub(super) struct Definitions {
    pub(super) all: Vec<Manifest>,
    pub(super) faults: Vec<Problem>,
}

/// The definitions in a file, or in the files below a directory, in the order of paths.
pub(super) fn definitions(path: &Path) -> Result<Definitions, Failure> {
    let shown = path.display().to_string();
    let mut found = Definitions::default();
    for file in files(path)? {
        of_file(&file, &mut found)?;
    }
    if found.all.is_empty() {
        return Err(Problem::new(&DefinitionsError::None(shown)).into());
    }
    Ok(found)
}

/// What an app names must be in its repository, links included; whether something exists outside does not show.
///
/// # Errors
/// It is not, or a directory on the way cannot be read.
pub(super) fn stays_within(boundary: &Path, directory: &Path, path: &Path) -> Result<(), Failure> {
    let outside = || Failure::from(Problem::new(&DefinitionsError::Outside(display_path(path))));
    let start = fs_err::canonicalize(directory).map_err(|error| unreadable(directory, error.kind()))?;
    let end = path.components().try_fold(start, |mut at, part| {
        match part {
            Component::CurDir => {}
            Component::Normal(name) => at.push(name),
            Component::ParentDir => drop(at.pop()),
            Component::Prefix(_) | Component::RootDir => return None,
        }
        at.starts_with(boundary).then_some(at)
    });
    let end = end.ok_or_else(outside)?;
    let is_inside = |path: &Path| fs_err::canonicalize(path).is_ok_and(|real| real.starts_with(boundary));
    // A link on the way may lead out as well; that there is nothing at the end, reading says.
    let there = end.ancestors().find(|path| path.symlink_metadata().is_ok());
    if !there.is_some_and(is_inside) {
        return Err(outside());
    }
    let mut links = WalkDir::new(&end).into_iter().flatten().filter(walkdir::DirEntry::path_is_symlink);
    if links.any(|link| !is_inside(link.path())) { Err(outside()) } else { Ok(()) }
}

/// Links to files are followed, as in a volume that a `ConfigMap` fills; links to directories are not.
fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
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
        if !entry.path().extension().is_some_and(known) || entry.path().is_dir() {
            continue;
        }
        let real =
            fs_err::canonicalize(entry.path()).map_err(|error| unreadable(entry.path(), error.kind()))?;
        if seen.insert(real) {
            files.push(entry.into_path());
        }
        if files.len() > MAX_FILES {
            return Err(Problem::new(&DefinitionsError::TooMany(path.display().to_string())).into());
        }
    }
    Ok(files)
}

fn unreadable(path: &Path, reason: std::io::ErrorKind) -> Problem {
    Problem::new(&DefinitionsError::Unreadable { path: display_path(path), reason })
}

fn of_file(path: &Path, found: &mut Definitions) -> Result<(), Failure> {
    let shown = display_path(path);
    let about = fs_err::metadata(path).map_err(|error| unreadable(path, error.kind()))?;
    if !about.is_file() {
        return Err(Problem::new(&DefinitionsError::NotAFile(shown)).into());
    }
    if about.len() > MAX_DEFINITIONS as u64 {
        return Err(unreadable(path, std::io::ErrorKind::FileTooLarge).into());
    }
    let bytes = fs_err::read(path).map_err(|error| unreadable(path, error.kind()))?;
    let mut sources = Sources::default();
    let source = sources.add(&shown);
    let nodes =
        yaml::read(&bytes, source, &yaml::Limits::default()).map_err(|failure| failure.located(&sources))?;
    for object in among(nodes) {
        found.faults.extend(faults(&object, &sources));
        found.all.push(object);
    }
    Ok(())
}

/// What could be read of a file that nobody named.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Its definitions, in order.
    pub(crate) definitions: Vec<Manifest>,
    /// Whether there are documents that cannot be read.
    pub(crate) is_faulty: bool,
}

/// The definitions in the text of a file that nobody named: what cannot be read is passed over.
pub(crate) fn definitions_in(text: &[u8], name: &str) -> Found {
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
