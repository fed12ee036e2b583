//! Reads files of an untrusted repository.
//!
//! A path must end inside the repository. Links must be relative and must not loop, and only files and directories
//! count as content. The limits are far above real apps, and far below what would strain a sidecar that renders many
//! apps at once.

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use fs_err as fs;
use walkdir::{DirEntry, WalkDir};

use crate::boundary::CheckoutExtent;
use crate::discover::{Discovery, misnamed_file};
use crate::text_content::{self, TextError};
use sealwave_core::bounded_file::{BoundedReadError, read_file};
use sealwave_core::diagnostic::{
    Explain, Failure, LEAVES_REPOSITORY, NOT_FILE_OR_DIRECTORY, Problem, ProblemPlace, io_reason,
};
use sealwave_core::document::{Origin, SourceId, SourceLocation, Sources, display_path};
use sealwave_core::reach::{PathReach, ReachError};
use sealwave_core::yaml::YamlBudget;

/// The maximum number of files and directories of one environment. Links can show a directory many times, so each visit
/// counts.
const MAX_ENTRIES: usize = 10_000;
/// The maximum size of a file in bytes. etcd accepts objects of 1.5 MiB, and a file may hold many.
const MAX_FILE: u64 = 10 << 20;
/// The maximum total size of the files of one environment; Argo CD's messages are at most 100 MiB.
const MAX_TOTAL: u64 = 64 << 20;
/// The maximum nesting of directories.
const MAX_DEPTH: usize = 32;

/// A file that was read.
pub(crate) struct SourceFile {
    /// The path below the app's directory.
    pub(super) relative: PathBuf,
    pub(super) source: SourceId,
    pub(super) text: String,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("link is absolute")]
    AbsoluteLink,
    #[error("path is absolute")]
    AbsolutePath,
    #[error("link points to one of its parent directories")]
    Loop,
    #[error("{}", io_reason(ErrorKind::NotFound))]
    Missing,
    #[error("patch file `{path}` cannot be read: {}", io_reason(ErrorKind::NotFound))]
    MissingPatch { path: String, meant: Option<String> },
    #[error("{0}")]
    Io(String),
    #[error("{0}")]
    Text(#[from] TextError),
    #[error("{what} {LEAVES_REPOSITORY}")]
    Outside { what: &'static str, extent: CheckoutExtent },
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

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::AbsoluteLink => {
                Some("use a relative link; an absolute link works on only one machine".to_owned())
            }
            Self::AbsolutePath => Some("give the path relative to the app file".to_owned()),
            Self::MissingPatch { meant: Some(meant), .. } => Some(format!("did you mean `{meant}`?")),
            Self::MissingPatch { meant: None, .. } => {
                Some("the path of a patch is relative to `sealwave.yaml`".to_owned())
            }
            Self::Text(error) => error.hint(),
            Self::Outside { extent, .. } => Some(extent.hint().to_owned()),
            _ => None,
        }
    }
}

/// Reads the files of one app and counts them.
pub(super) struct FileReader<'a> {
    app: &'a Discovery,
    reach: PathReach,
    entries: usize,
    bytes: u64,
    budget: YamlBudget,
}

impl<'a> FileReader<'a> {
    pub(super) fn new(app: &'a Discovery) -> Self {
        Self::with_budget(app, YamlBudget::default())
    }

    /// Creates a reader whose documents share a budget.
    pub(super) fn with_budget(app: &'a Discovery, budget: YamlBudget) -> Self {
        Self { app, reach: app.reach(), entries: 0, bytes: 0, budget }
    }

    /// Returns the budget shared by all documents of the environment.
    pub(super) const fn budget(&self) -> &YamlBudget {
        &self.budget
    }

    /// Returns the remaining budget for the later stages.
    pub(super) fn into_budget(self) -> YamlBudget {
        self.budget
    }

