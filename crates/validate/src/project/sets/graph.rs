//! Decides which files belong together, from the kustomizations and Flux Kustomizations among them.
//!
//! A set starts at a kustomization that no other one includes, or at a directory with Flux Kustomizations, and holds all
//! files that these include, directly or not. Only names are compared: nothing outside the given files can be reached.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::manifest_set::ManifestSet;
use crate::engine::Kustomization;

/// The most sets of a given path; the files of all others form one set.
const MAX_SETS: usize = 2_000;

/// The most files of all sets together, as sets may share files.
const MAX_MEMBERS: usize = 500_000;

/// The files of a given path, and what they include.
#[derive(Debug, Default)]
pub(super) struct SetGraph<'a> {
    /// Indices by name.
    files: BTreeMap<&'a str, usize>,
    /// Kustomizations with their files, by directory.
    kustomizations: BTreeMap<&'a str, (usize, &'a Kustomization)>,
    /// The directories that the Flux Kustomizations of a file apply, by file.
    applied: BTreeMap<usize, Vec<AppliedPath>>,
    names: BTreeMap<usize, &'a str>,
}

/// A directory that a Flux Kustomization applies.
#[derive(Clone, Debug)]
pub(super) struct AppliedPath {
    /// Its name, if it is relative to the root of the repository.
    pub(super) from_root: Option<String>,
    /// Its path relative to the root of its source, which may be a directory of the repository.
    pub(super) path: String,
}

/// A part of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum SetPart<'a> {
    File(usize),
    /// A kustomization, by directory.
    Kustomization(&'a str),
}

/// The sets of a given path.
#[derive(Debug, Default)]
pub(super) struct GraphSets {
    pub(super) sets: Vec<ManifestSet>,
    /// The files that are in none of them.
    pub(super) rest: Vec<usize>,
    /// The number of kustomizations.
    pub(super) kustomizations: usize,
}

impl<'a> SetGraph<'a> {
    /// Adds a file.
    pub(super) fn add_file(&mut self, index: usize, name: &'a str) {
        self.files.insert(name, index);
        self.names.insert(index, name);
    }

    /// Adds the contents of a file that is a kustomization.
    pub(super) fn add_kustomization(&mut self, file: usize, kustomization: &'a Kustomization) {
        self.kustomizations.insert(&kustomization.directory, (file, kustomization));
    }

    /// Adds the directories that the Flux Kustomizations of a file apply.
    pub(super) fn add_applied(&mut self, file: usize, applied: Vec<AppliedPath>) {
        self.applied.insert(file, applied);
    }

