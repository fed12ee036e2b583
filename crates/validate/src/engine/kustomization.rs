//! Finds files of a set of plain manifests that a `kustomization.yaml` uses as something other than objects.
//!
//! A patch is a partial object, and a transformer or generator is a Kustomize configuration: checked on their own, they
//! cause errors that cannot be fixed. Nothing is built here, and no files outside the set are read.

use std::collections::HashSet;

use sealwave_core::document::{Node, Sources};
use sealwave_core::yaml;

/// The file names of a kustomization.
const FILES: &[&str] = &["Kustomization", "kustomization.yaml", "kustomization.yml"];

/// Fields that list files of Kustomize plugins and settings.
const CONFIGURATIONS: &[&str] =
    &["configurations", "crds", "generators", "patchesStrategicMerge", "transformers", "validators"];

/// Fields that list mappings with a `path`.
const WITH_PATHS: &[&str] = &["patches", "patchesJson6902", "replacements"];

/// The most files read from a kustomization.
const MAX_FILES: usize = 10_000;

/// The files that the kustomizations of a set list.
#[derive(Debug, Default)]
pub(super) struct KustomizedFiles {
    /// Patches and configurations, which are not complete objects.
    partial: HashSet<String>,
    /// Resources, which the kustomization may complete.
    pub(super) resources: HashSet<String>,
    /// Directories of kustomizations, with a trailing `/` unless empty.
    directories: HashSet<String>,
}

impl KustomizedFiles {
    /// Collects the files from the kustomizations of a set, given names and texts.
    pub(super) fn from_files<'f>(files: impl Iterator<Item = (&'f str, &'f [u8])>) -> Self {
        let mut found = Self::default();
        for (name, text) in files.filter(|(name, _)| is_kustomization(name)) {
            found.add(name, text);
        }
        found
    }

    /// Reports whether a file is not a complete object: a kustomization uses it as a patch or configuration, or it is
    /// an unlisted file in its `patches` directory (the kubebuilder scaffold lists these in comments).
    pub(super) fn is_partial(&self, name: &str) -> bool {
        let is_unused_patch = || {
            let directory =
                name.rsplit_once('/').and_then(|(directory, _)| directory.strip_suffix("patches"));
            directory.is_some_and(|directory| self.directories.contains(directory))
                && !self.resources.contains(name)
        };
        self.partial.contains(name) || is_unused_patch()
    }

    /// Adds the files that a kustomization lists.
    pub(super) fn add(&mut self, name: &str, text: &[u8]) {
        let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory);
        self.directories
            .insert(name.rsplit_once('/').map_or(String::new(), |(directory, _)| format!("{directory}/")));
        let documents = yaml::documents(text, Sources::default().add(name), &yaml::Limits::lenient());
        let mut room = MAX_FILES;
        for document in documents.filter_map(Result::ok) {
            for (files, paths) in [
                (&mut self.partial, partial_files(&document).collect::<Vec<_>>()),
                (&mut self.resources, resources(&document).collect()),
            ] {
                let names = paths.into_iter().filter_map(|path| join(directory, path)).take(room);
                let before = files.len();
                files.extend(names);
                room = room.saturating_sub(files.len() - before);
            }
        }
    }
}

/// Reports whether a file is named like a kustomization.
pub(super) fn is_kustomization(name: &str) -> bool {
    FILES.contains(&name.rsplit('/').next().unwrap_or(name))
}

/// Returns the files and directories that a kustomization lists as resources.
fn resources(kustomization: &Node) -> impl Iterator<Item = &str> {
    kustomization.items_at(&["resources"]).iter().filter_map(Node::as_str)
}

/// Returns the other paths that a kustomization lists, including inline patches, which match no file of the set.
fn partial_files(kustomization: &Node) -> impl Iterator<Item = &str> {
    let items = |field: &&str| kustomization.items_at(&[field]).iter();
    let plain = CONFIGURATIONS.iter().flat_map(items).filter_map(Node::as_str);
    let with_path = WITH_PATHS.iter().flat_map(items).filter_map(|item| item.get("path")?.as_str());
    let values = kustomization.items_at(&["helmCharts"]).iter();
    plain.chain(with_path).chain(values.filter_map(|chart| chart.get("valuesFile")?.as_str()))
}

/// Joins a relative path to a directory; `None` if the result is above the root of the set.
fn join(directory: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    Some(if directory.starts_with('/') { format!("/{joined}") } else { joined })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_to_names_of_the_set() {
        for (directory, path, joined) in [
            ("a/b", "p.yaml", Some("a/b/p.yaml")),
            ("a/b", "./p.yaml", Some("a/b/p.yaml")),
            ("a/b", "../c//p.yaml", Some("a/c/p.yaml")),
            ("", "p.yaml", Some("p.yaml")),
            ("/a", "../b/p.yaml", Some("/b/p.yaml")),
            ("a", "../../p.yaml", None),
        ] {
            assert_eq!(join(directory, path).as_deref(), joined, "{directory} {path}");
        }
    }

    #[test]
    fn patches_that_a_kustomization_does_not_use_are_partial_too() {
        let listing = &b"resources: [patches/web.yaml, other]\n"[..];
        for (kustomization, file, is_partial) in [
            ("k/kustomization.yaml", "k/patches/a.yaml", true),
            ("k/kustomization.yaml", "k/patches/web.yaml", false),
            ("k/kustomization.yaml", "k/other/a.yaml", false),
            ("k/kustomization.yaml", "k/mypatches/a.yaml", false),
            ("k/kustomization.yaml", "l/patches/a.yaml", false),
            ("k/kustomization.yaml", "patches/a.yaml", false),
            ("kustomization.yaml", "patches/a.yaml", true),
            ("kustomization.yaml", "k/patches/a.yaml", false),
            ("/k/kustomization.yaml", "/k/patches/a.yaml", true),
        ] {
            let files = KustomizedFiles::from_files([(kustomization, listing)].into_iter());
            assert_eq!(files.is_partial(file), is_partial, "{kustomization} {file}");
        }
    }

    #[test]
    fn all_patches_and_configurations_are_partial_and_resources_are_not() {
        let text = b"resources: [web.yaml]\npatches: [{path: a.yaml}, {patch: 'kind: X'}]\npatchesStrategicMerge: [b.yaml]\n\
            patchesJson6902: [{path: c.json}]\ntransformers: [d.yaml]\ngenerators: [e.yaml]\nconfigurations: [f.yaml]\n\
            validators: [g.yaml]\nreplacements: [{path: h.yaml}]\nhelmCharts: [{name: x, valuesFile: i.yaml}]\ncrds: [j.json]\n";
        let files = [("k/kustomization.yml", &text[..]), ("other.yaml", &text[..])];
        let KustomizedFiles { partial, resources, .. } = KustomizedFiles::from_files(files.into_iter());
        assert_eq!(resources, HashSet::from(["k/web.yaml".to_owned()]));
        let mut found: Vec<&str> = partial.iter().map(String::as_str).collect();
        found.sort_unstable();
        let expected = [
            "a.yaml", "b.yaml", "c.json", "d.yaml", "e.yaml", "f.yaml", "g.yaml", "h.yaml", "i.yaml",
            "j.json",
        ];
        assert_eq!(found, expected.map(|file| format!("k/{file}")));
    }
}