    /// Reads the file at a fixed path, or returns `None` if it does not exist.
    pub(super) fn read_optional(
        &mut self,
        relative: &Path,
        sources: &mut Sources,
    ) -> Result<Option<SourceFile>, Failure> {
        match self.app.root().join(relative).symlink_metadata() {
            Ok(_) => self.read(relative, sources).map(Some),
            Err(_) => Ok(None),
        }
    }

    /// Returns the file, as messages name it, that is probably meant to be a missing file.
    pub(super) fn misnamed_file(&self, missing: &Path) -> Option<String> {
        let full = self.app.root().join(missing);
        if full.symlink_metadata().is_ok() {
            return None;
        }
        let name = misnamed_file(&full, &self.reach)?;
        Some(self.app.name_of(&missing.with_file_name(name)))
    }

    /// Reads a patch file of an environment, whose own directory is `own`; `at` is the location of its name in the app
    /// file.
    pub(super) fn read_patch_file(
        &mut self,
        file: &Path,
        own: &Path,
        at: Origin,
        sources: &mut Sources,
    ) -> Result<SourceFile, Failure> {
        let failure = |error: &Error| Failure::from(Problem::at(at, error));
        if file.is_absolute() {
            return Err(failure(&Error::AbsolutePath));
        }
        if !self.reach.contains_names(self.app.root(), file) {
            return Err(failure(&self.outside("path")));
        }
        // `..` is resolved lexically, so the checked path is the one that is read.
        let relative = normalize_lexically(file);
        if self.app.root().join(&relative).symlink_metadata().is_err() {
            let path = self.app.name_of(&relative);
            return Err(failure(&Error::MissingPatch { path, meant: self.meant_patch(&relative, own) }));
        }
        self.read(&relative, sources)
    }

    /// Returns the path, relative to the app file, that a patch's missing file probably means: a file of a similar name,
    /// or one in the environment's own directory.
    fn meant_patch(&self, missing: &Path, own: &Path) -> Option<String> {
        let in_own = own.join(missing);
        for path in [missing, &in_own] {
            let full = self.app.root().join(path);
            if self.reach.open(&full).is_ok() {
                return Some(display_path(path));
            }
            if let Some(name) = misnamed_file(&full, &self.reach) {
                return Some(display_path(&path.with_file_name(name)));
            }
        }
        None
    }

    /// Reads all files below a directory, sorted by the bytes of their paths, without hidden files.
    pub(super) fn read_directory(
        &mut self,
        directory: &Path,
        sources: &mut Sources,
        problems: &mut Vec<Problem>,
    ) -> Vec<SourceFile> {
        let mut paths = self.paths(directory, problems);
        paths.sort_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
        let mut found = Vec::new();
        for path in paths {
            match self.read(&path, sources) {
                Ok(file) => found.push(file),
                Err(failure) => problems.extend_from_slice(failure.problems()),
            }
            if self.bytes > MAX_TOTAL {
                break;
            }
        }
        found
    }

    fn paths(&mut self, directory: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
        let top = self.app.root().join(directory);
        if top.symlink_metadata().is_err() {
            return Vec::new();
        }
        let mut rejected = Vec::new();
        let mut paths = Vec::new();
        let walk = WalkDir::new(&top).follow_links(true).max_depth(MAX_DEPTH).sort_by_file_name();
        let mut entries = self.entries;
        for entry in walk.into_iter().filter_entry(|entry| self.may_enter(entry, &mut rejected)) {
            entries = entries.saturating_add(1);
            if entries > MAX_ENTRIES {
                problems.push(self.problem(directory, &Error::TooMany));
                break;
            }
            match entry {
                Ok(entry) if entry.file_type().is_file() => {
                    paths.push(self.relative(entry.path()));
                }
                Ok(entry) if entry.file_type().is_dir() && entry.depth() < MAX_DEPTH => {}
                Ok(entry) if entry.file_type().is_dir() => {
                    problems.push(self.problem(&self.relative(entry.path()), &Error::TooDeep));
                }
                Ok(entry) => problems.push(self.problem(&self.relative(entry.path()), &Error::Special)),
                Err(error) => problems.push(self.walk_problem(&error, directory)),
            }
        }
        self.entries = entries;
        problems.append(&mut rejected);
        paths
    }