    /// Decides the sets.
    pub(super) fn sets(&self) -> GraphSets {
        let mut found = GraphSets { kustomizations: self.kustomizations.len(), ..GraphSets::default() };
        let mut covered = BTreeSet::new();
        let mut room = MAX_MEMBERS;
        let mut add = |name: &str, starts: Vec<SetPart<'a>>, covered: &mut BTreeSet<usize>| {
            let set = self.expand(name, starts);
            if found.sets.len() < MAX_SETS && set.files.len() <= room {
                room -= set.files.len();
                covered.extend(&set.files);
                found.sets.push(set);
            }
        };
        let included = self.included();
        for directory in self.kustomizations.keys().filter(|directory| !included.contains(*directory)) {
            add(directory, vec![SetPart::Kustomization(directory)], &mut covered);
        }
        for (directory, files) in self.clusters(&covered) {
            add(directory, files, &mut covered);
        }
        // Those that include each other.
        for (directory, (file, _)) in &self.kustomizations {
            if !covered.contains(file) {
                add(directory, vec![SetPart::Kustomization(directory)], &mut covered);
            }
        }
        found.rest = self.names.keys().copied().filter(|file| !covered.contains(file)).collect();
        found
    }

    /// Returns the kustomizations that something else includes.
    fn included(&self) -> BTreeSet<&'a str> {
        let mut included = BTreeSet::new();
        let mut owners: BTreeMap<usize, &str> = BTreeMap::new();
        for (own, (_, kustomization)) in &self.kustomizations {
            for resource in self.resources(kustomization) {
                match resource {
                    SetPart::Kustomization(directory) if directory != *own => {
                        included.insert(directory);
                    }
                    SetPart::File(file) => drop(owners.entry(file).or_insert(own)),
                    SetPart::Kustomization(_) => {}
                }
            }
        }
        for file in self.applied.keys() {
            for part in self.applied_parts(*file) {
                if let SetPart::Kustomization(directory) = part
                    && owners.get(file) != Some(&directory)
                {
                    included.insert(directory);
                }
            }
        }
        included
    }

    /// Returns the directories with Flux Kustomizations that are in no set yet, with their files, without those that
    /// another directory applies.
    fn clusters(&self, covered: &BTreeSet<usize>) -> Vec<(&'a str, Vec<SetPart<'a>>)> {
        let mut clusters: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for file in self.applied.keys().filter(|file| !covered.contains(file)) {
            let name = self.names.get(file).copied().unwrap_or_default();
            let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory);
            clusters.entry(directory).or_default().push(*file);
        }
        // Flux applies directories, so the other files beside them belong to the set.
        for (name, file) in self.files.iter().filter(|(_, file)| !covered.contains(file)) {
            let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory);
            if let Some(files) = clusters.get_mut(directory).filter(|files| !files.contains(file)) {
                files.push(*file);
            }
        }
        let starts = |files: &[usize]| files.iter().copied().map(SetPart::File).collect::<Vec<_>>();
        let mut reached: Vec<(&str, Vec<usize>, BTreeSet<usize>)> = clusters
            .into_iter()
            .take(MAX_SETS)
            .map(|(directory, files)| {
                let all = self.expand(directory, starts(&files)).files.into_iter().collect();
                (directory, files, all)
            })
            .collect();
        // The largest first, so that each of the others is compared with those that may include it.
        reached.sort_by_key(|(directory, _, all)| (std::cmp::Reverse(all.len()), *directory));
        let mut kept: Vec<(&str, Vec<usize>, BTreeSet<usize>)> = Vec::new();
        for cluster in reached {
            if !kept.iter().any(|(_, _, all)| cluster.1.iter().all(|file| all.contains(file))) {
                kept.push(cluster);
            }
        }
        kept.sort_by_key(|(directory, ..)| *directory);
        kept.into_iter().map(|(directory, files, _)| (directory, starts(&files))).collect()
    }

    /// Returns everything that the starts include.
    fn expand(&self, name: &str, starts: Vec<SetPart<'a>>) -> ManifestSet {
        let mut seen: BTreeSet<SetPart<'a>> = BTreeSet::new();
        let mut files = BTreeSet::new();
        let mut generated = BTreeSet::new();
        let mut open = starts;
        while let Some(next) = open.pop() {
            if !seen.insert(next) {
                continue;
            }
            match next {
                SetPart::File(file) => {
                    files.insert(file);
                    open.extend(self.applied_parts(file));
                }
                SetPart::Kustomization(directory) => {
                    let Some((file, kustomization)) = self.kustomizations.get(directory) else { continue };
                    open.push(SetPart::File(*file));
                    open.extend(self.resources(kustomization));
                    generated.extend(kustomization.generated.iter().cloned());
                }
            }
        }
        ManifestSet {
            name: if name.is_empty() { ".".to_owned() } else { name.to_owned() },
            files: files.into_iter().collect(),
            generated: generated.into_iter().collect(),
            is_build: true,
        }
    }

    /// Returns what the Flux Kustomizations of a file apply.
    fn applied_parts(&self, file: usize) -> Vec<SetPart<'a>> {
        let own = self.names.get(&file).copied().unwrap_or_default();
        let paths = self.applied.get(&file).into_iter().flatten();
        paths.flat_map(|path| self.find_applied(path, own)).collect()
    }

    /// Looks for a directory below the root of the repository, then below each directory above the file, the highest
    /// first.
    fn find_applied(&self, applied: &AppliedPath, file: &str) -> Vec<SetPart<'a>> {
        let from_root = applied.from_root.clone().into_iter();
        let above = file.match_indices('/').filter_map(|(at, _)| file.get(..at));
        let mut candidates = from_root.chain(above.map(|directory| format!("{directory}/{}", applied.path)));
        let found = candidates.find_map(|name| Some(self.parts(&name)).filter(|parts| !parts.is_empty()));
        found.unwrap_or_default()
    }

    /// Returns the files and kustomizations that a kustomization lists.
    fn resources(&self, kustomization: &Kustomization) -> impl Iterator<Item = SetPart<'a>> {
        let known = kustomization.resources.iter().filter_map(|name| {
            let file = self.files.get(name.as_str()).copied().map(SetPart::File);
            file.or_else(|| self.kustomization(name))
        });
        known.collect::<Vec<_>>().into_iter()
    }

    fn kustomization(&self, directory: &str) -> Option<SetPart<'a>> {
        self.kustomizations.get_key_value(directory).map(|(directory, _)| SetPart::Kustomization(directory))
    }

    /// Returns what Flux applies of a directory: its kustomization, or else all files and kustomizations below it.
    fn parts(&self, directory: &str) -> Vec<SetPart<'a>> {
        if let Some(own) = self.kustomization(directory) {
            return vec![own];
        }
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        let below = self.files.range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded));
        let below = below.take_while(|(name, _)| name.starts_with(&prefix));
        let part = |(name, file): (&&'a str, &usize)| {
            let slashes = name.match_indices('/').filter(|(at, _)| *at >= prefix.len());
            let mut directories = slashes.filter_map(|(at, _)| name.get(..at));
            directories.find_map(|inner| self.kustomization(inner)).unwrap_or(SetPart::File(*file))
        };
        let parts: BTreeSet<SetPart<'a>> = below.map(part).collect();
        parts.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the sets of files, by name, and the rest.
    fn sets(
        files: &[&str],
        kustomizations: &[(&str, &str)],
        applied: &[(&str, &str)],
    ) -> (Vec<(String, Vec<String>)>, Vec<String>) {
        let read: Vec<Kustomization> = kustomizations
            .iter()
            .map(|(name, text)| Kustomization::read(name, format!("resources: {text}").as_bytes()))
            .collect();
        let mut names: Vec<&str> = files.to_vec();
        names.extend(kustomizations.iter().map(|(name, _)| *name));
        names.extend(applied.iter().map(|(name, _)| *name));
        names.sort_unstable();
        names.dedup();
        let index = |name: &str| names.iter().position(|known| *known == name).unwrap();
        let mut graph = SetGraph::default();
        names.iter().enumerate().for_each(|(index, name)| graph.add_file(index, name));
        for ((name, _), kustomization) in kustomizations.iter().zip(&read) {
            graph.add_kustomization(index(name), kustomization);
        }
        for (name, directory) in applied {
            let path = AppliedPath { from_root: None, path: (*directory).to_owned() };
            let from_root = AppliedPath { from_root: Some(path.path.clone()), ..path };
            graph.add_applied(index(name), vec![from_root]);
        }
        let plain_names = |files: &[usize]| {
            let plain = files.iter().map(|file| names[*file]).filter(|name| !name.contains("kustomization"));
            plain.map(str::to_owned).collect::<Vec<_>>()
        };
        let GraphSets { sets, rest, .. } = graph.sets();
        (sets.into_iter().map(|set| (set.name, plain_names(&set.files))).collect(), plain_names(&rest))
    }

    fn set(name: &str, files: &[&str]) -> (String, Vec<String>) {
        (name.to_owned(), files.iter().map(|&file| file.to_owned()).collect())
    }

    #[test]
    fn each_overlay_is_a_set_with_its_bases() {
        let kustomizations = [
            ("base/kustomization.yaml", "[web.yaml]"),
            ("dev/kustomization.yaml", "[../base, a.yaml]"),
            ("prod/kustomization.yaml", "[../base, ../../outside, https://example.org/x]"),
        ];
        let (sets, rest) = sets(&["base/web.yaml", "dev/a.yaml", "dev/b.yaml"], &kustomizations, &[]);
        assert_eq!(sets, [set("dev", &["base/web.yaml", "dev/a.yaml"]), set("prod", &["base/web.yaml"])]);
        assert_eq!(rest, ["dev/b.yaml"]);
    }

    #[test]
    fn kustomizations_that_include_each_other_or_themselves_end() {
        let kustomizations = [
            ("a/kustomization.yaml", "[../b, a.yaml]"),
            ("b/kustomization.yaml", "[../a]"),
            ("c/kustomization.yaml", "[../c, .]"),
        ];
        let (sets, rest) = sets(&["a/a.yaml"], &kustomizations, &[]);
        assert_eq!(sets, [set("c", &[]), set("a", &["a/a.yaml"])]);
        assert!(rest.is_empty());
    }

    #[test]
    fn a_cluster_of_flux_is_a_set() {
        let kustomizations = [
            ("apps/a/kustomization.yaml", "[web.yaml]"),
            ("clusters/dev/flux-system/kustomization.yaml", "[sync.yaml]"),
        ];
        let applied = [
            ("clusters/dev/apps.yaml", "apps"),
            ("clusters/dev/flux-system/sync.yaml", "clusters/dev"),
            ("clusters/prod/apps.yaml", "apps/a"),
        ];
        let (sets, rest) = sets(&["apps/a/web.yaml", "apps/b.yaml", "other.yaml"], &kustomizations, &applied);
        let dev = [
            "apps/a/web.yaml",
            "apps/b.yaml",
            "clusters/dev/apps.yaml",
            "clusters/dev/flux-system/sync.yaml",
        ];
        assert_eq!(
            sets,
            [
                set("clusters/dev/flux-system", &dev),
                set("clusters/prod", &["apps/a/web.yaml", "clusters/prod/apps.yaml"])
            ]
        );
        assert_eq!(rest, ["other.yaml"]);
    }

    #[test]
    fn a_flux_kustomization_below_another_one_starts_no_set() {
        let applied = [("apps/a/ks.yaml", "apps/a/app"), ("flux/cluster.yaml", "apps")];
        let (sets, _) = sets(&["apps/a/app/web.yaml"], &[], &applied);
        assert_eq!(sets, [set("flux", &["apps/a/app/web.yaml", "apps/a/ks.yaml", "flux/cluster.yaml"])]);
    }

    #[test]
    fn a_source_of_flux_may_be_a_directory_of_the_repository() {
        let applied = [("k8s/clusters/a/ks.yaml", "apps/web")];
        let files = ["k8s/apps/web/a.yaml", "k8s/clusters/a/other.yaml", "apps.yaml"];
        let (sets, rest) = sets(&files, &[], &applied);
        let all = ["k8s/apps/web/a.yaml", "k8s/clusters/a/ks.yaml", "k8s/clusters/a/other.yaml"];
        assert_eq!((sets, rest), (vec![set("k8s/clusters/a", &all)], vec!["apps.yaml".to_owned()]));
    }

    #[test]
    fn a_chain_of_bases_has_no_limit_in_depth_and_no_recursion() {
        let names: Vec<(String, String)> = (0..20_000)
            .map(|n| (format!("{n:05}/kustomization.yaml"), format!("[../{:05}]", n + 1)))
            .collect();
        let kustomizations: Vec<(&str, &str)> =
            names.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let (sets, rest) = sets(&[], &kustomizations, &[]);
        assert_eq!((sets.len(), rest.len()), (1, 0));
    }
}
