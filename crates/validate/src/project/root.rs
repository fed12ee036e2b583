//! Names of paths relative to the repository root.
//!
//! Code scanning, pull requests, merge requests and baselines identify files by their paths from the root of the
//! repository, wherever the command was run. Other formats keep the paths as they were given.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use crate::Report;
use sealwave_core::reach::repository_root;

/// The names of paths and apps from the root of their repository.
pub struct RootNames<'a> {
    /// The path of the app without a name: the app in the working directory, if there is one.
    here: Option<&'a Path>,
    known: RefCell<BTreeMap<String, Option<String>>>,
}

impl<'a> RootNames<'a> {
    /// Creates the names for a run; `here` is the path of the app in the working directory, if there is one.
    #[must_use]
    pub const fn new(here: Option<&'a Path>) -> Self {
        Self { here, known: RefCell::new(BTreeMap::new()) }
    }

    /// Returns the name of a path; `None` outside of repositories, and for a path that does not exist.
    pub fn path(&self, path: &str) -> Option<String> {
        let mut known = self.known.borrow_mut();
        known.entry(path.to_owned()).or_insert_with(|| inside(Path::new(path))).clone()
    }

    /// Returns the name of an app; `None` for plain manifests.
    pub fn app(&self, app: &str) -> Option<String> {
        match self.here {
            Some(here) if app.is_empty() => inside(here),
            _ if app.is_empty() => None,
            _ => self.path(app),
        }
    }
}

/// Returns the report with paths from the root of the repository; files outside repositories keep their paths.
#[must_use]
pub fn from_root(report: &Report, names: &RootNames<'_>) -> Report {
    report.with_names(&|path| names.path(path), &|app| names.app(app))
}

/// Returns the path from the root of its repository. Symbolic links are resolved, as the repository holds their target.
fn inside(path: &Path) -> Option<String> {
    let path = fs_err::canonicalize(path).ok()?;
    let inside = path.strip_prefix(repository_root(&path)?).ok()?.to_str()?;
    Some(if inside.is_empty() { "." } else { inside }.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_repository_root() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        for directory in ["repo/.git", "repo/apps/shop", "repo/shared"] {
            fs_err::create_dir_all(at(directory)).unwrap();
        }
        fs_err::write(at("outside.yaml"), "").unwrap();
        fs_err::write(at("repo/shared/a.yaml"), "").unwrap();
        std::os::unix::fs::symlink("../../shared", at("repo/apps/shop/base")).unwrap();
        let name = |path: &str| inside(&at(path));
        assert_eq!(name("repo/shared/a.yaml").as_deref(), Some("shared/a.yaml"));
        assert_eq!(name("repo/apps/../shared/a.yaml").as_deref(), Some("shared/a.yaml"));
        assert_eq!(name("repo/apps/shop/base/a.yaml").as_deref(), Some("shared/a.yaml"));
        assert_eq!(name("repo").as_deref(), Some("."));
        assert_eq!(name("outside.yaml"), None);
        assert_eq!(name("repo/missing.yaml"), None);
    }
}
