//! The inputs of `validate`: apps, manifest files and standard input, optionally only those that changed.

use std::collections::{BTreeSet, HashSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::changes::ChangedFiles;
use super::excludes::Excludes;
use super::names::path_text;
use super::output_paths::OutputPaths;
use super::paths::canonical;
use super::walk::{FoundFiles, is_app};
use sealwave_core::diagnostic::{
    BROKEN_LINK, Explain, Failure, LEAVES_REPOSITORY, NOT_FILE_OR_DIRECTORY, Note, Problem, io_reason,
};
use sealwave_core::document::display_path;
use sealwave_core::reach::{PathReach, directory_of};
use sealwave_pipeline::misnamed_app_file;
use sealwave_secrets::settings::APP_FILE;

/// The most warnings of one kind for one directory.
const MAX_WARNINGS: usize = 50;

/// The most charts of one directory that are noted one by one.
const MAX_CHART_NOTES: usize = 5;

/// The inputs of a run.
#[derive(Debug, Default)]
pub struct ValidateTargets {
    /// Apps, in order.
    pub apps: Vec<ValidateTarget>,
    /// Plain manifest files, in order.
    pub files: Vec<ValidateTarget>,
    /// Whether standard input is read.
    pub stdin: bool,
    /// The given paths that contributed plain manifest files, in command-line order.
    pub places: Vec<PathBuf>,
    /// Directories that cannot be read, with the reasons.
    pub unreadable: Vec<(PathBuf, std::io::ErrorKind)>,
    /// Notes for the user.
    pub notes: Vec<Note>,
}

/// An app or a plain manifest file.
#[derive(Debug)]
pub struct ValidateTarget {
    /// The app's directory, or the file, as first given.
    pub path: PathBuf,
    /// The limit for targets of symbolic links.
    pub reach: Arc<PathReach>,
    /// Whether it is checked; otherwise it only provides objects that others refer to.
    pub is_checked: bool,
    /// The given directory that a plain manifest file was found below, as an index of the places.
    pub place: Option<usize>,
}

/// The scope of a search for targets.
#[derive(Clone, Copy, Debug)]
pub struct TargetSearch<'a> {
    /// The given paths.
    pub paths: &'a [PathBuf],
    /// Whether only apps are searched.
    pub only_apps: bool,
    /// The files that are not read.
    pub excludes: &'a Excludes,
    /// The files that the run writes.
    pub written: &'a OutputPaths,
}

/// A given path that has no input.
#[derive(Debug, thiserror::Error)]
enum TargetError {
    #[error("`{0}` {BROKEN_LINK}")]
    BrokenLink(String),
    #[error("no apps found below `{0}`")]
    NoApp(String),
    #[error("no manifest files found below `{0}`")]
    NoFile(String),
    #[error("`{0}` {NOT_FILE_OR_DIRECTORY}")]
    NotAFile(String),
    #[error("`{0}` is a Helm chart, not manifests")]
    OnlyChart(String),
    #[error("all manifest files below `{0}` are in Helm charts")]
    OnlyCharts(String),
    #[error("`{path}` cannot be read: {}", io_reason(*.reason))]
    Unreadable { path: String, reason: std::io::ErrorKind },
}

impl Explain for TargetError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoApp(_) => {
                format!(
                    "an app is a directory with a `{APP_FILE}`; `sealwave validate` checks plain manifests too"
                )
            }
            Self::OnlyChart(path) => format!("validate what it renders: {}", render_command(path)),
            Self::OnlyCharts(_) => format!("validate what they render: {}", render_command("DIR")),
            Self::NoFile(_) => "manifest files end with `.yaml`, `.yml` or `.json`".to_owned(),
            Self::NotAFile(_) => "to read from a pipe, use standard input: `-`".to_owned(),
            _ => return None,
        })
    }
}

/// Returns the command that validates what a chart renders. A path that a shell might interpret is not part of it.
fn render_command(chart: &str) -> String {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/".contains(&byte);
    let chart = if chart.bytes().all(is_word) && !chart.starts_with('-') { chart } else { "DIR" };
    format!("`helm template NAME {chart} | sealwave validate -`")
}

#[derive(Debug, thiserror::Error)]
enum TargetNote {
    #[error("Helm chart `{0}` skipped")]
    Chart(String),
    #[error("{count} Helm charts below `{path}` skipped")]
    Charts { count: usize, path: String },
    #[error("`{0}` is excluded")]
    Excluded(String),
    #[error("symbolic link `{0}` points to another directory and is not followed")]
    Link(String),
    #[error("{0} more such warnings not shown")]
    More(usize),
    #[error("nothing changed since that revision")]
    NothingChanged,
    #[error("symbolic link `{0}` {LEAVES_REPOSITORY} and is not followed")]
    Outside(String),
}

