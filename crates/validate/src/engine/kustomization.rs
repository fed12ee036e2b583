//! Reads what a `kustomization.yaml` lists: the files that belong together, and those that are not objects.
//!
//! A patch is a partial object, and a transformer or generator is a Kustomize configuration: checked on their own, they
//! cause errors that cannot be fixed. Nothing is built here, and no files are read.

use std::collections::HashSet;

use sealwave_core::document::{Node, Sources};
use sealwave_core::names::dns;
use sealwave_core::yaml;

/// The file names of a kustomization.
const FILES: &[&str] = &["Kustomization", "kustomization.yaml", "kustomization.yml"];

/// Fields that list files and directories with objects.
const RESOURCES: &[&str] = &["bases", "components", "resources"];

/// Fields that list files of Kustomize plugins and settings.
const CONFIGURATIONS: &[&str] =
    &["configurations", "crds", "generators", "patchesStrategicMerge", "transformers", "validators"];

/// Fields that list mappings with a `path`.
const WITH_PATHS: &[&str] = &["patches", "patchesJson6902", "replacements"];

/// Fields that generate objects, with the kind of the objects.
const GENERATORS: &[(&str, &str)] = &[("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")];

/// The most entries read from each group of fields of a kustomization.
const MAX_ENTRIES: usize = 10_000;

/// The most patches of Flux Kustomizations, which are compared with findings.
const MAX_FLUX_PATCHES: usize = 1_000;

/// The contents of a kustomization, with paths as names of the set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kustomization {
    /// Its directory.
    pub directory: String,
    /// Files and directories with the objects that it builds.
    pub resources: Vec<String>,
    /// Patches and configurations, which are not complete objects.
    partial: Vec<String>,
    /// Kinds and names of the objects that it generates.
    pub generated: Vec<(&'static str, String)>,
}

/// The files that the kustomizations of a run list.
#[derive(Debug, Default)]
pub struct KustomizedFiles {
    /// Patches and configurations, which are not complete objects.
    partial: HashSet<String>,
    /// Resources, which the kustomization may complete.
    pub(super) resources: HashSet<String>,
    /// Directories of kustomizations, with a trailing `/` unless empty.
    directories: HashSet<String>,
    /// The texts of patches in Flux Kustomizations.
    pub(super) flux_patches: Vec<String>,
}

impl Kustomization {
    /// Reads the text of a kustomization; whatever is not valid in it lists nothing.
    #[must_use]
    pub fn read(name: &str, text: &[u8]) -> Self {
        let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory);
        let mut read = Self { directory: directory.to_owned(), ..Self::default() };
        let documents = yaml::documents(text, Sources::default().add(name), &yaml::Limits::lenient());
        for document in documents.filter_map(Result::ok) {
            let names = |paths: &mut dyn Iterator<Item = &str>| -> Vec<String> {
                paths.filter_map(|path| join(directory, path)).take(MAX_ENTRIES).collect()
            };
            read.resources.extend(names(&mut resources(&document)));
            read.partial.extend(names(&mut partial_files(&document)));
            read.generated.extend(generated(&document).take(MAX_ENTRIES));
        }
        read
    }
}

impl KustomizedFiles {
    /// Adds what a kustomization lists.
    pub fn add(&mut self, kustomization: &Kustomization) {
        let directory = kustomization.directory.as_str();
        self.directories.insert(if directory.is_empty() { String::new() } else { format!("{directory}/") });
        self.partial.extend(kustomization.partial.iter().cloned());
        self.resources.extend(kustomization.resources.iter().cloned());
    }

    /// Adds a patch of a Flux Kustomization, up to a limit.
    pub fn add_flux_patch(&mut self, patch: String) {
        if self.flux_patches.len() < MAX_FLUX_PATCHES {
            self.flux_patches.push(patch);
        }
    }

