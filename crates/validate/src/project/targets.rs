//! What `validate` looks at: apps, files of manifests, standard input; of these, what changed.

use std::collections::{BTreeSet, HashSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::changes::Changes;
use super::walk::{Walked, is_app};
use super::written::Written;
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem, io_reason};
use sealwave_core::reach::Reach;
use sealwave_secrets::settings::APP_FILE;

/// Warnings of one kind about what is below one directory.
const MAX_WARNINGS: usize = 50;

/// What is looked at.
#[derive(Debug, Default)]
pub struct Targets {
    /// Apps, in order.
    pub apps: Vec<Target>,
    /// Files of plain manifests, in order.
    pub files: Vec<Target>,
    /// Whether standard input is read.
    pub stdin: bool,
    /// The paths that files of plain manifests were given by, in the order of the command line.
    pub places: Vec<PathBuf>,
    /// What is worth saying.
    pub notes: Vec<Note>,
}

/// An app, or a file of plain manifests.
#[derive(Debug)]
pub struct Target {
    /// The app's directory, or the file, as it was given first.
    pub path: PathBuf,
    /// How far it may lead, if it is a link.
    pub reach: Arc<Reach>,
    /// Whether it is judged; else only what it holds counts, for what others refer to.
    pub wanted: bool,
}

/// Why there is nothing to look at.
#[derive(Debug, thiserror::Error)]
enum TargetError {
    #[error("`{0}` is a link that leads nowhere")]
    BrokenLink(String),
    #[error("no app is below `{0}`")]
    NoApp(String),
    #[error("no file of manifests is below `{0}`")]
    NoFile(String),
    #[error("`{0}` is neither a file nor a directory")]
    NotAFile(String),
    #[error("`{0}` does not exist")]
    NotFound(String),
    #[error("`{0}` is no app, but there are apps below it")]
    OnlyApps(String),
    #[error("`{path}` cannot be read: {}", io_reason(*.reason))]
    Unreadable { path: String, reason: std::io::ErrorKind },
}

impl Explain for TargetError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoApp(_) => {
                format!(
                    "an app is a directory with a `{APP_FILE}`; without `--all`, plain manifests are read"
                )
            }
            Self::OnlyApps(_) => "`--all` validates them".to_owned(),
            Self::NoFile(_) => "manifests are files that end with `.yaml`, `.yml` or `.json`".to_owned(),
            Self::NotAFile(_) => "give what a pipe holds on standard input: `-`".to_owned(),
            _ => return None,
        })
    }
}

#[derive(Debug, thiserror::Error)]
enum Remark {
    #[error("{count} {} left out", if *.count == 1 { format!("app below `{path}` is") } else { format!("apps below `{path}` are") })]
    AppsLeftOut { count: usize, path: String },
    #[error("`{0}` is a link to a directory elsewhere, and is not followed")]
    Link(String),
    #[error("{0} more warnings like these are left out")]
    More(usize),
    #[error("nothing changed since that revision")]
    NothingChanged,
    #[error("`{0}` is a link that leads out of the repository, and is not followed")]
    Outside(String),
    #[error("`{0}` is no file, and is left out")]
    Odd(String),
}

impl Explain for Remark {
    fn hint(&self) -> Option<String> {
        match self {
            Self::AppsLeftOut { .. } => Some("`--all` validates them".to_owned()),
            Self::Link(_) => Some("give the directory itself as well".to_owned()),
            Self::More(_) | Self::NothingChanged | Self::Odd(_) => None,
            Self::Outside(_) => {
                Some("what it leads to is not checked; give that as a path of its own as well".to_owned())
            }
        }
    }
}

impl Targets {
    /// Finds what the paths mean; what the run itself writes is none of it.
    pub fn find(paths: &[PathBuf], all: bool, written: &Written) -> Result<Self, Failure> {
        let mut targets = Self::default();
        for path in paths {
            let apps = targets.apps.len();
            targets.add(path, all, written)?;
            if targets.apps.len() == apps {
                let place = if path == Path::new("-") { Path::new(".") } else { path };
                targets.places.push(place.to_owned());
            }
        }
        if let (true, [], [path, ..]) = (all, targets.apps.as_slice(), paths) {
            return Err(Problem::new(&TargetError::NoApp(shown(path))).into());
        }
        for found in [&mut targets.apps, &mut targets.files] {
            // Of several spellings the first counts.
            let mut seen = HashSet::new();
            found.retain(|target| seen.insert(real(&target.path)));
            found.sort_by(|a, b| a.path.cmp(&b.path));
        }
        written.spare_apps(targets.apps.iter().map(|app| app.path.as_path()))?;
        Ok(targets)
    }

    /// The app that is the working directory, unless plain manifests, which are of no app, are looked at too.
    pub fn here(&self) -> Option<PathBuf> {
        let is_here = |app: &&Target| app.path.components().all(|part| part == Component::CurDir);
        let here = self.apps.iter().find(is_here)?.path.clone();
        (self.files.is_empty() && !self.stdin).then_some(here)
    }

