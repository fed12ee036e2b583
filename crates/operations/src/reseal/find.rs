//! Finds the files of a repository that hold SealedSecrets.
//!
//! What looks like a SealedSecret but cannot be edited is reported, never dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use fs_err as fs;

use sealwave_core::bounded_file::{BoundedReadError, read_regular_file};
use sealwave_core::diagnostic::{Failure, NOT_REGULAR_FILE, Problem, ProblemPlace, io_reason};
use sealwave_core::document::{SourceLocation, display_path};
use sealwave_core::reach::repository_root;
use sealwave_core::workers;
use sealwave_core::yaml::is_utf16;

use super::environments::{above_environments, environment_of, select};
use super::error::ResealError;
use crate::manifest_files::{SkipReason, SkippedFile, manifest_files};
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
    /// The environments of the files below the paths, also of those that were not selected.
    pub environments: BTreeSet<String>,
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
    /// Git tracks it, but it is not in the work tree.
    Missing,
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
            Self::Link => SkipReason::Link.text(),
            Self::Missing => SkipReason::Missing.text(),
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

/// Groups paths by their repository. Outside of one, the directory above the last `envs` of a path stands for it, else the
/// directory itself.
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
        let above_environments = || above_environments(directory).unwrap_or(directory);
        let root = repository_root(directory).unwrap_or_else(above_environments).to_owned();
        groups.entry(root).or_default().push(path.clone());
    }
    Ok(groups.into_iter().collect())
}

impl SealedTree {
    /// Finds the files below paths of one repository: those of environments, if any are named.
    ///
    /// # Errors
    /// The paths belong to several repositories, a named file is of another environment, or there is too much to hold.
    pub fn find(paths: &[PathBuf], environments: &[String]) -> Result<Self, Failure> {
        let mut groups = group_by_repository(paths)?;
        let (Some((root, paths)), true) = (groups.pop(), groups.is_empty()) else {
            let mut roots: Vec<PathBuf> =
                group_by_repository(paths)?.into_iter().map(|(root, _)| root).collect();
            roots.truncate(5);
            return Err(Problem::new(&ResealError::SeveralRepositories(roots)).into());
        };
        Self::below(root, &paths, environments)
    }

    /// Finds the files below paths of the repository at `root`: those of environments, if any are named.
    ///
    /// # Errors
    /// A path cannot be read, a named file is of another environment, or there is too much to hold.
    pub fn below(root: PathBuf, paths: &[PathBuf], environments: &[String]) -> Result<Self, Failure> {
        let mut candidates: BTreeMap<PathBuf, String> = BTreeMap::new();
        let (mut unseen, mut found) = (Vec::new(), BTreeSet::new());
        for path in paths {
            let (mut files, mut skipped) =
                manifest_files(&root, path).map_err(|error| Problem::new(&error))?;
            found.extend(files.keys().filter_map(|file| environment_of(file).map(str::to_owned)));
            if !environments.is_empty() {
                let selected = select(path, &mut files, &mut skipped, environments);
                selected.map_err(|error| Problem::new(&error))?;
            }
            candidates.extend(files);
            unseen.extend(skipped.into_iter().map(UnseenFile::from));
        }
        let candidates: Vec<(PathBuf, String)> = candidates.into_iter().collect();
        let examined = workers::parallel_map(&candidates, |(path, shown)| examine(&root, path, shown))
            .map_err(|error| Problem::new(&error))?;
        let mut tree = Self { root, files: Vec::new(), unseen, environments: found };
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
                UnseenReason::Link | UnseenReason::Missing | UnseenReason::Template => {}
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

impl From<SkippedFile> for UnseenFile {
    fn from(file: SkippedFile) -> Self {
        let reason = match file.reason {
            SkipReason::Link => UnseenReason::Link,
            SkipReason::Missing => UnseenReason::Missing,
            SkipReason::Unreadable(reason) => UnseenReason::Unreadable(reason),
        };
        Self { path: file.path, reason }
    }
}

impl UnseenFile {
    fn problem(&self) -> Problem {
        let at = SourceLocation { path: self.path.clone(), line: 0, column: 0, rendered: None };
        let hint = match self.reason {
            UnseenReason::Template => {
                "move the SealedSecret into a file of its own without `.hbs`, or seal its items again by hand"
            }
            UnseenReason::Missing => "restore it with `git checkout`, or commit that it was deleted",
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