    /// Reports whether a walk enters an entry. Skips hidden entries, and checks links before they are followed.
    fn may_enter(&self, entry: &DirEntry, rejected: &mut Vec<Problem>) -> bool {
        if entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".") {
            return false;
        }
        if !entry.path_is_symlink() {
            return true;
        }
        match self.check_link(entry.path()) {
            Ok(()) => true,
            Err(error) => {
                rejected.push(self.problem(&self.relative(entry.path()), &error));
                false
            }
        }
    }

    fn check_link(&self, path: &Path) -> Result<(), Error> {
        let target = fs::read_link(path).map_err(|error| io_error(&error))?;
        if target.is_absolute() {
            return Err(Error::AbsoluteLink);
        }
        self.reach.resolve(path).map(|_| ()).map_err(|error| self.convert_reach_error(error, "link"))
    }

    fn read(&mut self, relative: &Path, sources: &mut Sources) -> Result<SourceFile, Failure> {
        let text = self.read_text(relative).map_err(|error| Failure::from(self.problem(relative, &error)))?;
        let source = sources.add(self.app.name_of(relative));
        Ok(SourceFile { relative: relative.to_owned(), source, text })
    }

    fn read_text(&mut self, relative: &Path) -> Result<String, Error> {
        let path = self.app.root().join(relative);
        if path.is_symlink() {
            self.check_link(&path)?;
        }
        let file = self.reach.open(&path).map_err(|error| self.convert_reach_error(error, "path"))?;
        let mut bytes = read_file(file, MAX_FILE).map_err(|error| match error {
            BoundedReadError::TooLarge => Error::TooLarge,
            error => io_error(&error.kind().into()),
        })?;
        let bytes = std::mem::take(&mut *bytes);
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        if self.bytes > MAX_TOTAL {
            return Err(Error::TooMuch);
        }
        Ok(text_content::decode(bytes)?)
    }

    /// Converts the reason why a path was not followed.
    fn convert_reach_error(&self, error: ReachError, what: &'static str) -> Error {
        match error {
            ReachError::Io(kind) => io_error(&kind.into()),
            ReachError::Loop => Error::Loop,
            ReachError::Missing => Error::Missing,
            ReachError::Outside => self.outside(what),
            ReachError::Special => Error::Special,
        }
    }

    const fn outside(&self, what: &'static str) -> Error {
        Error::Outside { what, extent: self.app.extent() }
    }

    fn relative(&self, path: &Path) -> PathBuf {
        path.strip_prefix(self.app.root()).unwrap_or(path).to_owned()
    }

    fn problem(&self, relative: &Path, error: &Error) -> Problem {
        let (line, column) = match error {
            Error::Text(error) => error.position(),
            _ => (0, 0),
        };
        let place = SourceLocation { path: self.app.name_of(relative), line, column, rendered: None };
        Problem { at: ProblemPlace::Place(place), ..Problem::new(error) }
    }

    fn walk_problem(&self, error: &walkdir::Error, directory: &Path) -> Problem {
        let path = error.path().map_or_else(|| directory.to_owned(), |path| self.relative(path));
        let link = error.path().filter(|path| path.is_symlink()).map(|link| self.check_link(link));
        let error = match error.io_error() {
            _ if error.loop_ancestor().is_some() => Error::Loop,
            Some(cause) if link.is_some() => link.and_then(Result::err).unwrap_or_else(|| io_error(cause)),
            Some(cause) => io_error(cause),
            None => Error::Io("directory cannot be read".to_owned()),
        };
        self.problem(&path, &error)
    }
}

/// Describes an I/O error without its path, which the location already names.
fn io_error(error: &std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => Error::Missing,
        // A file is read in one piece. If it does not fit into memory, the run ends like any failed allocation.
        ErrorKind::OutOfMemory => std::alloc::handle_alloc_error(std::alloc::Layout::new::<u8>()),
        kind => Error::Io(format!("file cannot be read: {}", io_reason(kind))),
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
