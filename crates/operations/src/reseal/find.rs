//! Finds the files of a repository that hold SealedSecrets.
//!
//! Hidden files and files that a `.gitignore` names are skipped, because they are not committed manifests. No link is followed:
//! a file has one place, where it is found anyway. What looks like a SealedSecret but cannot be edited is reported, never dropped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fs_err as fs;
use ignore::{DirEntry, WalkBuilder};

use sealwave_core::bounded_file::{BoundedReadError, read_regular_file};
use sealwave_core::diagnostic::{Failure, NOT_REGULAR_FILE, Problem, ProblemPlace, io_reason};
use sealwave_core::document::{SourceLocation, display_path};
use sealwave_core::reach::{PathReach, ReachError, repository_root};
use sealwave_core::workers;
use sealwave_core::yaml::is_utf16;

use super::error::ResealError;
use crate::sealed_files::SealedFile;

/// The largest file.
const MAX_FILE: u64 = 16 << 20;

/// The most bytes of files with SealedSecrets that are held at once.
const MAX_BYTES: usize = 512 << 20;

/// A file with SealedSecrets.
pub struct FoundFile {
    /// The path, relative to the root.
    pub path: PathBuf,
    /// Its contents.
    pub file: SealedFile,
}

/// The files with SealedSecrets of one repository, in the order of their paths.
pub struct SealedTree {
    /// The top of the repository, or the directory itself outside of one: an absolute path without links.
    pub root: PathBuf,
    /// The files that can be read.
    pub files: Vec<FoundFile>,
    /// The files that may hold SealedSecrets but were not read as such.
    pub unseen: Vec<UnseenFile>,
}

/// A file that may hold SealedSecrets, but was not read as such.
#[derive(Clone, Debug)]
pub struct UnseenFile {
    /// The path as people see it.
    pub path: String,
    /// The reason.
    pub reason: UnseenReason,
}

/// A reason why a file was not read.
#[derive(Clone, Debug)]
pub enum UnseenReason {
    /// A link that leaves the repository, or a broken one.
    Link,
    /// It mentions SealedSecrets, but is not valid.
    Malformed(Failure),
    /// It mentions SealedSecrets, but is a template.
    Template,
    /// It cannot be read.
    Unreadable(String),
}

impl UnseenReason {
    /// Reports whether a change of all files is impossible without this one.
    #[must_use]
    pub const fn is_error(&self) -> bool {
        matches!(self, Self::Malformed(_) | Self::Unreadable(_))
    }

    /// Returns the reason for people.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Link => "symbolic link out of the repository".to_owned(),
            Self::Malformed(failure) => {
                failure.problems().first().map_or_else(String::new, |problem| problem.message.clone())
            }
            Self::Template => "template with a SealedSecret, which cannot be edited".to_owned(),
            Self::Unreadable(reason) => reason.clone(),
        }
    }
}

/// The result of one path.
enum ExaminedFile {
    File(FoundFile),
    Nothing,
    Unseen(UnseenFile),
}

/// Groups paths by their repository; a path outside of one is its own group.
///
/// # Errors
/// A path does not exist.
pub fn group_by_repository(paths: &[PathBuf]) -> Result<Vec<(PathBuf, Vec<PathBuf>)>, Failure> {
    let mut groups: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    for path in paths {
        let failed =
            |error: &std::io::Error| Problem::new(&ResealError::unreadable(display_path(path), error.kind()));
        let full = fs::canonicalize(path).map_err(|error| failed(&error))?;
        let is_directory = fs::metadata(&full).map_err(|error| failed(&error))?.is_dir();
        let directory = if is_directory { full.as_path() } else { full.parent().unwrap_or(&full) };
        let root = repository_root(directory).unwrap_or(directory).to_owned();
        groups.entry(root).or_default().push(path.clone());
    }
    Ok(groups.into_iter().collect())
}

impl SealedTree {
    /// Finds the files below paths of one repository.
    ///
    /// # Errors
    /// The paths belong to several repositories, or there is too much to hold.
    pub fn find(paths: &[PathBuf]) -> Result<Self, Failure> {
        let mut groups = group_by_repository(paths)?;
        let (Some((root, paths)), true) = (groups.pop(), groups.is_empty()) else {
            let mut roots: Vec<PathBuf> =
                group_by_repository(paths)?.into_iter().map(|(root, _)| root).collect();
            roots.truncate(5);
            return Err(Problem::new(&ResealError::SeveralRepositories(roots)).into());
        };
        Self::below(root, &paths)
    }