impl Explain for TargetNote {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Chart(path) => Some(format!("validate what it renders: {}", render_command(path))),
            Self::Charts { .. } => {
                Some(format!("validate what each of them renders: {}", render_command("DIR")))
            }
            Self::Link(_) => Some("pass the directory itself as well".to_owned()),
            Self::Excluded(_) | Self::More(_) | Self::NothingChanged => None,
            Self::Outside(_) => Some("its target is not checked; pass the target as well".to_owned()),
        }
    }
}

impl ValidateTargets {
    /// Finds the inputs below the given paths, without the files that the run itself writes.
    ///
    /// # Errors
    /// A path does not exist or cannot be read, or an output would replace an input.
    pub fn find(search: TargetSearch<'_>) -> Result<Self, Failure> {
        let mut targets = Self::default();
        for path in search.paths {
            let (apps, files) = (targets.apps.len(), targets.files.len());
            targets.add(path, search)?;
            if targets.apps.len() == apps || targets.files.len() > files {
                let place = if path == Path::new("-") { Path::new(".") } else { path };
                targets.places.push(place.to_owned());
            }
        }
        if let (true, [], [path, ..]) = (search.only_apps, targets.apps.as_slice(), search.paths) {
            return Err(Problem::new(&TargetError::NoApp(path_text(path))).into());
        }
        for found in [&mut targets.apps, &mut targets.files] {
            // If one path is given in several spellings, the first counts.
            let mut seen = HashSet::new();
            found.retain(|target| seen.insert(canonical(&target.path)));
            found.sort_by(|a, b| a.path.cmp(&b.path));
        }
        search.written.refuse_app_files(targets.apps.iter().map(|app| app.path.as_path()))?;
        Ok(targets)
    }

    /// Returns the app in the working directory, unless plain manifests, which belong to no app, are validated too.
    #[must_use]
    pub fn working_directory_app(&self) -> Option<PathBuf> {
        let is_here = |app: &&ValidateTarget| app.path.components().all(|part| part == Component::CurDir);
        let here = self.apps.iter().find(is_here)?.path.clone();
        (self.files.is_empty() && !self.stdin).then_some(here)
    }

