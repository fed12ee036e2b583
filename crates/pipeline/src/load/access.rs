//! Reads single files of an untrusted repository, within limits. All that reads files of an app uses it: manifests,
//! values, patches, files of ConfigMaps and Secrets, and the helper `file` of templates.

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use fs_err as fs;

use crate::boundary::CheckoutExtent;
use crate::discover::Discovery;
use crate::text_content::{self, TextError};
use sealwave_core::bounded_file::{BoundedReadError, read_file};
use sealwave_core::diagnostic::{Explain, LEAVES_REPOSITORY, NOT_FILE_OR_DIRECTORY, io_reason};
use sealwave_core::reach::{PathReach, ReachError, directory_of};
use sealwave_kube::MOVE_FILE;
use sealwave_secrets::settings::APP_FILE;

/// The maximum number of files and directories of one environment. Links can show a directory many times, so each visit
/// counts.
const MAX_ENTRIES: usize = 10_000;
/// The maximum size of a file in bytes. etcd accepts objects of 1.5 MiB, and a file may hold many.
const MAX_FILE: u64 = 10 << 20;
/// The maximum total size of the files of one environment; Argo CD's messages are at most 100 MiB.
const MAX_TOTAL: u64 = 64 << 20;
/// The maximum nesting of directories.
pub(super) const MAX_DEPTH: usize = 32;

/// A reason why a file of an app is not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("link is absolute")]
    AbsoluteLink,
    #[error("path is absolute")]
    AbsolutePath,
    #[error("link points to one of its parent directories")]
    Loop,
    #[error("{}", io_reason(ErrorKind::NotFound))]
    Missing,
    #[error("{what} cannot be read: {}", io_reason(ErrorKind::NotFound))]
    MissingNamed { what: String, meant: Option<String> },
    #[error("{0}")]
    Io(String),
    #[error("file is encrypted with git-crypt")]
    GitCrypt,
    #[error("{0}")]
    Text(#[from] TextError),
    #[error("{what} {LEAVES_REPOSITORY}")]
    Outside { what: &'static str, extent: CheckoutExtent },
    #[error("{0} leaves the directory of the app")]
    OutsideApp(&'static str),
    #[error("path {NOT_FILE_OR_DIRECTORY}")]
    Special,
    #[error("directories are nested more than {MAX_DEPTH} deep")]
    TooDeep,
    #[error("file is larger than {MAX_FILE} bytes")]
    TooLarge,
    #[error("environment has more than {MAX_ENTRIES} files and directories")]
    TooMany,
    #[error("files of the environment have more than {MAX_TOTAL} bytes in total")]
    TooMuch,
}

impl Explain for FileError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::AbsoluteLink => {
                Some("use a relative link; an absolute link works on only one machine".to_owned())
            }
            Self::AbsolutePath => Some("give the path relative to the app file".to_owned()),
            Self::GitCrypt => {
                Some(format!("{MOVE_FILE}, and refer to its values by placeholders in a Secret"))
            }
            Self::MissingNamed { meant: Some(meant), .. } => Some(format!("did you mean `{meant}`?")),
            Self::MissingNamed { meant: None, .. } => {
                Some(format!("the path is relative to the directory of `{APP_FILE}`"))
            }
            Self::Text(error) => error.hint(),
            Self::Outside { extent, .. } => Some(extent.hint().to_owned()),
            Self::OutsideApp(_) => Some(format!("move the file to the directory of `{APP_FILE}`")),
            _ => None,
        }
    }
}

/// Reads files below a directory, counts them, and stops at the limits of an environment.
pub(super) struct FileAccess {
    /// The directory of the app, to which paths are relative.
    root: PathBuf,
    reach: PathReach,
    /// The part of the repository within reach; `None` if only the app's directory is.
    extent: Option<CheckoutExtent>,
    entries: EntryCount,
    bytes: u64,
}

/// The number of files and directories that were visited.
#[derive(Clone, Copy, Default)]
pub(super) struct EntryCount(usize);

impl EntryCount {
    /// Counts a file or a directory.
    pub(super) const fn add(&mut self) -> Result<(), FileError> {
        self.0 = self.0.saturating_add(1);
        if self.0 > MAX_ENTRIES { Err(FileError::TooMany) } else { Ok(()) }
    }
}

impl FileAccess {
    /// Creates the access to the files of the repository.
    pub(super) fn to_repository(app: &Discovery) -> Self {
        let (root, reach) = (app.root().to_owned(), app.reach());
        Self { root, reach, extent: Some(app.extent()), entries: EntryCount::default(), bytes: 0 }
    }

    /// Narrows the access to the app's directory. What was read so far counts.
    pub(super) fn into_app_directory(self) -> Self {
        Self { reach: PathReach::Below(self.root.clone()), extent: None, ..self }
    }

    /// Returns how far paths may lead.
    pub(super) const fn reach(&self) -> &PathReach {
        &self.reach
    }

    /// Returns the full path of a path below the app's directory.
    pub(super) fn full(&self, relative: &Path) -> PathBuf {
        self.root.join(relative)
    }