    /// Finds the files below paths of the repository at `root`.
    ///
    /// # Errors
    /// A path cannot be read, or there is too much to hold.
    pub fn below(root: PathBuf, paths: &[PathBuf]) -> Result<Self, Failure> {
        let mut candidates: BTreeMap<PathBuf, String> = BTreeMap::new();
        let mut unseen = Vec::new();
        for path in paths {
            candidates_below(&root, path, &mut candidates, &mut unseen)?;
        }
        let candidates: Vec<(PathBuf, String)> = candidates.into_iter().collect();
        let examined = workers::parallel_map(&candidates, |(path, shown)| examine(&root, path, shown))
            .map_err(|error| Problem::new(&error))?;
        let mut tree = Self { root, files: Vec::new(), unseen };
        let mut held = 0_usize;
        for examined in examined {
            match examined {
                ExaminedFile::File(file) => {
                    held = held.saturating_add(file.file.bytes().len());
                    if held > MAX_BYTES {
                        let reason =
                            format!("files with SealedSecrets have more than {MAX_BYTES} bytes in total");
                        let path = display_path(&tree.root);
                        return Err(Problem::new(&ResealError::Unreadable { path, reason }).into());
                    }
                    tree.files.push(file);
                }
                ExaminedFile::Nothing => {}
                ExaminedFile::Unseen(file) => tree.unseen.push(file),
            }
        }
        tree.unseen.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(tree)
    }

    /// Returns the paths of the files, relative to the root.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.path.as_path())
    }

    /// Requires that every file that may hold SealedSecrets was read. Templates and links are exempt: they cannot be edited.
    ///
    /// # Errors
    /// The problems of all files.
    pub fn require_readable(&self) -> Result<(), Failure> {
        let mut problems = Vec::new();
        for file in &self.unseen {
            match &file.reason {
                UnseenReason::Malformed(failure) => problems.extend(failure.problems().iter().cloned()),
                UnseenReason::Unreadable(reason) => {
                    let (path, reason) = (file.path.clone(), reason.clone());
                    problems.push(Problem::new(&ResealError::Unreadable { path, reason }));
                }
                UnseenReason::Link | UnseenReason::Template => {}
            }
        }
        Failure::unless_empty(problems)
    }

    /// Returns a warning for each file that cannot be edited.
    #[must_use]
    pub fn warnings(&self) -> Vec<Problem> {
        let exempt = self.unseen.iter().filter(|file| !file.reason.is_error());
        exempt.map(UnseenFile::problem).collect()
    }
}

impl UnseenFile {
    fn problem(&self) -> Problem {
        let at = SourceLocation { path: self.path.clone(), line: 0, column: 0, rendered: None };
        let hint = match self.reason {
            UnseenReason::Template => {
                "move the SealedSecret into a file of its own without `.hbs`, or seal its items again by hand"
            }
            _ => "name the file itself, in its own repository",
        };
        Problem {
            message: self.reason.text(),
            at: ProblemPlace::Place(at),
            hint: Some(hint.to_owned()),
            kind: None,
            needs_commit: false,
        }
    }
}

/// Returns the files below a path that may be manifests, relative to `root`, with their paths as people see them. No link is
/// followed.
///
/// # Errors
/// The path cannot be read.
pub(crate) fn manifest_files(
    root: &Path,
    path: &Path,
) -> Result<(BTreeMap<PathBuf, String>, Vec<UnseenFile>), Failure> {
    let (mut files, mut unseen) = (BTreeMap::new(), Vec::new());
    candidates_below(root, path, &mut files, &mut unseen)?;
    Ok((files, unseen))
}

/// Collects the files below a path that may be manifests.
fn candidates_below(
    root: &Path,
    path: &Path,
    candidates: &mut BTreeMap<PathBuf, String>,
    unseen: &mut Vec<UnseenFile>,
) -> Result<(), Failure> {
    let full = fs::canonicalize(path)
        .map_err(|error| Problem::new(&ResealError::unreadable(display_path(path), error.kind())))?;
    let shown_below = |inside: &Path| {
        display_path(&if inside.as_os_str().is_empty() { path.to_owned() } else { path.join(inside) })
    };
    if !full.is_dir() {
        if !full.is_file() {
            return Err(Problem::new(&ResealError::not_regular(display_path(path))).into());
        }
        if let Ok(inside) = full.strip_prefix(root) {
            candidates.insert(inside.to_owned(), display_path(path));
        }
        return Ok(());
    }
    let reach = PathReach::Below(root.to_owned());
    for entry in walk(&full, root) {
        let (at, found) = match &entry {
            Ok(entry) => (Some(entry.path()), entry_type(entry, &reach)),
            Err(error) => {
                let kind = error.io_error().map_or(std::io::ErrorKind::Other, std::io::Error::kind);
                (error_path(error), EntryType::Unseen(UnseenReason::Unreadable(io_reason(kind))))
            }
        };
        let at = at.unwrap_or(&full);
        let shown = shown_below(at.strip_prefix(&full).unwrap_or(at));
        match found {
            EntryType::Candidate => {
                let inside = at.strip_prefix(root).map(Path::to_owned);
                candidates.extend(inside.map(|inside| (inside, shown)));
            }
            EntryType::Other => {}
            EntryType::Unseen(reason) => unseen.push(UnseenFile { path: shown, reason }),
        }
    }
    Ok(())
}

