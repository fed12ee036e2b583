//! What `validate` looks at: apps, files of manifests, standard input; of these, what changed.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use ignore::WalkBuilder;

use crate::diagnostic::{Explain, Failure, Note, Problem};
use crate::model::APP_FILE;
use crate::pipeline;

/// What is looked at.
#[derive(Debug, Default)]
pub(super) struct Targets {
    /// Apps, in order.
    pub(super) apps: Vec<AppTarget>,
    /// Files of plain manifests, in order.
    pub(super) files: Vec<PathBuf>,
    /// Whether standard input is read.
    pub(super) stdin: bool,
    /// The paths that files of plain manifests were given by, in the order of the command line.
    pub(super) places: Vec<PathBuf>,
    /// What is worth saying.
    pub(super) notes: Vec<Note>,
}

/// An app.
#[derive(Debug)]
pub(super) struct AppTarget {
    /// Its directory.
    pub(super) directory: PathBuf,
    /// Whether it is looked at itself; else only what it renders counts, for what others refer to.
    pub(super) wanted: bool,
}

/// Why there is nothing to look at.
#[derive(Debug, thiserror::Error)]
enum TargetError {
    #[error("`git {0}` failed: {1}")]
    Git(&'static str, String),
    #[error("no app is below `{0}`")]
    NoApp(String),
    #[error("no file of manifests is below `{0}`")]
    NoFile(String),
    #[error("`{0}` is neither a file nor a directory")]
    NotAFile(String),
    #[error("`{0}` is no app, but there are apps below it")]
    OnlyApps(String),
    #[error("`{0}` does not exist")]
    NotFound(String),
    #[error("revision starts with `-`")]
    Revision,
    #[error("directory cannot be read: {0}")]
    Walk(String),
}

impl Explain for TargetError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Git(..) => {
                "`--changed-since` needs a Git checkout that has the revision; a shallow clone may lack it"
                    .to_owned()
            }
            Self::NoApp(_) => format!("an app is a directory with a `{APP_FILE}`"),
            Self::OnlyApps(_) => "`--all` validates them".to_owned(),
            Self::NoFile(_) => "manifests are files that end with `.yaml`, `.yml` or `.json`".to_owned(),
            Self::NotAFile(_) => "give what a pipe holds on standard input: `-`".to_owned(),
            _ => return None,
        })
    }
}

#[derive(Debug, thiserror::Error)]
enum Remark {
    #[error("{0} apps below `{1}` are left out")]
    AppsLeftOut(usize, String),
    #[error("nothing changed since that revision")]
    NothingChanged,
}

impl Explain for Remark {
    fn hint(&self) -> Option<String> {
        match self {
            Self::AppsLeftOut(..) => Some("`--all` validates them".to_owned()),
            Self::NothingChanged => None,
        }
    }
}

impl Targets {
    /// Finds what the paths mean; `changed` narrows it to what is in it.
    pub(super) fn find(
        paths: &[PathBuf],
        all: bool,
        changed: Option<&BTreeSet<PathBuf>>,
    ) -> Result<Self, Failure> {
        let mut targets = Self::default();
        for path in paths {
            let apps = targets.apps.len();
            targets.add(path, all).map_err(|error| Problem::new(&error))?;
            if targets.apps.len() == apps {
                let place = if path == Path::new("-") { Path::new(".") } else { path };
                targets.places.push(place.to_owned());
            }
        }
        if let (true, [], [path, ..]) = (all, targets.apps.as_slice(), paths) {
            return Err(Problem::new(&TargetError::NoApp(path.display().to_string())).into());
        }
        targets.apps.sort_by(|a, b| a.directory.cmp(&b.directory));
        targets.apps.dedup_by(|a, b| a.directory == b.directory);
        targets.files.sort();
        targets.files.dedup();
        if let Some(changed) = changed {
            targets.narrow(changed);
        }
        Ok(targets)
    }

    /// The app that is the working directory, unless plain manifests, which are of no app, are looked at too.
    pub(super) fn here(&self) -> Option<PathBuf> {
        let is_here = |app: &&AppTarget| app.directory.components().all(|part| part == Component::CurDir);
        let here = self.apps.iter().find(is_here)?.directory.clone();
        (self.files.is_empty() && !self.stdin).then_some(here)
    }

    fn add(&mut self, path: &Path, all: bool) -> Result<(), TargetError> {
        if path == Path::new("-") {
            self.stdin = true;
        } else if path.is_dir() && all {
            let found = Walked::new(path)?;
            if found.apps.is_empty() && found.files.is_empty() {
                return Err(TargetError::NoApp(path.display().to_string()));
            }
            if found.apps.is_empty() {
                self.files.extend(found.files);
            }
            self.apps.extend(found.apps.into_iter().map(AppTarget::new));
        } else if path.is_dir() && pipeline::is_app(path) {
            self.apps.push(AppTarget::new(path.to_owned()));
        } else if path.is_dir() {
            self.directory(path)?;
        } else if path.file_name().is_some_and(|name| name == APP_FILE) && path.is_file() {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            self.apps.push(AppTarget::new(parent.unwrap_or(Path::new(".")).to_owned()));
        } else if path.is_file() || is_open_already(path) {
            self.files.push(path.to_owned());
        } else if path.exists() {
            // A pipe that nobody writes to never ends, and neither does a device.
            return Err(TargetError::NotAFile(path.display().to_string()));
        } else {
            return Err(TargetError::NotFound(path.display().to_string()));
        }
        Ok(())
    }

