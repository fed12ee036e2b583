//! Reading files of a repository that is not trusted.
//!
//! A path is followed only when it ends inside the repository; links are relative, and neither loops nor anything but
//! files and directories count as content. Bounds are far above what real apps have, and far below what would
//! trouble a sidecar that renders many apps at once.

use std::io::Read;
use std::path::{Component, Path, PathBuf};

use fs_err as fs;
use walkdir::{DirEntry, WalkDir};

use crate::Discovery;
use crate::boundary::Extent;
use sealwave_core::diagnostic::{At, Explain, Failure, Problem};
use sealwave_core::document::{Origin, Place, SourceId, Sources};
use sealwave_core::reach::{Reach, ReachError};
use sealwave_core::yaml::{Budget, YamlError, is_utf16};

/// Files and directories of one environment; links can show one directory many times, so those count too.
const MAX_ENTRIES: usize = 10_000;
/// Bytes of one file. etcd takes objects of 1.5 MiB; a file may hold many.
const MAX_FILE: u64 = 10 << 20;
/// Bytes of all files of one environment; Argo CD's messages are at most 100 MiB.
const MAX_TOTAL: u64 = 64 << 20;
/// Directories within directories.
const MAX_DEPTH: usize = 32;

/// A file that was read.
pub struct Found {
    /// Path below the app's directory.
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
    #[error("link leads to one of its own parents")]
    Loop,
    #[error("file does not exist")]
    Missing,
    #[error("{0}")]
    Io(String),
    #[error("file is encrypted by git-crypt, and nothing decrypts it")]
    GitCrypt,
    #[error("text is not valid UTF-8")]
    NotUtf8,
    #[error("{0}")]
    Utf16(YamlError),
    #[error("{what} leaves the repository")]
    Outside { what: &'static str, extent: Extent },
    #[error("it is neither a file nor a directory")]
    Special,
    #[error("directories are nested more than {MAX_DEPTH} deep")]
    TooDeep,
    #[error("file is larger than {MAX_FILE} bytes")]
    TooLarge,
    #[error("environment has more than {MAX_ENTRIES} files and directories")]
    TooMany,
    #[error("files of the environment are larger than {MAX_TOTAL} bytes together")]
    TooMuch,
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::AbsoluteLink => {
                Some("use a relative link; an absolute one works on one machine only".to_owned())
            }
            Self::AbsolutePath => Some("give the path relative to the app file".to_owned()),
            Self::GitCrypt => Some(
                "move the file out of the directory of manifests, and refer to its values from a Secret by placeholders".to_owned(),
            ),
            Self::NotUtf8 => Some("save the file as UTF-8".to_owned()),
            Self::Utf16(error) => error.hint(),
            Self::Outside { extent, .. } => Some(extent.hint().to_owned()),
            _ => None,
        }
    }
}

/// Reads files of one app and counts what it has read.
pub(super) struct Reader<'a> {
    app: &'a Discovery,
    reach: Reach,
    entries: usize,
    bytes: u64,
    budget: Budget,
}

impl<'a> Reader<'a> {
    pub(super) fn new(app: &'a Discovery) -> Self {
        Self::within(app, Budget::default())
    }

    /// A reader whose documents share this budget.
    pub(super) fn within(app: &'a Discovery, budget: Budget) -> Self {
        Self { app, reach: app.reach(), entries: 0, bytes: 0, budget }
    }

    /// What all documents of the environment may hold together.
    pub(super) const fn budget(&self) -> &Budget {
        &self.budget
    }

    /// What is left of it for the stages that follow.
    pub(super) fn into_budget(self) -> Budget {
        self.budget
    }

    /// The file at a fixed place; `None` where there is none.
    pub(super) fn optional(
        &mut self,
        relative: &Path,
        sources: &mut Sources,
    ) -> Result<Option<Found>, Failure> {
        match self.app.root().join(relative).symlink_metadata() {
            Ok(_) => self.read(relative, sources).map(Some),
            Err(_) => Ok(None),
        }
    }