    fn add(&mut self, path: &Path, all: bool, written: &Written) -> Result<(), Failure> {
        let failed = |error: TargetError| Err(Problem::new(&error).into());
        if path == Path::new("-") {
            self.stdin = true;
            return Ok(());
        }
        let about = match fs_err::metadata(path) {
            Ok(about) => about,
            Err(error) => return failed(missing(path, error.kind())),
        };
        if about.is_dir() && all {
            self.apps_below(path)?;
        } else if about.is_dir() && is_app(path) {
            self.apps.push(Target::new(path.to_owned(), Arc::new(reach_of(path)?)));
        } else if about.is_dir() {
            self.files_below(path, written)?;
        } else if about.is_file() && path.file_name().is_some_and(|name| name == APP_FILE) {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            let directory = parent.unwrap_or(Path::new("."));
            self.apps.push(Target::new(directory.to_owned(), Arc::new(reach_of(directory)?)));
        } else if about.is_file() || is_open_already(path) {
            written.spare([path])?;
            self.files.push(Target::new(path.to_owned(), Arc::new(Reach::Anywhere)));
        } else {
            // A pipe that nobody writes to never ends, and neither does a device.
            return failed(TargetError::NotAFile(shown(path)));
        }
        Ok(())
    }

    fn apps_below(&mut self, path: &Path) -> Result<(), Failure> {
        let reach = Arc::new(reach_of(path)?);
        let Walked { apps, links, outside, .. } = walk(path, &reach)?;
        if apps.is_empty() {
            return Err(Problem::new(&TargetError::NoApp(shown(path))).into());
        }
        self.warn(&links, Remark::Link);
        self.warn(&outside, Remark::Outside);
        self.apps.extend(apps.into_iter().map(|app| Target::new(app, Arc::clone(&reach))));
        Ok(())
    }

    fn files_below(&mut self, path: &Path, written: &Written) -> Result<(), Failure> {
        let reach = Arc::new(reach_of(path)?);
        let Walked { apps, files, odd, links, outside } = walk(path, &reach)?;
        let files = written.leave_out(files)?;
        if files.is_empty() {
            let error = if apps.is_empty() { TargetError::NoFile } else { TargetError::OnlyApps };
            return Err(Problem::new(&error(shown(path))).into());
        }
        if !apps.is_empty() {
            let remark = Remark::AppsLeftOut { count: apps.len(), path: shown(path) };
            self.notes.push(Note::warning(Problem::new(&remark)));
        }
        self.warn(&odd, Remark::Odd);
        self.warn(&links, Remark::Link);
        self.warn(&outside, Remark::Outside);
        self.files.extend(files.into_iter().map(|file| Target::new(file, Arc::clone(&reach))));
        Ok(())
    }

    /// Warns of each path; of very many, of the first.
    fn warn(&mut self, paths: &[PathBuf], remark: fn(String) -> Remark) {
        let warnings = paths.iter().map(|path| Note::warning(Problem::new(&remark(shown(path)))));
        self.notes.extend(warnings.take(MAX_WARNINGS));
        if let Some(left_out) = paths.len().checked_sub(MAX_WARNINGS).filter(|count| *count > 0) {
            self.notes.push(Note::warning(Problem::new(&Remark::More(left_out))));
        }
    }

    /// Leaves only what changed since a revision to be judged.
    pub fn narrow(&mut self, revision: &str, paths: &[PathBuf]) -> Result<(), Failure> {
        let given: BTreeSet<PathBuf> = paths.iter().map(|path| directory_of(path)).collect();
        let files = self.files.iter().map(|file| directory_of(&file.path));
        let found: BTreeSet<PathBuf> = self.apps.iter().map(|app| app.path.clone()).chain(files).collect();
        let changes = Changes::since(revision, &given, found.iter().map(PathBuf::as_path))?;
        for app in &mut self.apps {
            app.wanted = changes.touch(&app.path);
        }
        for file in &mut self.files {
            file.wanted = changes.hold(&file.path);
        }
        if !self.stdin && !self.files.iter().any(|file| file.wanted) {
            self.files.clear();
        }
        if self.files.is_empty() && !self.stdin && !self.apps.iter().any(|app| app.wanted) {
            self.notes.push(Note::remark(Problem::new(&Remark::NothingChanged)));
        }
        Ok(())
    }
}

impl Target {
    const fn new(path: PathBuf, reach: Arc<Reach>) -> Self {
        Self { path, reach, wanted: true }
    }
}

fn reach_of(directory: &Path) -> Result<Reach, Failure> {
    Reach::of_directory(directory).map_err(|error| {
        Problem::new(&TargetError::Unreadable { path: shown(directory), reason: error.kind() }).into()
    })
}

fn walk(path: &Path, reach: &Reach) -> Result<Walked, Failure> {
    Walked::new(path, reach).map_err(|error| {
        let reason = error.io_error().map_or(std::io::ErrorKind::Other, std::io::Error::kind);
        let path = shown(place_of(&error).unwrap_or(path));
        Problem::new(&TargetError::Unreadable { path, reason }).into()
    })
}

/// Where a walk stopped.
fn place_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithDepth { err, .. } => place_of(err),
        ignore::Error::WithPath { path, .. } => Some(path),
        _ => None,
    }
}

/// Why nothing can be said of a path.
fn missing(path: &Path, reason: std::io::ErrorKind) -> TargetError {
    use std::io::ErrorKind;
    match reason {
        ErrorKind::NotFound if path.is_symlink() => TargetError::BrokenLink(shown(path)),
        ErrorKind::NotADirectory | ErrorKind::NotFound => TargetError::NotFound(shown(path)),
        reason => TargetError::Unreadable { path: shown(path), reason },
    }
}

/// A directory itself, or the one that holds a file.
fn directory_of(path: &Path) -> PathBuf {
    match path.parent() {
        _ if path.is_dir() => path.to_owned(),
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// A path without links, as far as there is one.
fn real(path: &Path) -> PathBuf {
    fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Whether it is what a shell has opened for this process, such as `<(helm template .)`.
fn is_open_already(path: &Path) -> bool {
    path.parent() == Some(Path::new("/dev/fd"))
}

/// A path as it was given.
pub fn shown(path: &Path) -> String {
    path.display().to_string()
}
