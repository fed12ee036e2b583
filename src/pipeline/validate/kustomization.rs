//! Files of a plain set that a `kustomization.yaml` of the same set names as something other than objects.
//!
//! A patch is only a part of an object, and a transformer or a generator is a configuration of Kustomize: checked by
//! themselves, they give errors that nobody can repair. What Kustomize makes of them is not built here, and nothing is read
//! but what the set already holds.

use std::collections::HashSet;

use crate::model::{Node, Sources};
use crate::yaml;

/// The names under which Kustomize looks for its file.
const FILES: &[&str] = &["Kustomization", "kustomization.yaml", "kustomization.yml"];

/// Fields that list files of Kustomize's own plugins and settings.
const CONFIGURATIONS: &[&str] =
    &["configurations", "crds", "generators", "patchesStrategicMerge", "transformers", "validators"];

/// Fields that list mappings with a `path`.
const WITH_PATHS: &[&str] = &["patches", "patchesJson6902", "replacements"];

/// How many files of one kustomization are taken; more are hardly written by people.
const MAX_FILES: usize = 10_000;

/// Returns the names of the files of a set that are no objects by themselves. `files` are names and texts.
pub(super) fn partial_files<'f>(files: impl Iterator<Item = (&'f str, &'f [u8])>) -> HashSet<String> {
    files
        .filter(|(name, _)| is_kustomization(name))
        .flat_map(|(name, text)| of_kustomization(name, text))
        .collect()
}

fn is_kustomization(name: &str) -> bool {
    FILES.contains(&name.rsplit('/').next().unwrap_or(name))
}

fn of_kustomization(name: &str, text: &[u8]) -> Vec<String> {
    let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory);
    let documents = yaml::documents(text, Sources::default().add(name), &yaml::searching());
    let mut found = Vec::new();
    for document in documents.filter_map(Result::ok) {
        let room = MAX_FILES.saturating_sub(found.len());
        found.extend(listed(&document).filter_map(|path| join(directory, path)).take(room));
    }
    found
}

/// The paths that a kustomization lists, patches in place of a path included: those name no file of the set.
fn listed(kustomization: &Node) -> impl Iterator<Item = &str> {
    let items = |field: &&str| kustomization.get(field).map_or(&[][..], Node::items).iter();
    let plain = CONFIGURATIONS.iter().flat_map(items).filter_map(Node::as_str);
    let with_path = WITH_PATHS.iter().flat_map(items).filter_map(|item| item.get("path")?.as_str());
    let values = kustomization.get("helmCharts").map_or(&[][..], Node::items).iter();
    plain.chain(with_path).chain(values.filter_map(|chart| chart.get("valuesFile")?.as_str()))
}

/// Joins a relative path to a directory; `None` where it leaves the directories that the name of the set begins with.
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
    fn paths_are_joined_as_names_of_the_set_are_written() {
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
    fn every_way_to_name_a_patch_or_a_configuration_counts_and_resources_do_not() {
        let text = b"resources: [web.yaml]\npatches: [{path: a.yaml}, {patch: 'kind: X'}]\npatchesStrategicMerge: [b.yaml]\n\
            patchesJson6902: [{path: c.json}]\ntransformers: [d.yaml]\ngenerators: [e.yaml]\nconfigurations: [f.yaml]\n\
            validators: [g.yaml]\nreplacements: [{path: h.yaml}]\nhelmCharts: [{name: x, valuesFile: i.yaml}]\ncrds: [j.json]\n";
        let found =
            partial_files([("k/kustomization.yml", &text[..]), ("other.yaml", &text[..])].into_iter());
        let mut found: Vec<&str> = found.iter().map(String::as_str).collect();
        found.sort_unstable();
        let expected = [
            "a.yaml", "b.yaml", "c.json", "d.yaml", "e.yaml", "f.yaml", "g.yaml", "h.yaml", "i.yaml",
            "j.json",
        ];
        assert_eq!(found, expected.map(|file| format!("k/{file}")));
    }
}
