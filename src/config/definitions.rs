//! Definitions of custom resources from files, as controllers publish them.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::diagnostic::{At, Explain, Failure, Problem};
use crate::model::{Manifest, Sources, display_path};
use crate::schema::{KubeVersion, MAX_DEFINITIONS, Schemas, ViolationKind};
use crate::yaml;

const MAX_FILES: usize = 10_000;

#[derive(Debug, thiserror::Error)]
enum DefinitionsError {
    #[error("`{0}` holds no CustomResourceDefinition")]
    None(String),
    #[error("`{0}` holds more than {MAX_FILES} files")]
    TooMany(String),
    #[error("`{path}` cannot be read: {reason}")]
    Unreadable { path: String, reason: std::io::ErrorKind },
}

impl Explain for DefinitionsError {
    fn hint(&self) -> Option<String> {
        matches!(self, Self::None(_)).then(|| {
            "name the file or directory in which a controller publishes its definitions; `sealwave schemas pull` writes one".to_owned()
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

fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in WalkDir::new(path).sort_by_file_name() {
        let entry = entry.map_err(|error| {
            let reason = error.io_error().map_or(std::io::ErrorKind::Other, std::io::Error::kind);
            Problem::new(&DefinitionsError::Unreadable { path: path.display().to_string(), reason })
        })?;
        let known =
            |extension: &std::ffi::OsStr| ["yaml", "yml", "json"].iter().any(|known| extension == *known);
        if entry.file_type().is_file() && entry.path().extension().is_some_and(known) {
            files.push(entry.into_path());
        }
        if files.len() > MAX_FILES {
            return Err(Problem::new(&DefinitionsError::TooMany(path.display().to_string())).into());
        }
    }
    Ok(files)
}

fn of_file(path: &Path, found: &mut Definitions) -> Result<(), Failure> {
    let shown = display_path(path);
    let unreadable = |reason| Problem::new(&DefinitionsError::Unreadable { path: shown.clone(), reason });
    let length = fs_err::metadata(path).map_err(|error| unreadable(error.kind()))?.len();
    if length > MAX_DEFINITIONS as u64 {
        return Err(unreadable(std::io::ErrorKind::FileTooLarge).into());
    }
    let bytes = fs_err::read(path).map_err(|error| unreadable(error.kind()))?;
    let mut sources = Sources::default();
    let source = sources.add(&shown);
    let nodes =
        yaml::read(&bytes, source, &yaml::Limits::default()).map_err(|failure| failure.located(&sources))?;
    let objects = yaml::flatten_lists(nodes).into_iter().filter_map(|node| Manifest::new(node).ok());
    for object in objects.filter(|object| object.is("apiextensions.k8s.io", "CustomResourceDefinition")) {
        found.faults.extend(faults(&object, &sources));
        found.all.push(object);
    }
    Ok(())
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