    /// Reports whether a file is not a complete object: a kustomization uses it as a patch or configuration, or it is
    /// an unlisted file in its `patches` directory (the kubebuilder scaffold lists these in comments).
    #[must_use]
    pub fn is_partial(&self, name: &str) -> bool {
        let is_unused_patch = || {
            let directory =
                name.rsplit_once('/').and_then(|(directory, _)| directory.strip_suffix("patches"));
            directory.is_some_and(|directory| self.directories.contains(directory))
                && !self.resources.contains(name)
        };
        self.partial.contains(name) || is_unused_patch()
    }
}

/// Reports whether a file is named like a kustomization.
#[must_use]
pub fn is_kustomization(name: &str) -> bool {
    FILES.contains(&name.rsplit('/').next().unwrap_or(name))
}

/// Returns the files and directories that a kustomization lists as resources.
fn resources(kustomization: &Node) -> impl Iterator<Item = &str> {
    let items = |field: &&str| kustomization.items_at(&[field]).iter();
    RESOURCES.iter().flat_map(items).filter_map(Node::as_str)
}

/// Returns kinds and names of the objects that a kustomization generates.
fn generated(kustomization: &Node) -> impl Iterator<Item = (&'static str, String)> {
    GENERATORS.iter().flat_map(|(field, kind)| {
        let names = kustomization.items_at(&[field]).iter().filter_map(|item| item.get("name")?.as_str());
        names.filter(|name| dns::is_subdomain(name)).map(|name| (*kind, name.to_owned()))
    })
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
            let mut files = KustomizedFiles::default();
            files.add(&Kustomization::read(kustomization, listing));
            assert_eq!(files.is_partial(file), is_partial, "{kustomization} {file}");
        }
    }

    #[test]
    fn all_patches_and_configurations_are_partial_and_resources_are_not() {
        let text = b"resources: [web.yaml]\npatches: [{path: a.yaml}, {patch: 'kind: X'}]\npatchesStrategicMerge: [b.yaml]\n\
            patchesJson6902: [{path: c.json}]\ntransformers: [d.yaml]\ngenerators: [e.yaml]\nconfigurations: [f.yaml]\n\
            validators: [g.yaml]\nreplacements: [{path: h.yaml}]\nhelmCharts: [{name: x, valuesFile: i.yaml}]\ncrds: [j.json]\n";
        let Kustomization { mut partial, resources, .. } = Kustomization::read("k/kustomization.yml", text);
        assert_eq!(resources, ["k/web.yaml"]);
        partial.sort_unstable();
        let expected = [
            "a.yaml", "b.yaml", "c.json", "d.yaml", "e.yaml", "f.yaml", "g.yaml", "h.yaml", "i.yaml",
            "j.json",
        ];
        assert_eq!(partial, expected.map(|file| format!("k/{file}")));
    }

    #[test]
    fn bases_components_and_generated_objects_are_read() {
        let text = b"resources: [../base]\nbases: [../old]\ncomponents: [./c, 'https://github.com/a/b?ref=v1']\n\
            configMapGenerator: [{name: settings}, {files: [a]}, {name: '*'}]\nsecretGenerator: [{name: db}]\n";
        let read = Kustomization::read("overlays/dev/kustomization.yaml", text);
        let expected =
            ["overlays/old", "overlays/dev/c", "overlays/dev/https:/github.com/a/b?ref=v1", "overlays/base"];
        assert_eq!(read.resources, expected);
        assert_eq!(read.generated, [("ConfigMap", "settings".to_owned()), ("Secret", "db".to_owned())]);
    }

    #[test]
    fn an_unreadable_kustomization_lists_nothing() {
        for text in [&b"a: ["[..], b"", b"- a", b"resources: a", b"resources: [{a: b}, 1]", b"\xff\xfe"] {
            let read = Kustomization::read("k/kustomization.yaml", text);
            assert_eq!(read, Kustomization { directory: "k".to_owned(), ..Kustomization::default() });
        }
    }
}
