//! Finds the custom resource definitions in a repository.
//!
//! The user did not name these files, so they cannot fail a run: long, unreadable and broken files are skipped. The
//! search starts at the first kind without a schema; a file is parsed when a kind of its group is looked up.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use memchr::memmem;

use super::excludes::Excludes;
use super::walk::{is_manifest, manifest_walk};
use crate::project::ScannedDefinitions;
use sealwave_core::bounded_file::read_file;
use sealwave_core::reach::PathReach;

/// The text that every file with a definition contains.
const MARK: &str = "CustomResourceDefinition";

/// Limits of a search.
#[derive(Clone, Copy, Debug)]
struct SearchLimits {
    /// Files and directories.
    entries: usize,
    /// Bytes of one file; a longer one is skipped.
    file: u64,
    /// Bytes of all files.
    all: u64,
    /// Bytes of the files that may hold definitions.
    kept: usize,
}

const BOUNDS: SearchLimits = SearchLimits { entries: 200_000, file: 16 << 20, all: 1 << 30, kept: 64 << 20 };

/// The definitions in a repository, read on first use.
#[derive(Debug)]
pub(super) struct CrdIndex {
    root: PathBuf,
    excludes: Excludes,
    contents: OnceLock<RepositoryContents>,
}

#[derive(Debug, Default)]
struct RepositoryContents {
    files: Vec<CrdFile>,
    /// Indices of the files that mention a group.
    by_group: BTreeMap<String, Vec<usize>>,
    is_cut: bool,
}

/// A file that may hold definitions.
#[derive(Debug)]
pub(super) struct CrdFile {
    /// Relative to the root.
    pub(super) path: PathBuf,
    text: Vec<u8>,
    found: OnceLock<ScannedDefinitions>,
}

impl CrdIndex {
    pub(super) const fn new(root: PathBuf, excludes: Excludes) -> Self {
        Self { root, excludes, contents: OnceLock::new() }
    }

    /// The root of the repository.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the files that mention a group, in the order of paths.
    pub(super) fn files(&self, group: &str) -> impl Iterator<Item = &CrdFile> + use<'_> {
        let RepositoryContents { files, by_group, .. } = self.contents();
        by_group.get(group).into_iter().flatten().filter_map(|number| files.get(*number))
    }

    /// Reports whether the search stopped at a limit.
    pub(super) fn is_truncated(&self) -> bool {
        self.contents().is_cut
    }

    fn contents(&self) -> &RepositoryContents {
        self.contents.get_or_init(|| RepositoryContents::read(&self.root, &self.excludes, BOUNDS))
    }
}

impl RepositoryContents {
    fn read(root: &Path, excludes: &Excludes, bounds: SearchLimits) -> Self {
        let mut contents = Self::default();
        let reach = fs_err::canonicalize(root).map_or(PathReach::Below(root.to_owned()), PathReach::Below);
        let (mut all, mut kept) = (0, 0);
        // Ignore files above the root do not belong to the repository.
        for (number, entry) in
            manifest_walk(root, root, excludes).parents(false).require_git(false).build().enumerate()
        {
            contents.is_cut = number >= bounds.entries || all > bounds.all || kept > bounds.kept;
            if contents.is_cut {
                break;
            }
            let Ok(entry) = entry else { continue };
            let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
            let length = entry.metadata().map_or(u64::MAX, |about| about.len());
            if !is_file || !is_manifest(entry.path()) || length > bounds.file {
                continue;
            }
            all += length;
            let Some(text) = read(entry.path(), &reach, bounds.file) else { continue };
            if memmem::find(&text, MARK.as_bytes()).is_some() {
                kept += text.len();
                let path = entry.path().strip_prefix(root).unwrap_or(entry.path()).to_owned();
                contents.files.push(CrdFile { path, text, found: OnceLock::new() });
            }
        }
        contents.files.sort_by(|a, b| a.path.cmp(&b.path));
        for (number, file) in contents.files.iter().enumerate() {
            for group in groups(&file.text) {
                contents.by_group.entry(group.to_owned()).or_default().push(number);
            }
        }
        contents
    }
}

