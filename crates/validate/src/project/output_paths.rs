//! The files that a run writes: each path only once, and never a file that the run reads. Neither they nor the baseline
//! are inputs.

use std::path::{Path, PathBuf};

use super::names::path_text;
use crate::report::{self, ReportOutputs};
use sealwave_core::diagnostic::{Explain, Failure, Problem};
use sealwave_secrets::settings::APP_FILE;

/// The entries of an app's directory that belong to the app, besides the files that they reference.
const APP_ENTRIES: [&str; 5] = [APP_FILE, "base", "envs", "partials", "values.yaml"];

/// The paths of a run that decide where it may write.
#[derive(Clone, Copy, Debug, Default)]
pub struct WrittenPaths<'a> {
    /// The baseline that is read.
    pub baseline: Option<&'a Path>,
    /// The baseline that is written.
    pub write_baseline: Option<&'a Path>,
    /// The settings of the rules.
    pub config: Option<&'a Path>,
    /// The operator file.
    pub operator: Option<&'a Path>,
    /// Files and directories with definitions of custom resources.
    pub crds: &'a [PathBuf],
}

/// The files that a run writes, and the baseline that it reads.
#[derive(Debug, Default)]
pub struct OutputPaths {
    written: Vec<OutputPath>,
    /// The resolved path of the baseline that is read.
    baseline: Option<PathBuf>,
}

#[derive(Debug)]
struct OutputPath {
    given: PathBuf,
    /// The resolved path.
    resolved: PathBuf,
}

/// A path that must not be written.
#[derive(Debug, thiserror::Error)]
enum OutputPathError {
    #[error("`{0}` is not a baseline and is not overwritten")]
    NotABaseline(String),
    #[error("`{0}` is an input of this run and is not overwritten")]
    IsInput(String),
    #[error("two reports would be written to `{0}`")]
    Duplicate(String),
    #[error("baseline cannot be written to standard output")]
    Stdout,
}

impl Explain for OutputPathError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotABaseline(_) => "choose another file, or remove this one first".to_owned(),
            Self::IsInput(_) => "choose another file for the report".to_owned(),
            Self::Duplicate(_) => "choose a different file for each".to_owned(),
            Self::Stdout => "choose a file: `--write-baseline FILE`".to_owned(),
        })
    }
}

impl OutputPaths {
    /// Determines the files that a run writes.
    ///
    /// # Errors
    /// Returns an error if two reports would be written to one file, or one would overwrite another kind of file.
    pub fn decide(outputs: &ReportOutputs, paths: WrittenPaths<'_>) -> Result<Self, Failure> {
        let failed = |error: OutputPathError| Err(Problem::new(&error).into());
        let mut written = Self { written: Vec::new(), baseline: paths.baseline.map(report::destination) };
        for (_, path) in outputs.files() {
            if !written.add(path) {
                return failed(OutputPathError::Duplicate(path_text(path)));
            }
        }
        written.refuse_inputs(paths.baseline)?;
        if let Some(path) = paths.write_baseline {
            if path == Path::new("-") {
                return failed(OutputPathError::Stdout);
            }
            if !written.add(path) {
                return failed(OutputPathError::Duplicate(path_text(path)));
            }
            let is_file = fs_err::metadata(path).is_ok_and(|about| about.is_file() && about.len() > 0);
            if is_file && report::read_baseline(path).is_err() {
                return failed(OutputPathError::NotABaseline(path_text(path)));
            }
        }
        written.refuse_inputs(paths.config.into_iter().chain(paths.operator))?;
        let definitions: Vec<PathBuf> = paths.crds.iter().map(|path| report::destination(path)).collect();
        let is_definition =
            |place: &&OutputPath| definitions.iter().any(|path| place.resolved.starts_with(path));
        let overwritten = written
            .written
            .iter()
            .filter(is_definition)
            .find(|place| place.resolved.is_file() && !report::is_report(&place.resolved));
        match overwritten {
            Some(place) => failed(OutputPathError::IsInput(path_text(&place.given))),
            None => Ok(written),
        }
    }

    /// Adds a file; returns false if it is already present.
    fn add(&mut self, path: &Path) -> bool {
        let resolved = report::destination(path);
        let is_new = !self.written.iter().any(|place| place.resolved == resolved);
        if is_new {
            self.written.push(OutputPath { given: path.to_owned(), resolved });
        }
        is_new
    }

    fn at(&self, path: &Path) -> Option<&OutputPath> {
        if self.written.is_empty() {
            return None;
        }
        let resolved = report::destination(path);
        self.written.iter().find(|place| place.resolved == resolved)
    }

    /// Checks that the run does not overwrite the files that it reads.
    ///
    /// # Errors
    /// Returns an error if one of the files would be written.
    pub fn refuse_inputs<'a>(&self, read: impl IntoIterator<Item = &'a Path>) -> Result<(), Failure> {
        match read.into_iter().find_map(|path| self.at(path)) {
            Some(place) => Err(Problem::new(&OutputPathError::IsInput(path_text(&place.given))).into()),
            None => Ok(()),
        }
    }

    /// Checks that the run does not overwrite files of apps.
    ///
    /// # Errors
    /// Returns an error if a file of an app would be written.
    pub(super) fn refuse_app_files<'a>(&self, apps: impl Iterator<Item = &'a Path>) -> Result<(), Failure> {
        let existing: Vec<&OutputPath> =
            self.written.iter().filter(|place| place.resolved.is_file()).collect();
        if existing.is_empty() {
            return Ok(());
        }
        for app in apps {
            let own = APP_ENTRIES.map(|name| report::destination(&app.join(name)));
            let overwritten =
                existing.iter().find(|place| own.iter().any(|own| place.resolved.starts_with(own)));
            if let Some(place) = overwritten {
                return Err(Problem::new(&OutputPathError::IsInput(path_text(&place.given))).into());
            }
        }
        Ok(())
    }

    /// Reports whether a file is the baseline that the run reads.
    pub(super) fn is_baseline(&self, file: &Path) -> bool {
        self.baseline.as_ref().is_some_and(|baseline| *baseline == report::destination(file))
    }

    /// Removes the baseline, and the files that this run writes and an earlier run wrote, from the files found.
    ///
    /// # Errors
    /// Returns an error if such a file is not a report.
    pub(super) fn without_outputs(&self, mut files: Vec<PathBuf>) -> Result<Vec<PathBuf>, Failure> {
        let own = |file: &PathBuf| self.at(file).is_some();
        self.refuse_inputs(
            files.iter().filter(|file| own(file) && !report::is_report(file)).map(PathBuf::as_path),
        )?;
        files.retain(|file| !own(file) && !self.is_baseline(file));
        Ok(files)
    }
}
