//! Where the repository of a path is, and what the path is called in it.
//!
//! Code scanning, pull requests and merge requests know files by their paths from the root of the repository, wherever
//! the command was run. People and programs get paths as they were given.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use crate::Report;
use sealwave_core::reach::repository_root;

/// The report with paths from the root of the repository; what is in none keeps its path.
///
/// `here` is what an app without a name is: one that was given as the working directory, or none.
pub fn from_root(report: &Report, here: Option<&Path>) -> Report {
    let known = RefCell::new(BTreeMap::new());
    let path = |path: &str| {
        let mut known = known.borrow_mut();
        known.entry(path.to_owned()).or_insert_with(|| inside(Path::new(path))).clone()
    };
    let app = |app: &str| match here {
        Some(here) if app.is_empty() => inside(here),
        _ if app.is_empty() => None,
        _ => path(app),
    };
    report.renamed(&path, &app)
}

/// The path from the root of its repository; links are followed, as the repository holds the file where they lead.
fn inside(path: &Path) -> Option<String> {
    let path = fs_err::canonicalize(path).ok()?;
    let inside = path.strip_prefix(repository_root(&path)?).ok()?.to_str()?;
    Some(if inside.is_empty() { "." } else { inside }.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_called_as_its_repository_calls_it() {
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