    /// Returns the path below the app's directory of a full path.
    pub(super) fn relative(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).unwrap_or(path).to_owned()
    }

    /// Counts a file or a directory.
    pub(super) const fn count_entry(&mut self) -> Result<(), FileError> {
        self.entries.add()
    }

    /// Returns the number of files and directories so far, for a walk that uses the access.
    pub(super) const fn entry_count(&self) -> EntryCount {
        self.entries
    }

    /// Sets the number of files and directories after a walk.
    pub(super) const fn set_entry_count(&mut self, entries: EntryCount) {
        self.entries = entries;
    }

    /// Reports whether a path is missing. A broken link is not, and nothing is revealed about what is out of reach.
    pub(super) fn is_missing(&self, relative: &Path) -> bool {
        let path = self.full(relative);
        let Some(name) = path.file_name() else {
            return self.reach.resolve(&path) == Err(ReachError::Missing);
        };
        match self.reach.resolve(directory_of(&path)) {
            Ok(directory) => directory.join(name).symlink_metadata().is_err(),
            Err(error) => error == ReachError::Missing,
        }
    }

    /// Returns the files directly in a directory, sorted, without hidden ones; `None` if the path is not a directory.
    pub(super) fn list_directory(&mut self, relative: &Path) -> Result<Option<Vec<PathBuf>>, FileError> {
        let reached = |error| self.convert_reach_error(error, "path");
        let directory = self.reach.resolve(&self.full(relative)).map_err(reached)?;
        if !directory.is_dir() {
            return Ok(None);
        }
        let mut files = Vec::new();
        for entry in fs::read_dir(&directory).map_err(|error| io_error(&error))? {
            self.entries.add()?;
            let name = entry.map_err(|error| io_error(&error))?.file_name();
            let is_directory =
                || self.reach.resolve(&directory.join(&name)).is_ok_and(|reached| reached.is_dir());
            if !name.as_encoded_bytes().starts_with(b".") && !is_directory() {
                files.push(relative.join(&name));
            }
        }
        files.sort();
        Ok(Some(files))
    }

    /// Reports whether no more bytes may be read.
    pub(super) const fn is_exhausted(&self) -> bool {
        self.bytes > MAX_TOTAL
    }

    /// Checks the names of a path of the author, and returns it without `..` inside. `..` is resolved lexically, so the
    /// checked path is the one that is read.
    pub(super) fn named_path(&self, path: &Path) -> Result<PathBuf, FileError> {
        if path.is_absolute() {
            return Err(FileError::AbsolutePath);
        }
        if !self.reach.contains_names(&self.root, path) {
            return Err(self.outside("path"));
        }
        Ok(normalize_lexically(path))
    }

    /// Reads the bytes of a file.
    pub(super) fn read_bytes(&mut self, relative: &Path) -> Result<Vec<u8>, FileError> {
        let path = self.full(relative);
        if path.is_symlink() {
            self.check_link(&path)?;
        }
        if self.is_exhausted() {
            return Err(FileError::TooMuch);
        }
        let file = self.reach.open(&path).map_err(|error| self.convert_reach_error(error, "path"))?;
        let mut bytes = read_file(file, MAX_FILE).map_err(|error| match error {
            BoundedReadError::TooLarge => FileError::TooLarge,
            error => io_error(&error.kind().into()),
        })?;
        let bytes = std::mem::take(&mut *bytes);
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        match () {
            () if self.is_exhausted() => Err(FileError::TooMuch),
            () if bytes.starts_with(b"\0GITCRYPT\0") => Err(FileError::GitCrypt),
            () => Ok(bytes),
        }
    }

    /// Reads a file as text, without a byte order mark.
    pub(super) fn read_text(&mut self, relative: &Path) -> Result<String, FileError> {
        self.read_bytes(relative).and_then(into_text)
    }

    /// Checks a link before it is followed.
    pub(super) fn check_link(&self, path: &Path) -> Result<(), FileError> {
        let target = fs::read_link(path).map_err(|error| io_error(&error))?;
        if target.is_absolute() {
            return Err(FileError::AbsoluteLink);
        }
        self.reach.resolve(path).map(|_| ()).map_err(|error| self.convert_reach_error(error, "link"))
    }

    /// Converts the reason why a path was not followed.
    pub(super) fn convert_reach_error(&self, error: ReachError, what: &'static str) -> FileError {
        match error {
            ReachError::Io(kind) => io_error(&kind.into()),
            ReachError::Loop => FileError::Loop,
            ReachError::Missing => FileError::Missing,
            ReachError::Outside => self.outside(what),
            ReachError::Special => FileError::Special,
        }
    }

    const fn outside(&self, what: &'static str) -> FileError {
        match self.extent {
            Some(extent) => FileError::Outside { what, extent },
            None => FileError::OutsideApp(what),
        }
    }
}

/// Reads bytes as text, without a byte order mark.
pub(super) fn into_text(bytes: Vec<u8>) -> Result<String, FileError> {
    Ok(text_content::decode(bytes)?)
}

/// Describes an I/O error without its path, which the location already names.
pub(super) fn io_error(error: &std::io::Error) -> FileError {
    match error.kind() {
        ErrorKind::NotFound => FileError::Missing,
        // A file is read in one piece. If it does not fit into memory, the run ends like any failed allocation.
        ErrorKind::OutOfMemory => std::alloc::handle_alloc_error(std::alloc::Layout::new::<u8>()),
        kind => FileError::Io(format!("file cannot be read: {}", io_reason(kind))),
    }
}

/// Normalizes a relative path: removes `.`, and keeps `..` only at the start, since a patch may be outside the app's
/// directory.
pub(crate) fn normalize_lexically(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir if clean.components().all(|part| part == Component::ParentDir) => {
                clean.push("..");
            }
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir | Component::Prefix(_) | Component::RootDir => {}
        }
    }
    clean
}