    /// A patch file; `at` is where the app file names it.
    pub(super) fn patch_file(
        &mut self,
        file: &Path,
        at: Origin,
        sources: &mut Sources,
    ) -> Result<Found, Failure> {
        let fail = |error: &Error| Failure::from(Problem::at(at, error));
        if file.is_absolute() {
            return Err(fail(&Error::AbsolutePath));
        }
        if !self.reach.holds_names(self.app.root(), file) {
            return Err(fail(&self.outside("path")));
        }
        // `..` is taken off by name, so the path that is checked and the one that is read are the same.
        let relative = lexical(file);
        if self.app.root().join(&relative).symlink_metadata().is_err() {
            return Err(fail(&Error::Missing));
        }
        self.read(&relative, sources)
    }

    /// All files below a directory, sorted by the bytes of their paths; hidden ones are left out.
    pub(super) fn walk(
        &mut self,
        directory: &Path,
        sources: &mut Sources,
        problems: &mut Vec<Problem>,
    ) -> Vec<Found> {
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

    /// Whether a walk may go on with an entry: hidden ones are passed over, links are checked before they are followed.
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
        let target = fs::read_link(path).map_err(|error| io(&error))?;
        if target.is_absolute() {
            return Err(Error::AbsoluteLink);
        }
        self.reach.resolve(path).map(|_| ()).map_err(|error| self.problem_of(error, "link"))
    }

    fn read(&mut self, relative: &Path, sources: &mut Sources) -> Result<Found, Failure> {
        let text = self.text(relative).map_err(|error| Failure::from(self.problem(relative, &error)))?;
        let source = sources.add(self.app.name_of(relative));
        Ok(Found { relative: relative.to_owned(), source, text })
    }

    fn text(&mut self, relative: &Path) -> Result<String, Error> {
        let path = self.app.root().join(relative);
        if path.is_symlink() {
            self.check_link(&path)?;
        }
        let file = self.reach.open(&path).map_err(|error| self.problem_of(error, "path"))?;
        // Memory that grows while a file is read is copied, and taken from the system, several times.
        let expected = file.metadata().map_or(0, |about| about.len().min(MAX_FILE));
        let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0));
        file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|error| io(&error))?;
        let size = bytes.len() as u64;
        self.bytes = self.bytes.saturating_add(size);
        match () {
            () if size > MAX_FILE => Err(Error::TooLarge),
            () if self.bytes > MAX_TOTAL => Err(Error::TooMuch),
            () if bytes.starts_with(b"\0GITCRYPT\0") => Err(Error::GitCrypt),
            () if is_utf16(&bytes) => Err(Error::Utf16(YamlError::Utf16)),
            () => String::from_utf8(bytes).map(without_mark).map_err(|_| Error::NotUtf8),
        }
    }

    /// Returns why a path is not followed, or cannot be.
    fn problem_of(&self, error: ReachError, what: &'static str) -> Error {
        match error {
            ReachError::Io(kind) => io(&kind.into()),
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
        let place = Place { path: self.app.name_of(relative), line: 0, column: 0, rendered: None };
        Problem { at: At::Place(place), ..Problem::new(error) }
    }

    fn walk_problem(&self, error: &walkdir::Error, directory: &Path) -> Problem {
        let path = error.path().map_or_else(|| directory.to_owned(), |path| self.relative(path));
        let link = error.path().filter(|path| path.is_symlink()).map(|link| self.check_link(link));
        let error = match error.io_error() {
            _ if error.loop_ancestor().is_some() => Error::Loop,
            Some(cause) if link.is_some() => link.and_then(Result::err).unwrap_or_else(|| io(cause)),
            Some(cause) => io(cause),
            None => Error::Io("directory cannot be read".to_owned()),
        };
        self.problem(&path, &error)
    }
}

/// A byte order mark is no text; within a template it would end up in the middle of a document.
fn without_mark(mut text: String) -> String {
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    text
}

/// The operating system's words without the path, which the place names already.
fn io(error: &std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::NotFound => Error::Missing,
        // A file is read at once. What does not fit into memory ends the run like any other allocation that fails.
        std::io::ErrorKind::OutOfMemory => std::alloc::handle_alloc_error(std::alloc::Layout::new::<u8>()),
        kind => Error::Io(format!("file cannot be read: {kind}")),
    }
}

/// A relative path without `.`, and with `..` at its start only: a patch may lie beside the app in the repository.
pub(super) fn lexical(path: &Path) -> PathBuf {
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
