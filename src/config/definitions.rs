//! Definitions of custom resources from files, as controllers publish them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::diagnostic::{Explain, Failure, Problem, io_reason};
use crate::model::{Manifest, Node, Sources};
use crate::schema::MAX_DEFINITIONS;
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
    #[error("`{0}` holds more than {MAX_FILES} files")]
    TooMany(String),
    #[error("`{path}` cannot be read: {}", io_reason(*.reason))]
    Unreadable { path: String, reason: std::io::ErrorKind },
}

impl Explain for DefinitionsError {
    fn hint(&self) -> Option<String> {
        matches!(self, Self::None(_)).then(|| {
            "name the file or directory in which a controller publishes its definitions; `sealwave schemas pull` writes one".to_owned()
        })
    }
}

/// The definitions in a file, or in the files below a directory, in the order of paths.
pub(super) fn definitions(path: &Path) -> Result<Vec<Manifest>, Failure> {
    let shown = path.display().to_string();
    let mut found = Vec::new();
    for file in files(path)? {
        found.extend(of_file(&file)?);
    }
    if found.is_empty() {
        return Err(Problem::new(&DefinitionsError::None(shown)).into());
    }
    Ok(found)
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
    Problem::new(&DefinitionsError::Unreadable { path: path.display().to_string(), reason })
}

fn of_file(path: &Path) -> Result<Vec<Manifest>, Failure> {
    let shown = path.display().to_string();
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
    Ok(among(nodes))
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
