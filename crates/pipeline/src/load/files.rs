//! Reads files of an untrusted repository.
//!
//! A path must end inside the repository. Links must be relative and must not loop, and only files and directories
//! count as content. The limits are far above real apps, and far below what would strain a sidecar that renders many
//! apps at once.

use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::access::{FileAccess, FileError, MAX_DEPTH, io_error, normalize_lexically};
use super::named_files::NamedFiles;
use super::template_files::TemplateFiles;
use crate::discover::{Discovery, misnamed_file};
use sealwave_core::diagnostic::{Failure, Problem, ProblemPlace};
use sealwave_core::document::{Origin, SourceId, SourceLocation, Sources, display_path};
use sealwave_core::yaml::YamlBudget;

/// A file that was read.
pub(crate) struct SourceFile {
    /// The path below the app's directory.
    pub(super) relative: PathBuf,
    pub(super) source: SourceId,
    pub(super) text: String,
}

/// Reads the files of one app and counts them.
pub(super) struct FileReader<'a> {
    app: &'a Discovery,
    access: FileAccess,
    budget: YamlBudget,
}

impl<'a> FileReader<'a> {
    pub(super) fn new(app: &'a Discovery) -> Self {
        Self::with_budget(app, YamlBudget::default())
    }

    /// Creates a reader whose documents share a budget.
    pub(super) fn with_budget(app: &'a Discovery, budget: YamlBudget) -> Self {
        Self { app, access: FileAccess::to_repository(app), budget }
    }

    /// Returns the budget shared by all documents of the environment.
    pub(super) const fn budget(&self) -> &YamlBudget {
        &self.budget
    }

    /// Returns what is left for the later stages: the budget of documents, and the files that templates can read.
    pub(super) fn finish(self) -> (YamlBudget, TemplateFiles) {
        (self.budget, TemplateFiles::new(self.access.into_app_directory()))
    }

    /// Reads the file at a fixed path, or returns `None` if it does not exist.
    pub(super) fn read_optional(
        &mut self,
        relative: &Path,
        sources: &mut Sources,
    ) -> Result<Option<SourceFile>, Failure> {
        if self.access.is_missing(relative) { Ok(None) } else { self.read(relative, sources).map(Some) }
    }

    /// Returns the file, as messages name it, that is probably meant to be a missing file.
    pub(super) fn misnamed_file(&self, missing: &Path) -> Option<String> {
        let full = self.app.root().join(missing);
        if full.symlink_metadata().is_ok() {
            return None;
        }
        let name = misnamed_file(&full, self.access.reach())?;
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
        let what = || format!("patch file `{}`", self.app.name_of(&normalize_lexically(file)));
        let relative = self.find_named(file, own, &what).map_err(|error| Problem::at(at, &error))?;
        self.read(&relative, sources)
    }

    /// Returns the path of a file that the app file names. A missing file is described by `what`.
    pub(super) fn find_named(
        &self,
        file: &Path,
        own: &Path,
        what: &dyn Fn() -> String,
    ) -> Result<PathBuf, FileError> {
        let relative = self.access.named_path(file)?;
        if self.access.is_missing(&relative) {
            return Err(FileError::MissingNamed { what: what(), meant: self.meant_file(&relative, own) });
        }
        Ok(relative)
    }

    /// Returns the path, relative to the app file, that a missing file probably means: a file of a similar name, or one in
    /// the environment's own directory.
    fn meant_file(&self, missing: &Path, own: &Path) -> Option<String> {
        let in_own = own.join(missing);
        for path in [missing, &in_own] {
            let full = self.access.full(path);
            if self.access.reach().open(&full).is_ok() {
                return Some(display_path(path));
            }
            if let Some(name) = misnamed_file(&full, self.access.reach()) {
                return Some(display_path(&path.with_file_name(name)));
            }
        }
        None
    }

    /// Reads the bytes of a file that the app file names.
    pub(super) fn read_named_bytes(
        &mut self,
        relative: &Path,
        sources: &mut Sources,
    ) -> Result<(SourceId, Vec<u8>), Failure> {
        let bytes = self.access.count_entry().and_then(|()| self.access.read_bytes(relative));
        let bytes = bytes.map_err(|error| self.problem(relative, &error))?;
        Ok((sources.add(self.app.name_of(relative)), bytes))
    }

