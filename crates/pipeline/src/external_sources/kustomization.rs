//! Reads the kustomizations that a directory includes, before Kustomize does: nothing of them is outside of the repository or
//! on the network, and none asks for a program that is not allowed.
//!
//! Kustomize itself is confined as well. This reports the cause with its place, where Kustomize would report a failed
//! connection or a denied file.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use sealwave_core::bounded_file::read_regular_file;
use sealwave_core::diagnostic::{Failure, Problem, printable};
use sealwave_core::document::{Node, Origin, Sources};
use sealwave_core::reach::{PathReach, ReachError};
use sealwave_core::yaml;
use sealwave_programs::check_links;

use super::error::Error;
use super::input::SourceInput;
use crate::discover::KUSTOMIZATION_FILES;

/// The most kustomizations that a directory may include.
const MAX_KUSTOMIZATIONS: usize = 2_000;
/// The most bytes of a kustomization.
const MAX_BYTES: u64 = 1 << 20;

/// Fields that list files or directories, or contain them inline.
const PATH_LISTS: [&str; 9] = [
    "resources",
    "bases",
    "components",
    "configurations",
    "crds",
    "generators",
    "patchesStrategicMerge",
    "transformers",
    "validators",
];
/// Fields that list mappings with the path of a file.
const PATHS_IN_ITEMS: [(&str, &str); 4] = [
    ("helmCharts", "valuesFile"),
    ("patches", "path"),
    ("patchesJson6902", "path"),
    ("replacements", "path"),
];
/// Generators, and the fields that list their files.
const GENERATORS: [&str; 2] = ["configMapGenerator", "secretGenerator"];
const GENERATOR_FILES: [&str; 2] = ["envs", "files"];
/// Fields that make Kustomize start Helm.
const CHART_FIELDS: [&str; 3] = ["helmCharts", "helmChartInflationGenerator", "helmGlobals"];

/// Programs that a directory needs besides Kustomize.
#[derive(Debug, Default)]
pub(super) struct KustomizationNeeds {
    /// The place where a kustomization asks for Helm.
    pub(super) charts: Option<Origin>,
}

/// Reads the kustomization in a directory, and all that it includes.
///
/// # Errors
/// A path leads out of the repository or is remote, or a kustomization cannot be read.
pub(super) fn read(
    directory: &Path,
    input: &SourceInput<'_>,
    sources: &mut Sources,
) -> Result<KustomizationNeeds, Failure> {
    let mut reader = KustomizationReader {
        input,
        reach: input.app.reach(),
        sources,
        seen: BTreeSet::new(),
        waiting: vec![directory.to_owned()],
        problems: Vec::new(),
        needs: KustomizationNeeds::default(),
    };
    while let Some(next) = reader.waiting.pop() {
        if reader.seen.len() >= MAX_KUSTOMIZATIONS {
            return Err(input.problem(&Error::TooManyKustomizations(MAX_KUSTOMIZATIONS)).into());
        }
        if reader.seen.insert(next.clone()) {
            reader.directory(&next)?;
        }
    }
    Failure::unless_empty(reader.problems)?;
    Ok(reader.needs)
}

struct KustomizationReader<'a> {
    input: &'a SourceInput<'a>,
    reach: PathReach,
    sources: &'a mut Sources,
    seen: BTreeSet<PathBuf>,
    waiting: Vec<PathBuf>,
    problems: Vec<Problem>,
    needs: KustomizationNeeds,
}

