//! The directories that Flux Kustomizations apply.

use std::path::{Component, Path, PathBuf};

use sealwave_core::document::{Node, Sources, display_path};
use sealwave_core::reach::repository_root;
use sealwave_core::yaml;

/// The group of Flux Kustomizations.
pub(super) const FLUX: &str = "kustomize.toolkit.fluxcd.io";

/// The most Flux Kustomizations of a file.
const MAX_PATHS: usize = 1_000;

/// The contents of a file's Flux Kustomizations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FluxFile {
    /// The directories that they apply, relative to the root of their source.
    pub(super) paths: Vec<PathBuf>,
    /// The texts of their patches.
    pub(super) patches: Vec<String>,
}

/// Reads the Flux Kustomizations in a text.
pub(super) fn read_flux(text: &[u8]) -> FluxFile {
    let source = Sources::default().add("");
    let mut found = FluxFile::default();
    for document in yaml::documents(text, source, &yaml::Limits::lenient()).filter_map(Result::ok) {
        yaml::for_each_item(document, |object| {
            let field = |path: &[&str]| object.at(path).and_then(Node::as_str).unwrap_or_default();
            let is_flux = field(&["kind"]) == "Kustomization" && field(&["apiVersion"]).starts_with(FLUX);
            let path = field(&["spec", "path"]);
            if !is_flux || found.paths.len() >= MAX_PATHS {
                return;
            }
            found.paths.extend(Some(path).filter(|path| !path.is_empty()).and_then(normalize));
            let patches = object.items_at(&["spec", "patches"]).iter();
            let patches = patches.filter_map(|patch| patch.get("patch")?.as_str()).take(MAX_PATHS);
            found.patches.extend(patches.map(str::to_owned));
        });
    }
    found
}

/// Returns a path of a source without `.` and `..`; `None` if it leads out of the source.
fn normalize(path: &str) -> Option<PathBuf> {
    let mut normalized = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(name) => normalized.push(name),
            Component::ParentDir if !normalized.pop() => return None,
            _ => {}
        }
    }
    Some(normalized)
}

/// The given directories: their names, and their paths in their repositories.
#[derive(Debug)]
pub(super) struct PathPrefixes(Vec<Option<(PathBuf, PathBuf)>>);

impl PathPrefixes {
    pub(super) fn new(places: &[PathBuf]) -> Self {
        let prefix = |place: &PathBuf| {
            let full = fs_err::canonicalize(place).ok()?;
            let root = repository_root(&full).unwrap_or(&full);
            Some((place.clone(), full.strip_prefix(root).ok()?.to_owned()))
        };
        Self(places.iter().map(prefix).collect())
    }

    /// Returns the name of a directory of a repository below a given one; `None` if it is elsewhere.
    pub(super) fn directory(&self, place: usize, path: &Path) -> Option<String> {
        let (given, inside) = self.0.get(place)?.as_ref()?;
        directory(given, inside, path)
    }
}

fn directory(given: &Path, inside: &Path, wanted: &Path) -> Option<String> {
    // A directory above the given one applies all of it.
    let below = if inside.starts_with(wanted) { Path::new("") } else { wanted.strip_prefix(inside).ok()? };
    let name = display_path(&given.join(below));
    Some(if name == "." { String::new() } else { name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_from_flux_kustomizations_only() {
        let text = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec: {path: ./apps, patches: [{patch: 'a: 1'}]}\n---\na: [\n---\n\
                    apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nspec: {path: no}\n---\n\
                    apiVersion: v1\nkind: List\nitems:\n- apiVersion: kustomize.toolkit.fluxcd.io/v1\n  kind: Kustomization\n  spec: {path: b}\n";
        let found = read_flux(text.as_bytes());
        assert_eq!(found.paths.first().map(PathBuf::as_path), Some(Path::new("apps")));
        assert!(!found.paths.contains(&PathBuf::from("no")));
        assert_eq!(found.patches, ["a: 1"]);
    }

    #[test]
    fn a_path_of_the_repository_becomes_a_name_of_the_run() {
        for (given, inside, path, name) in [
            (".", "", "./apps/a", Some("apps/a")),
            (".", "", "./", Some("")),
            ("repo", "", "apps", Some("repo/apps")),
            ("apps", "apps", "./apps/a/", Some("apps/a")),
            (".", "apps", "./apps/a/", Some("a")),
            (".", "apps", "./", Some("")),
            (".", "apps", "./clusters", None),
            (".", "", "../../etc", None),
        ] {
            let found =
                normalize(path).and_then(|path| directory(Path::new(given), Path::new(inside), &path));
            assert_eq!(found.as_deref(), name, "{given} {inside} {path}");
        }
    }
}