    fn add(&mut self, path: &Path, search: TargetSearch<'_>) -> Result<(), Failure> {
        let failed = |error: TargetError| Err(Problem::new(&error).into());
        if path == Path::new("-") {
            self.stdin = true;
            return Ok(());
        }
        let metadata = match fs_err::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => return failed(metadata_error(path, error.kind())),
        };
        if search.excludes.excludes_given(path, metadata.is_dir()) {
            self.notes.push(Note::info(Problem::new(&TargetNote::Excluded(path_text(path)))));
        } else if metadata.is_dir() && search.only_apps {
            self.apps_below(path, search)?;
        } else if metadata.is_dir() && (is_app(path) || misnamed_app_file(path).is_some()) {
            // An app file under another name is an error of the app, not a plain manifest.
            self.apps.push(ValidateTarget::new(path.to_owned(), Arc::new(reach_below(path)?)));
        } else if metadata.is_dir() {
            self.all_below(path, search)?;
        } else if metadata.is_file() && path.file_name().is_some_and(|name| name == APP_FILE) {
            let directory = directory_of(path);
            self.apps.push(ValidateTarget::new(directory.to_owned(), Arc::new(reach_below(directory)?)));
        } else if metadata.is_file() || is_process_substitution(path) {
            search.written.refuse_inputs([path])?;
            // A shell's `*` also gives the baseline.
            if search.paths.len() > 1 && search.written.is_baseline(path) {
                return Ok(());
            }
            self.files.push(ValidateTarget::new(path.to_owned(), Arc::new(PathReach::Anywhere)));
        } else {
            // Reading from a pipe without a writer, or from a device, may never end.
            return failed(TargetError::NotAFile(path_text(path)));
        }
        Ok(())
    }

    fn apps_below(&mut self, path: &Path, search: TargetSearch<'_>) -> Result<(), Failure> {
        let reach = Arc::new(reach_below(path)?);
        let FoundFiles { apps, links, outside, unreadable, .. } = walk(path, &reach, search.excludes)?;
        if apps.is_empty() {
            return Err(Problem::new(&TargetError::NoApp(path_text(path))).into());
        }
        self.warn(&links, TargetNote::Link);
        self.warn(&outside, TargetNote::Outside);
        self.unreadable.extend(unreadable);
        self.apps.extend(apps.into_iter().map(|app| ValidateTarget::new(app, Arc::clone(&reach))));
        Ok(())
    }

    fn all_below(&mut self, path: &Path, search: TargetSearch<'_>) -> Result<(), Failure> {
        let reach = Arc::new(reach_below(path)?);
        let FoundFiles { apps, charts, files, unreadable, links, outside } =
            walk(path, &reach, search.excludes)?;
        let files = search.written.without_outputs(files)?;
        if files.is_empty() && apps.is_empty() && unreadable.is_empty() {
            let error = match &charts[..] {
                [] => TargetError::NoFile(path_text(path)),
                [chart] => TargetError::OnlyChart(path_text(chart)),
                _ => TargetError::OnlyCharts(path_text(path)),
            };
            return Err(Problem::new(&error).into());
        }
        self.note_charts(path, &charts);
        self.warn(&links, TargetNote::Link);
        self.warn(&outside, TargetNote::Outside);
        self.unreadable.extend(unreadable);
        let place = Some(self.places.len());
        let target = |path| ValidateTarget::new(path, Arc::clone(&reach));
        self.apps.extend(apps.into_iter().map(target));
        self.files.extend(files.into_iter().map(|file| ValidateTarget { place, ..target(file) }));
        Ok(())
    }

    /// Notes each of a few charts, or the number of many.
    fn note_charts(&mut self, path: &Path, charts: &[PathBuf]) {
        let note = |note| Note::info(Problem::new(&note));
        if charts.len() > MAX_CHART_NOTES {
            let count = charts.len();
            self.notes.push(note(TargetNote::Charts { count, path: path_text(path) }));
        } else {
            self.notes.extend(charts.iter().map(|chart| note(TargetNote::Chart(display_path(chart)))));
        }
    }

    /// Adds a warning for each path, up to a limit.
    fn warn(&mut self, paths: &[PathBuf], note: fn(String) -> TargetNote) {
        let warnings = paths.iter().map(|path| Note::warning(Problem::new(&note(path_text(path)))));
        self.notes.extend(warnings.take(MAX_WARNINGS));
        if let Some(left_out) = paths.len().checked_sub(MAX_WARNINGS).filter(|count| *count > 0) {
            self.notes.push(Note::warning(Problem::new(&TargetNote::More(left_out))));
        }
    }

    /// Restricts the checks to what changed since a revision.
    ///
    /// # Errors
    /// Git does not know the revision, or cannot be run.
    pub fn restrict_to_changes(&mut self, revision: &str, paths: &[PathBuf]) -> Result<(), Failure> {
        let given: BTreeSet<PathBuf> = paths.iter().map(|path| own_directory(path)).collect();
        let files = self.files.iter().map(|file| own_directory(&file.path));
        let found: BTreeSet<PathBuf> = self.apps.iter().map(|app| app.path.clone()).chain(files).collect();
        let changes = ChangedFiles::since(revision, &given, found.iter().map(PathBuf::as_path))?;
        for app in &mut self.apps {
            app.is_checked = changes.touches_directory(&app.path);
        }
        for file in &mut self.files {
            file.is_checked = changes.contains_file(&file.path);
        }
        if !self.stdin && !self.files.iter().any(|file| file.is_checked) {
            self.files.clear();
        }
        if self.files.is_empty() && !self.stdin && !self.apps.iter().any(|app| app.is_checked) {
            self.notes.push(Note::info(Problem::new(&TargetNote::NothingChanged)));
        }
        Ok(())
    }
}

impl ValidateTarget {
    const fn new(path: PathBuf, reach: Arc<PathReach>) -> Self {
        Self { path, reach, is_checked: true, place: None }
    }
}

fn reach_below(directory: &Path) -> Result<PathReach, Failure> {
    PathReach::for_directory(directory).map_err(|error| {
        Problem::new(&TargetError::Unreadable { path: path_text(directory), reason: error.kind() }).into()
    })
}

fn walk(path: &Path, reach: &PathReach, excludes: &Excludes) -> Result<FoundFiles, Failure> {
    FoundFiles::new(path, reach, excludes)
        .map_err(|reason| Problem::new(&TargetError::Unreadable { path: path_text(path), reason }).into())
}

/// Returns the error for a path without metadata.
fn metadata_error(path: &Path, reason: std::io::ErrorKind) -> TargetError {
    use std::io::ErrorKind;
    match reason {
        ErrorKind::NotFound if path.is_symlink() => TargetError::BrokenLink(path_text(path)),
        reason => TargetError::Unreadable { path: path_text(path), reason },
    }
}

/// Returns the directory itself, or the directory of a file.
fn own_directory(path: &Path) -> PathBuf {
    if path.is_dir() { path.to_owned() } else { directory_of(path).to_owned() }
}

/// Reports whether the path is a process substitution of the shell, such as `<(helm template .)`.
fn is_process_substitution(path: &Path) -> bool {
    path.parent() == Some(Path::new("/dev/fd"))
}