    fn directory(&mut self, path: &Path) -> Result<(), TargetError> {
        let found = Walked::new(path)?;
        let shown = path.display().to_string();
        if found.files.is_empty() {
            return Err(if found.apps.is_empty() {
                TargetError::NoFile(shown)
            } else {
                TargetError::OnlyApps(shown)
            });
        }
        if !found.apps.is_empty() {
            let remark = Remark::AppsLeftOut(found.apps.len(), shown);
            self.notes.push(Note::warning(Problem::new(&remark)));
        }
        self.files.extend(found.files);
        Ok(())
    }

    fn narrow(&mut self, changed: &BTreeSet<PathBuf>) {
        for app in &mut self.apps {
            app.wanted = touches(&app.directory, changed);
        }
        self.files.retain(|file| fs_err::canonicalize(file).is_ok_and(|file| changed.contains(&file)));
        if self.files.is_empty() && !self.stdin && !self.apps.iter().any(|app| app.wanted) {
            self.notes.push(Note::remark(Problem::new(&Remark::NothingChanged)));
        }
    }
}

impl AppTarget {
    const fn new(directory: PathBuf) -> Self {
        Self { directory, wanted: true }
    }
}

/// Whether something changed in a directory, or in what its links lead to.
fn touches(directory: &Path, changed: &BTreeSet<PathBuf>) -> bool {
    let mut roots: Vec<PathBuf> = fs_err::canonicalize(directory).into_iter().collect();
    let links =
        walkdir::WalkDir::new(directory).into_iter().flatten().filter(walkdir::DirEntry::path_is_symlink);
    roots.extend(links.filter_map(|link| fs_err::canonicalize(link.path()).ok()));
    roots.iter().any(|root| changed.iter().any(|path| path.starts_with(root)))
}

/// What is below a directory, in the order of paths; what `.gitignore` names is left out.
#[derive(Default)]
struct Walked {
    apps: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

impl Walked {
    fn new(top: &Path) -> Result<Self, TargetError> {
        let mut walked = Self::default();
        for entry in walk(top).build() {
            let entry = entry.map_err(|error| TargetError::Walk(error.to_string()))?;
            let path = entry.path();
            let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
            if is_file && path.file_name().is_some_and(|name| name == APP_FILE) {
                walked
                    .apps
                    .extend(path.parent().filter(|parent| pipeline::is_app(parent)).map(Path::to_owned));
            } else if is_file && is_manifest(path) {
                walked.files.push(path.to_owned());
            }
        }
        let Self { apps, files } = &mut walked;
        files.retain(|file| !apps.iter().any(|app| file.starts_with(app)));
        Ok(walked)
    }
}

/// A walk in the order of names, without hidden files and what `.gitignore` names; links are not followed.
pub(super) fn walk(top: &Path) -> WalkBuilder {
    let mut walk = WalkBuilder::new(top);
    // Only what lies in the repository counts, so that every machine sees the same.
    walk.git_global(false).git_exclude(false).require_git(false).sort_by_file_name(std::ffi::OsStr::cmp);
    walk
}

/// Whether it is what a shell has opened for this process, such as `<(helm template .)`.
fn is_open_already(path: &Path) -> bool {
    path.parent() == Some(Path::new("/dev/fd")) && path.exists()
}

pub(super) fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known))
}

/// The files that differ from a revision, by their full paths: committed since it forked, changed, or new.
///
/// Git itself is asked; it is told to run nothing that a repository's settings name.
pub(super) fn changed_paths(paths: &[PathBuf], revision: &str) -> Result<BTreeSet<PathBuf>, Failure> {
    let directory = |path: &PathBuf| match path.parent() {
        _ if path.is_dir() => path.clone(),
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let directories: BTreeSet<PathBuf> = paths.iter().map(directory).collect();
    let mut changed = BTreeSet::new();
    for directory in directories {
        changed.extend(changed_in(&directory, revision)?);
    }
    Ok(changed)
}

fn changed_in(directory: &Path, revision: &str) -> Result<BTreeSet<PathBuf>, Failure> {
    if revision.starts_with('-') {
        return Err(Problem::new(&TargetError::Revision).into());
    }
    let git = |title, args: &[&str]| {
        git(directory, title, args).map_err(|error| Failure::from(Problem::new(&error)))
    };
    let top = git("rev-parse", &["rev-parse", "--show-toplevel"])?;
    let top = PathBuf::from(String::from_utf8_lossy(&top).trim_end().to_owned());
    let base = git("merge-base", &["merge-base", revision, "HEAD"])?;
    let base = String::from_utf8_lossy(&base).trim().to_owned();
    let differs =
        ["diff", "--no-ext-diff", "--no-textconv", "--no-renames", "--name-only", "-z", &base, "--"];
    let mut changed = git("diff", &differs)?;
    let top_arg = top.to_string_lossy();
    changed.extend(git("ls-files", &["-C", &top_arg, "ls-files", "--others", "--exclude-standard", "-z"])?);
    let names = changed.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let top = fs_err::canonicalize(&top).unwrap_or(top);
    Ok(names.map(|name| top.join(String::from_utf8_lossy(name).as_ref())).collect())
}

fn git(directory: &Path, title: &'static str, args: &[&str]) -> Result<Vec<u8>, TargetError> {
    let mut command = Command::new("git");
    command.current_dir(directory).args(["-c", "core.fsmonitor=false"]).args(args);
    let output = command.output().map_err(|error| TargetError::Git(title, error.kind().to_string()))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(TargetError::Git(title, said.lines().next().unwrap_or("it said nothing").to_owned()))
}