fn walk(full: &Path, root: &Path) -> ignore::Walk {
    WalkBuilder::new(full)
        .ignore(false)
        .git_global(false)
        .git_exclude(false)
        .require_git(repository_root(root).is_some())
        .follow_links(false)
        .sort_by_file_name(std::ffi::OsStr::cmp)
        .build()
}

fn error_path(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithDepth { err, .. } => error_path(err),
        ignore::Error::WithPath { path, .. } => Some(path),
        _ => None,
    }
}

enum EntryType {
    Candidate,
    Other,
    Unseen(UnseenReason),
}

fn entry_type(entry: &DirEntry, reach: &PathReach) -> EntryType {
    let path = entry.path();
    let Some(file_type) = entry.file_type() else { return EntryType::Other };
    if file_type.is_dir() || !may_be_manifest(path) {
        return EntryType::Other;
    }
    if file_type.is_symlink() {
        return match reach.resolve(path) {
            // The target has a place of its own.
            Ok(_) => EntryType::Other,
            Err(ReachError::Io(kind)) => EntryType::Unseen(UnseenReason::Unreadable(io_reason(kind))),
            Err(_) => EntryType::Unseen(UnseenReason::Link),
        };
    }
    if file_type.is_file() {
        EntryType::Candidate
    } else {
        EntryType::Unseen(UnseenReason::Unreadable(format!("it {NOT_REGULAR_FILE}")))
    }
}

fn may_be_manifest(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| ["yaml", "yml", "json", "hbs"].iter().any(|known| extension == *known))
}

fn is_template(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "hbs")
}

fn examine(root: &Path, path: &Path, shown: &str) -> ExaminedFile {
    let unseen = |reason| ExaminedFile::Unseen(UnseenFile { path: shown.to_owned(), reason });
    let full = root.join(path);
    let mut bytes = match read_regular_file(&full, MAX_FILE) {
        Ok(bytes) => bytes,
        Err(error) => return unseen(UnseenReason::Unreadable(read_reason(&error))),
    };
    if !may_hold_sealed_secrets(&bytes) {
        return ExaminedFile::Nothing;
    }
    let mentions = mentions_sealed_secrets(&bytes);
    if is_template(path) {
        return if mentions { unseen(UnseenReason::Template) } else { ExaminedFile::Nothing };
    }
    let has_braces = memchr::memmem::find(&bytes, b"{{").is_some();
    match SealedFile::read(shown, std::mem::take(&mut *bytes)) {
        Ok(file) if file.objects().is_empty() => ExaminedFile::Nothing,
        Ok(file) => ExaminedFile::File(FoundFile { path: path.to_owned(), file }),
        Err(_) if !mentions => ExaminedFile::Nothing,
        Err(_) if has_braces => unseen(UnseenReason::Template),
        Err(failure) => unseen(UnseenReason::Malformed(failure)),
    }
}

/// Reports whether a file may have the kind `SealedSecret`, also in an escaped form. Most manifests have neither.
fn may_hold_sealed_secrets(bytes: &[u8]) -> bool {
    let has = |text: &[u8]| memchr::memmem::find(bytes, text).is_some();
    has(b"Sealed") || has(b"\\") || has(b"!!binary") || is_utf16(bytes)
}

/// Reports whether a file has the text `SealedSecret`, also in UTF-16, which Kubernetes reads and this command does not edit.
fn mentions_sealed_secrets(bytes: &[u8]) -> bool {
    let has = |bytes: &[u8]| memchr::memmem::find(bytes, b"SealedSecret").is_some();
    has(bytes)
        || is_utf16(bytes) && has(&bytes.iter().copied().filter(|byte| *byte != 0).collect::<Vec<u8>>())
}

fn read_reason(error: &BoundedReadError) -> String {
    match error {
        BoundedReadError::Io(error) => io_reason(error.kind()),
        BoundedReadError::NotRegular => format!("it {NOT_REGULAR_FILE}"),
        BoundedReadError::TooLarge => format!("it is larger than {MAX_FILE} bytes"),
    }
}