    /// Reads the text of a file that the app file names.
    pub(super) fn read_named_text(
        &mut self,
        relative: &Path,
        sources: &mut Sources,
    ) -> Result<SourceFile, Failure> {
        self.access.count_entry().map_err(|error| self.problem(relative, &error))?;
        self.read(relative, sources)
    }

    /// Returns the files directly in a directory, sorted, without hidden ones; `None` if the path is not a directory.
    pub(super) fn list_directory(&mut self, relative: &Path) -> Result<Option<Vec<PathBuf>>, Failure> {
        self.access.list_directory(relative).map_err(|error| self.problem(relative, &error).into())
    }

    /// Reads all files below a directory, sorted by the bytes of their paths, without hidden and named files.
    pub(super) fn read_directory(
        &mut self,
        directory: &Path,
        named: &NamedFiles,
        sources: &mut Sources,
        problems: &mut Vec<Problem>,
    ) -> Vec<SourceFile> {
        let mut paths = self.paths(directory, problems);
        paths.retain(|path| !named.contains(path));
        paths.sort_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
        let mut found = Vec::new();
        for path in paths {
            match self.read(&path, sources) {
                Ok(file) => found.push(file),
                Err(failure) => problems.extend_from_slice(failure.problems()),
            }
            if self.access.is_exhausted() {
                break;
            }
        }
        found
    }

    fn paths(&mut self, directory: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
        let top = self.access.full(directory);
        if top.symlink_metadata().is_err() {
            return Vec::new();
        }
        let mut rejected = Vec::new();
        let mut paths = Vec::new();
        let walk = WalkDir::new(&top).follow_links(true).max_depth(MAX_DEPTH).sort_by_file_name();
        let mut count = self.access.entry_count();
        for entry in walk.into_iter().filter_entry(|entry| self.may_enter(entry, &mut rejected)) {
            if let Err(error) = count.add() {
                problems.push(self.problem(directory, &error));
                break;
            }
            match entry {
                Ok(entry) if entry.file_type().is_file() => {
                    paths.push(self.access.relative(entry.path()));
                }
                Ok(entry) if entry.file_type().is_dir() && entry.depth() < MAX_DEPTH => {}
                Ok(entry) if entry.file_type().is_dir() => {
                    problems.push(self.problem(&self.access.relative(entry.path()), &FileError::TooDeep));
                }
                Ok(entry) => {
                    problems.push(self.problem(&self.access.relative(entry.path()), &FileError::Special));
                }
                Err(error) => problems.push(self.walk_problem(&error, directory)),
            }
        }
        self.access.set_entry_count(count);
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
        match self.access.check_link(entry.path()) {
            Ok(()) => true,
            Err(error) => {
                rejected.push(self.problem(&self.access.relative(entry.path()), &error));
                false
            }
        }
    }

    fn read(&mut self, relative: &Path, sources: &mut Sources) -> Result<SourceFile, Failure> {
        let text =
            self.access.read_text(relative).map_err(|error| Failure::from(self.problem(relative, &error)))?;
        let source = sources.add(self.app.name_of(relative));
        Ok(SourceFile { relative: relative.to_owned(), source, text })
    }

    fn problem(&self, relative: &Path, error: &FileError) -> Problem {
        let (line, column) = match error {
            FileError::Text(error) => error.position(),
            _ => (0, 0),
        };
        let place = SourceLocation { path: self.app.name_of(relative), line, column, rendered: None };
        Problem { at: ProblemPlace::Place(place), ..Problem::new(error) }
    }

    fn walk_problem(&self, error: &walkdir::Error, directory: &Path) -> Problem {
        let path = error.path().map_or_else(|| directory.to_owned(), |path| self.access.relative(path));
        let link = error.path().filter(|path| path.is_symlink()).map(|link| self.access.check_link(link));
        let error = match error.io_error() {
            _ if error.loop_ancestor().is_some() => FileError::Loop,
            Some(cause) if link.is_some() => link.and_then(Result::err).unwrap_or_else(|| io_error(cause)),
            Some(cause) => io_error(cause),
            None => FileError::Io("directory cannot be read".to_owned()),
        };
        self.problem(&path, &error)
    }
}
