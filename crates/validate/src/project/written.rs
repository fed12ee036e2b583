//! The files that a run writes: no two to one place, and none in place of what it reads.

use std::path::{Path, PathBuf};

use super::targets::shown;
use crate::report::{self, Outputs};
use sealwave_core::diagnostic::{Explain, Failure, Problem};
use sealwave_secrets::settings::APP_FILE;

/// What of an app's directory is the app, besides what its files name.
const OF_AN_APP: [&str; 5] = [APP_FILE, "base", "envs", "partials", "values.yaml"];

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

/// The files that a run writes.
#[derive(Debug, Default)]
pub struct Written(Vec<Place>);

#[derive(Debug)]
struct Place {
    given: PathBuf,
    /// Where it ends up, whatever the spelling.
    real: PathBuf,
}

/// Why something is not to be written there.
#[derive(Debug, thiserror::Error)]
enum WrittenError {
    #[error("`{0}` is no baseline, and is not replaced by one")]
    NoBaseline(String),
    #[error("`{0}` is read by this run, and is not replaced by a report")]
    Read(String),
    #[error("two reports would go to `{0}`")]
    Same(String),
    #[error("a baseline cannot go to standard output")]
    Stdout,
}

impl Explain for WrittenError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoBaseline(_) => "name another file, or remove this one first".to_owned(),
            Self::Read(_) => "name another file for the report".to_owned(),
            Self::Same(_) => "give each a file of its own".to_owned(),
            Self::Stdout => "name a file: `--write-baseline FILE`".to_owned(),
        })
    }
}

impl Written {
    /// Decides where a run writes.
    ///
    /// # Errors
    /// Two would go to one place, or one in place of what is no report.
    pub fn decide(outputs: &Outputs, paths: WrittenPaths<'_>) -> Result<Self, Failure> {
        let failed = |error: WrittenError| Err(Problem::new(&error).into());
        let mut written = Self::default();
        for (_, path) in outputs.files() {
            if !written.add(path) {
                return failed(WrittenError::Same(shown(path)));
            }
        }
        written.spare(paths.baseline)?;
        if let Some(path) = paths.write_baseline {
            if path == Path::new("-") {
                return failed(WrittenError::Stdout);
            }
            if !written.add(path) {
                return failed(WrittenError::Same(shown(path)));
            }
            let is_file = fs_err::metadata(path).is_ok_and(|about| about.is_file() && about.len() > 0);
            if is_file && report::read_baseline(path).is_err() {
                return failed(WrittenError::NoBaseline(shown(path)));
            }
        }
        written.spare(paths.config.into_iter().chain(paths.operator))?;
        let definitions: Vec<PathBuf> = paths.crds.iter().map(|path| report::destination(path)).collect();
        let is_one = |place: &&Place| definitions.iter().any(|path| place.real.starts_with(path));
        let over = written
            .0
            .iter()
            .filter(is_one)
            .find(|place| place.real.is_file() && !report::is_report(&place.real));
        match over {
            Some(place) => failed(WrittenError::Read(shown(&place.given))),
            None => Ok(written),
        }
    }

    /// Adds a file, unless it is there.
    fn add(&mut self, path: &Path) -> bool {
        let real = report::destination(path);
        let is_new = !self.0.iter().any(|place| place.real == real);
        if is_new {
            self.0.push(Place { given: path.to_owned(), real });
        }
        is_new
    }

    fn at(&self, path: &Path) -> Option<&Place> {
        if self.0.is_empty() {
            return None;
        }
        let real = report::destination(path);
        self.0.iter().find(|place| place.real == real)
    }

    /// Refuses to write over what is read.
    ///
    /// # Errors
    /// One of the files is to be written.
    pub fn spare<'a>(&self, read: impl IntoIterator<Item = &'a Path>) -> Result<(), Failure> {
        match read.into_iter().find_map(|path| self.at(path)) {
            Some(place) => Err(Problem::new(&WrittenError::Read(shown(&place.given))).into()),
            None => Ok(()),
        }
    }

    /// The same for all that apps are made of.
    ///
    /// # Errors
    /// A file of theirs is to be written.
    pub(super) fn spare_apps<'a>(&self, apps: impl Iterator<Item = &'a Path>) -> Result<(), Failure> {
        let existing: Vec<&Place> = self.0.iter().filter(|place| place.real.is_file()).collect();
        if existing.is_empty() {
            return Ok(());
        }
        for app in apps {
            let own = OF_AN_APP.map(|name| report::destination(&app.join(name)));
            let over = existing.iter().find(|place| own.iter().any(|own| place.real.starts_with(own)));
            if let Some(place) = over {
                return Err(Problem::new(&WrittenError::Read(shown(&place.given))).into());
            }
        }
        Ok(())
    }

    /// The files that were found, without those that an earlier run wrote where this one writes.
    ///
    /// # Errors
    /// What is there is no report.
    pub(super) fn leave_out(&self, mut files: Vec<PathBuf>) -> Result<Vec<PathBuf>, Failure> {
        let own = |file: &PathBuf| self.at(file).is_some();
        self.spare(files.iter().filter(|file| own(file) && !report::is_report(file)).map(PathBuf::as_path))?;
        files.retain(|file| !own(file));
        Ok(files)
    }
}
