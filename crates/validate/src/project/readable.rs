//! The files whose lines a report may show: the given files, and files in their repositories.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use super::names::shown;
use super::targets::{ValidateTarget, ValidateTargets};
use sealwave_core::reach::PathReach;

/// The files that may be read again for a report.
#[derive(Debug, Default)]
pub struct ReadableFiles {
    /// Files that the user gave, by the paths in findings.
    named: HashSet<String>,
    below: BTreeSet<PathReach>,
}

impl ReadableFiles {
    /// Collects what the targets of a run make readable.
    #[must_use]
    pub fn new(targets: &ValidateTargets) -> Self {
        let mut readable = Self::default();
        for ValidateTarget { path, reach, .. } in targets.apps.iter().chain(&targets.files) {
            match &**reach {
                PathReach::Anywhere => drop(readable.named.insert(shown(path))),
                reach @ PathReach::Below(_) if readable.below.contains(reach) => {}
                reach @ PathReach::Below(_) => drop(readable.below.insert(reach.clone())),
            }
        }
        readable
    }

    /// Opens a regular file by the path in a finding; `None` if it may not or cannot be read.
    #[must_use]
    pub fn open(&self, path: &Path) -> Option<fs_err::File> {
        let is_named = path.to_str().is_some_and(|path| self.named.contains(path));
        let named = is_named.then_some(&PathReach::Anywhere);
        named.into_iter().chain(&self.below).find_map(|reach| reach.open(path).ok())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_that_became_a_link_out_of_the_repository_is_not_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().canonicalize().unwrap().join(path);
        fs_err::create_dir_all(at("repo/m")).unwrap();
        fs_err::write(at("secret"), "CANARY").unwrap();
        fs_err::write(at("repo/m/a.yaml"), "a: 1\n").unwrap();
        let readable = ReadableFiles {
            named: HashSet::from([at("repo/named.yaml").to_str().unwrap().to_owned()]),
            below: BTreeSet::from([PathReach::Below(at("repo"))]),
        };
        let read = |path: &str| {
            let mut text = String::new();
            readable.open(&at(path))?.read_to_string(&mut text).ok()?;
            Some(text)
        };
        assert_eq!(read("repo/m/a.yaml").as_deref(), Some("a: 1\n"));
        fs_err::remove_file(at("repo/m/a.yaml")).unwrap();
        symlink("../../secret", at("repo/m/a.yaml")).unwrap();
        assert_eq!(read("repo/m/a.yaml"), None);
        assert_eq!(read("secret"), None);
        symlink("../secret", at("repo/named.yaml")).unwrap();
        assert_eq!(read("repo/named.yaml").as_deref(), Some("CANARY"), "the user gave this path");
        assert_eq!(ReadableFiles::default().open(&at("secret")).map(|_| ()), None);
    }
}
