//! The sets of plain manifests of a run: files whose objects may refer to each other.
//!
//! Each given directory is a set, and all given files are one. Kustomizations and Flux Kustomizations below a directory
//! divide it further, and settings may name sets of their own. Nothing is built or fetched.

mod flux;
mod globs;
mod graph;
mod manifest_set;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use memchr::memmem;

use self::flux::{FLUX, FluxFile, PathPrefixes, read_flux};
use self::graph::{AppliedPath, GraphSets, SetGraph};
use super::definitions::scan_definitions_of;
use super::names::shown;
use super::targets::ValidateTarget;
use crate::definitions::DEFINITION;
use crate::engine::{KnownDefinition, Kustomization, KustomizedFiles, is_kustomization};
use sealwave_core::bounded_file::{BoundedReadError, read_file};
use sealwave_core::document::display_path;
use sealwave_core::reach::PathReach;

pub use self::globs::SetGlobs;
pub use self::manifest_set::ManifestSet;

/// The most bytes of a kustomization, or of a file with Flux Kustomizations; longer files are not read to decide the
/// sets.
const MAX_KUSTOMIZATION: u64 = 1 << 20;
/// The most bytes of a file with definitions, which may be long.
const MAX_DEFINITIONS: u64 = 16 << 20;
/// The most kustomizations that are read.
const MAX_KUSTOMIZATIONS: usize = 20_000;

/// The sets of a run.
#[derive(Debug, Default)]
pub struct ManifestSets {
    /// The sets, which may share files.
    pub sets: Vec<ManifestSet>,
    /// The files that the kustomizations list.
    pub kustomized: Arc<KustomizedFiles>,
    /// The number of files that are patches or configurations of Kustomize, and in no set.
    pub partial_files: usize,
    /// The number of kustomizations.
    pub kustomizations: usize,
    /// The files that may hold definitions, by index.
    with_definitions: Vec<usize>,
}

/// The contents of the files of a run that decide its sets.
#[derive(Debug, Default)]
struct SetHints {
    kustomizations: BTreeMap<usize, Kustomization>,
    flux: BTreeMap<usize, FluxFile>,
    with_definitions: Vec<usize>,
}

impl ManifestSets {
    /// Decides the sets of plain manifest files.
    #[must_use]
    pub fn decide(files: &[ValidateTarget], places: &[PathBuf], globs: &[SetGlobs]) -> Self {
        let names: Vec<String> = files.iter().map(|file| shown(&file.path)).collect();
        let hints = SetHints::read(files, &names);
        let mut decided = Self { with_definitions: hints.with_definitions.clone(), ..Self::default() };
        let mut kustomized = KustomizedFiles::default();
        hints.kustomizations.values().for_each(|kustomization| kustomized.add(kustomization));
        let patches = hints.flux.values().flat_map(|flux| &flux.patches).cloned();
        patches.for_each(|patch| kustomized.add_flux_patch(patch));
        let partial: HashSet<usize> = (0..files.len())
            .filter(|file| names.get(*file).is_some_and(|name| kustomized.is_partial(name)))
            .collect();
        decided.partial_files = partial.len();
        decided.kustomized = Arc::new(kustomized);
        let assigned = decided.add_named_sets(files, globs);
        let prefixes = PathPrefixes::new(places);
        let given: BTreeSet<Option<usize>> = files.iter().map(|file| file.place).collect();
        for place in given {
            let mut graph = SetGraph::default();
            let members = files
                .iter()
                .enumerate()
                .filter(|(file, target)| target.place == place && !assigned.contains(file));
            for (file, _) in members {
                graph.add_file(file, names.get(file).map_or("", String::as_str));
                if let Some(kustomization) = hints.kustomizations.get(&file) {
                    graph.add_kustomization(file, kustomization);
                }
                if let Some(flux) = hints.flux.get(&file) {
                    let applied = flux.paths.iter().map(|path| AppliedPath {
                        from_root: place.and_then(|place| prefixes.directory(place, path)),
                        path: display_path(path),
                    });
                    graph.add_applied(file, applied.collect());
                }
            }
            let GraphSets { sets, rest, kustomizations } = graph.sets();
            decided.kustomizations += kustomizations;
            decided.sets.extend(sets);
            let name =
                place.and_then(|place| places.get(place)).map(|place| shown(place)).unwrap_or_default();
            decided.sets.push(ManifestSet { name, files: rest, ..ManifestSet::default() });
        }
        for set in &mut decided.sets {
            set.files.retain(|file| !partial.contains(file));
        }
        decided.sets.retain(|set| !set.files.is_empty());
        decided
    }

    /// Adds the sets that settings name; returns their files.
    fn add_named_sets(&mut self, files: &[ValidateTarget], globs: &[SetGlobs]) -> HashSet<usize> {
        let mut named = HashSet::new();
        for globs in globs {
            let matching = files.iter().enumerate().filter(|(_, file)| globs.contains(&file.path));
            let members: Vec<usize> = matching.map(|(file, _)| file).collect();
            named.extend(members.iter().copied());
            let name = globs.name().to_owned();
            self.sets.push(ManifestSet { name, files: members, ..ManifestSet::default() });
        }
        named
    }

    /// Returns the definitions of custom resources in the files.
    #[must_use]
    pub fn definitions(&self, files: &[ValidateTarget]) -> Vec<KnownDefinition> {
        let with_definitions = self.with_definitions.iter().filter_map(|file| files.get(*file));
        let definitions = with_definitions.filter_map(|file| {
            let text = read(file, MAX_DEFINITIONS).ok().filter(|text| may_define(text))?;
            Some(scan_definitions_of(&text, &shown(&file.path)))
        });
        definitions.flatten().collect()
    }
}

impl SetHints {
    fn read(files: &[ValidateTarget], names: &[String]) -> Self {
        let mut hints = Self::default();
        for (file, (target, name)) in files.iter().zip(names).enumerate() {
            let text = match read(target, MAX_KUSTOMIZATION) {
                Ok(text) => text,
                // Most runs do not need its definitions.
                Err(BoundedReadError::TooLarge) => {
                    hints.with_definitions.push(file);
                    continue;
                }
                Err(_) => continue,
            };
            if may_define(&text) {
                hints.with_definitions.push(file);
            }
            if hints.kustomizations.len() + hints.flux.len() >= MAX_KUSTOMIZATIONS {
                continue;
            }
            if is_kustomization(name) {
                hints.kustomizations.insert(file, Kustomization::read(name, &text));
            } else if memmem::find(&text, FLUX.as_bytes()).is_some() {
                let flux = read_flux(&text);
                if flux != FluxFile::default() {
                    hints.flux.insert(file, flux);
                }
            }
        }
        hints
    }
}

/// Reports whether a text may hold definitions of custom resources.
fn may_define(text: &[u8]) -> bool {
    memmem::find(text, DEFINITION.as_bytes()).is_some()
}

/// Reads a file of at most `limit` bytes that can be read again.
fn read(file: &ValidateTarget, limit: u64) -> Result<Vec<u8>, BoundedReadError> {
    let opened = match &*file.reach {
        // Reading a process substitution of the shell would use it up.
        PathReach::Anywhere if !file.path.is_file() => return Err(BoundedReadError::NotRegular),
        reach => reach.open(&file.path).map_err(std::io::Error::from)?,
    };
    Ok(std::mem::take(&mut *read_file(opened, limit)?))
}