impl KustomizationReader<'_> {
    /// Reads the kustomization in a directory; Kustomize reports a missing one.
    fn directory(&mut self, directory: &Path) -> Result<(), Failure> {
        check_links(directory, &self.reach).map_err(|error| self.input.problem(&error))?;
        let files = KUSTOMIZATION_FILES.iter().map(|name| directory.join(name));
        let Some(path) = files.into_iter().find(|path| path.is_file()) else { return Ok(()) };
        let shown = self.shown(&path);
        let bytes = read_regular_file(&path, MAX_BYTES).map_err(|_| {
            self.input.problem(&Error::UnreadableKustomization { path: shown.clone(), limit: MAX_BYTES })
        })?;
        let source = self.sources.add(shown);
        let trees = yaml::read(&bytes, source, &yaml::Limits::default()).map_err(Failure::only_by_commit)?;
        for tree in trees {
            self.kustomization(directory, &tree);
        }
        Ok(())
    }

    fn kustomization(&mut self, directory: &Path, tree: &Node) {
        for field in PATH_LISTS {
            tree.items_at(&[field]).iter().for_each(|item| self.path(directory, item));
        }
        for (list, field) in PATHS_IN_ITEMS {
            let paths = tree.items_at(&[list]).iter().filter_map(|item| item.get(field));
            paths.for_each(|path| self.path(directory, path));
        }
        for generator in GENERATORS.iter().flat_map(|field| tree.items_at(&[field])) {
            for file in GENERATOR_FILES.iter().flat_map(|field| generator.items_at(&[field])) {
                self.generator_file(directory, file);
            }
        }
        let more_values = tree.items_at(&["helmCharts"]).iter();
        for path in more_values.flat_map(|chart| chart.items_at(&["additionalValuesFiles"])) {
            self.path(directory, path);
        }
        for path in [["openapi", "path"], ["helmGlobals", "chartHome"]] {
            tree.at(&path).into_iter().for_each(|path| self.path(directory, path));
        }
        let charts = CHART_FIELDS.iter().find_map(|field| tree.get(field));
        self.needs.charts = self.needs.charts.or_else(|| charts.map(Node::display_origin));
    }

    /// Checks a path of a file or directory; directories are read later.
    fn path(&mut self, directory: &Path, node: &Node) {
        // Others are objects, or patches inline.
        let Some(path) = node.as_str().filter(|path| !path.contains('\n')) else { return };
        match self.find(directory, path) {
            Ok(Some(full)) if full.is_dir() => self.waiting.push(full),
            Ok(_) => {}
            Err(error) => self.problems.push(Problem::at(node.display_origin(), &error)),
        }
    }

    /// Checks the file of a generator, which may be written as `KEY=FILE`.
    fn generator_file(&mut self, directory: &Path, node: &Node) {
        let Some(text) = node.as_str() else { return };
        let path = text.split_once('=').map_or(text, |(_, path)| path);
        if let Err(error) = self.find(directory, path) {
            self.problems.push(Problem::at(node.display_origin(), &error));
        }
    }

    /// Returns the full path of a local file or directory; `None` if it does not exist, which Kustomize reports.
    fn find(&self, directory: &Path, path: &str) -> Result<Option<PathBuf>, Error> {
        let shown = || printable(path);
        let full = lexical(&directory.join(path));
        let resolved =
            if self.is_inside(&full) { self.reach.resolve(&full) } else { Err(ReachError::Outside) };
        match resolved {
            Ok(full) => Ok(Some(full)),
            Err(ReachError::Outside) if !is_remote(path) => {
                Err(Error::Outside { path: shown(), extent: self.input.app.extent() })
            }
            Err(_) if is_remote(path) => Err(Error::Remote(shown())),
            Err(_) => Ok(None),
        }
    }

    fn is_inside(&self, full: &Path) -> bool {
        full.starts_with(self.input.app.boundary())
    }

    fn shown(&self, path: &Path) -> String {
        self.input.name_of_full(path)
    }
}

/// Reports whether Kustomize would fetch a path that does not exist: a URL, or an address of a Git repository.
///
/// Source: `api/internal/git/repospec.go` of Kustomize.
fn is_remote(path: &str) -> bool {
    let host = path.split('/').next().unwrap_or(path);
    let is_scp_like = host.contains('@') && host.contains(':');
    path.contains("://")
        || path.starts_with("git::")
        || path.starts_with("gh:")
        || path.contains("?ref=")
        || path.contains("&ref=")
        || path.contains(".git/")
        || Path::new(path).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("git"))
        || is_scp_like
        || ["github.com", "gitlab.com", "bitbucket.org"].contains(&host.to_ascii_lowercase().as_str())
}

/// Resolves `.` and `..` by names, as Kustomize does.
fn lexical(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(clean.pop()),
            Component::CurDir => {}
            other => clean.push(other),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_recognized() {
        for path in [
            "https://github.com/org/repo//deploy?ref=v1",
            "github.com/org/repo",
            "GitHub.com/org/repo/deploy",
            "git@github.com:org/repo",
            "ssh://git@example.com/org/repo",
            "git::https://example.com/repo",
            "gh:org/repo",
            "example.com/org/repo.git",
            "example.com/org/repo.git/deploy",
            "example.com/org/repo?ref=main",
            "file:///etc",
        ] {
            assert!(is_remote(path), "{path}");
        }
        for path in ["../base", "web.yaml", "./a/b", "a@b", "github.com.yaml", "/etc"] {
            assert!(!is_remote(path), "{path}");
        }
    }
}
