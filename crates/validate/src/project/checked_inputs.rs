//! The apps and files that a run checks, so that a baseline knows which of its findings the run looked for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::names::shown;
use super::root::RootNames;
use super::targets::{ValidateTarget, ValidateTargets};
use sealwave_core::excerpts::STDIN;
use sealwave_core::reach::repository_root;
use sealwave_secrets::settings::APP_FILE;

/// The apps and files that a run checks, by their names in a baseline.
pub struct CheckedInputs {
    apps: BTreeSet<String>,
    files: BTreeSet<String>,
    given: Vec<GivenPath>,
}

/// A path of the command line.
struct GivenPath {
    /// The directory that names are relative to.
    root: PathBuf,
    name: String,
}

impl CheckedInputs {
    /// Returns the inputs of a run on the given paths.
    #[must_use]
    pub fn new(targets: &ValidateTargets, given: &[PathBuf], names: &RootNames<'_>) -> Self {
        let checked = |targets: &[ValidateTarget], name: &dyn Fn(&str) -> Option<String>| {
            let paths = targets.iter().filter(|target| target.is_checked).map(|target| shown(&target.path));
            paths.map(|path| name(&path).unwrap_or(path)).collect::<BTreeSet<_>>()
        };
        let mut files = checked(&targets.files, &|path| names.path(path));
        files.extend(targets.stdin.then(|| STDIN.to_owned()));
        Self {
            apps: checked(&targets.apps, &|app| names.app(app)),
            files,
            given: given
                .iter()
                .filter(|path| *path != Path::new("-"))
                .map(|path| GivenPath::new(path, names))
                .collect(),
        }
    }

    /// Reports whether the run looks for findings of an app, or of a file if `app` is empty: it checks it, or it would, but
    /// the app or the file no longer exists.
    #[must_use]
    pub fn contain(&self, app: &str, path: &str) -> bool {
        let would_be = |name: &str, file: &Path| {
            self.given.iter().any(|given| given.contains(name) && !given.root.join(file).exists())
        };
        match (app, path) {
            ("", "") => true,
            // The app in the working directory has no name outside of a repository.
            ("", _) if self.apps.contains("") => true,
            ("", path) => self.files.contains(path) || path != STDIN && would_be(path, Path::new(path)),
            (app, _) => self.apps.contains(app) || would_be(app, &Path::new(app).join(APP_FILE)),
        }
    }
}

impl GivenPath {
    fn new(path: &Path, names: &RootNames<'_>) -> Self {
        let given = shown(path);
        let full = fs_err::canonicalize(path).unwrap_or_default();
        match (names.path(&given), repository_root(&full)) {
            (Some(name), Some(root)) => Self { root: root.to_owned(), name },
            _ => Self { root: PathBuf::new(), name: given },
        }
    }

    fn contains(&self, name: &str) -> bool {
        self.name == "." || self.name.is_empty() || Path::new(name).starts_with(&self.name)
    }
}