/// Returns the possible values of `group` fields in a YAML or JSON text.
fn groups(text: &[u8]) -> BTreeSet<&str> {
    let after = memmem::find_iter(text, b"group").filter_map(|at| text.get(at + "group".len()..));
    let values = after.filter_map(|rest| {
        let start = rest.iter().position(|byte| !b" \t\r\n\"':".contains(byte)).filter(|start| *start > 0)?;
        let value = rest.get(start..)?;
        let is_name_byte = |byte: &u8| byte.is_ascii_alphanumeric() || b".-".contains(byte);
        let end = value.iter().position(|byte| !is_name_byte(byte)).unwrap_or(value.len());
        std::str::from_utf8(value.get(..end)?).ok()
    });
    values.filter(|value| value.contains('.')).collect()
}

/// Returns the contents of a file; `None` if it cannot be read, or grew beyond the limit.
fn read(path: &Path, reach: &PathReach, limit: u64) -> Option<Vec<u8>> {
    let mut text = read_file(reach.open(path).ok()?, limit).ok()?;
    Some(std::mem::take(&mut *text))
}

impl CrdFile {
    /// Reports whether the text contains a name.
    pub(super) fn mentions(&self, name: &str) -> bool {
        memmem::find(&self.text, name.as_bytes()).is_some()
    }

    /// Returns the definitions in the file.
    pub(super) fn definitions(&self) -> &ScannedDefinitions {
        self.found.get_or_init(|| super::scan_definitions(&self.text, &self.path.to_string_lossy()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFINITION: &str =
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {group: a.io}\n";

    fn search(files: &[(&str, &str)], bounds: SearchLimits) -> (Vec<String>, bool) {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
        let RepositoryContents { files, is_cut, .. } =
            RepositoryContents::read(dir.path(), &Excludes::default(), bounds);
        (files.iter().map(|file| file.path.to_string_lossy().into_owned()).collect(), is_cut)
    }

    #[test]
    fn candidate_files_are_found_in_path_order() {
        let files = [
            ("b/a.json", DEFINITION),
            ("b.yml", DEFINITION),
            ("a.yaml", DEFINITION),
            ("a.yaml.hbs", DEFINITION),
            ("a.txt", DEFINITION),
            ("other.yaml", "kind: ConfigMap\n"),
            (".hidden/a.yaml", DEFINITION),
            (".gitignore", "build/\n"),
            ("build/a.yaml", DEFINITION),
        ];
        let found = ["a.yaml", "b/a.json", "b.yml"].map(str::to_owned).to_vec();
        assert_eq!(search(&files, BOUNDS), (found, false));
    }

    #[test]
    fn groups_are_found_in_every_notation() {
        for text in [
            "group: a.io",
            "group: 'a.io' # one\n",
            "{\"group\":\"a.io\",\"names\":{}}",
            "{group: a.io}",
            "group :\r\n    a.io\r\n",
            "a group\nsubgroups: [group]\ngroup: \"a.io\"",
        ] {
            assert_eq!(groups(text.as_bytes()), BTreeSet::from(["a.io"]), "{text}");
        }
        for text in ["group", "group: ", "groupa.io", "group: io", "group: \u{fffe}a.io", "a.io"] {
            assert!(groups(text.as_bytes()).is_empty(), "{text}");
        }
    }

    #[test]
    fn every_limit_ends_the_search_without_an_error() {
        let files = [("a.yaml", DEFINITION), ("b.yaml", DEFINITION), ("c.yaml", "a: 1\n")];
        let size = DEFINITION.len();
        let count = |bounds: SearchLimits| {
            let (found, is_cut) = search(&files, bounds);
            (found.len(), is_cut)
        };
        assert_eq!(count(BOUNDS), (2, false));
        assert_eq!(count(SearchLimits { entries: 2, ..BOUNDS }), (1, true), "the root is an entry");
        assert_eq!(count(SearchLimits { all: size as u64, ..BOUNDS }), (2, true));
        assert_eq!(count(SearchLimits { kept: size - 1, ..BOUNDS }), (1, true));
        assert_eq!(count(SearchLimits { file: size as u64 - 1, ..BOUNDS }), (0, false));
    }
}
