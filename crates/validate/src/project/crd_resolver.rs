//! Chooses which of the custom resource definitions in a repository applies to an app or a set of manifests.
//!
//! If several define a kind, those that serve the object's version take precedence; then the one whose path shares most
//! leading directories with the validated path; then the one with the fewest further directories; then the first in the
//! order of paths.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::crd_index::{CrdFile, CrdIndex};
use super::excludes::Excludes;
use crate::engine::{CrdFallback, DefinitionSource, FallbackSchemas, SchemaSet, distance};
use sealwave_core::diagnostic::{Explain, Note, Problem};
use sealwave_core::document::{ByAddress, Manifest, Node, Origin, SourceLocation};
use sealwave_core::reach::repository_root;
use sealwave_kube::schema::{KindLookup, KubeVersion, Schemas};

/// The most kinds that are searched for; each search covers all definitions of the group.
const MAX_ASKED: usize = 1_000;

/// The most definitions of a group that are considered.
const MAX_CANDIDATES: usize = 10_000;

/// A note about a search.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
enum CrdSearchNote {
    #[error("repository is too large to be searched completely for definitions")]
    Cut,
    #[error(
        "`{path}` mentions kind `{kind}`, but some of its documents cannot be parsed; definitions in them are ignored"
    )]
    Faulty { path: String, kind: String },
}

impl Explain for CrdSearchNote {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Cut => "pass the files with `--crds` or list them in `validate.crds`".to_owned(),
            Self::Faulty { .. } => {
                "if it is a template, render it and pass the result with `--crds`".to_owned()
            }
        })
    }
}

/// The custom resource definitions in the repositories of a run.
#[derive(Debug, Default)]
pub struct CrdCache {
    excludes: Excludes,
    shelves: Mutex<BTreeMap<PathBuf, Arc<CrdIndex>>>,
    sets: Mutex<BTreeMap<CrdSetKey, Arc<SchemaSet>>>,
    notes: Mutex<BTreeSet<CrdSearchNote>>,
}

/// Kubernetes versions, and definitions by repository, file and number.
type CrdSetKey = (Vec<KubeVersion>, Vec<(PathBuf, PathBuf, usize)>);

/// A group, a version and a kind.
type KindKey = (String, String, String);

/// The definitions that apply to an app or a set of manifests.
#[derive(Debug)]
pub struct CrdResolver {
    library: Arc<CrdCache>,
    kube_versions: Vec<KubeVersion>,
    /// The validated paths.
    places: Vec<PathBuf>,
    search_roots: OnceLock<Vec<SearchRoot>>,
    answers: Mutex<BTreeMap<KindKey, Option<FallbackSchemas>>>,
}

/// A validated path and its repository.
#[derive(Debug)]
struct SearchRoot {
    shelf: Arc<CrdIndex>,
    /// The path within the repository.
    inside: PathBuf,
    /// The root of the repository, spelled as the user gave the path.
    root: PathBuf,
}

/// A definition, with the properties that it is ranked by.
struct RankedDefinition<'a> {
    distance: (Reverse<usize>, usize),
    near: &'a SearchRoot,
    file: &'a CrdFile,
    number: usize,
    kind: &'a str,
    root: &'a Node,
}

impl CrdCache {
    /// Creates a cache that does not read the excluded files.
    #[must_use]
    pub fn new(excludes: Excludes) -> Self {
        Self { excludes, ..Self::default() }
    }

    /// Returns the notes, in order.
    pub fn notes(&self) -> Vec<Note> {
        lock(&self.notes).iter().map(|note| Note::info(Problem::new(note))).collect()
    }

    fn shelf(&self, root: &Path) -> Arc<CrdIndex> {
        let unknown = || Arc::new(CrdIndex::new(root.to_owned(), self.excludes.clone()));
        Arc::clone(lock(&self.shelves).entry(root.to_owned()).or_insert_with(unknown))
    }

    fn set(&self, kube_versions: &[KubeVersion], chosen: &[&RankedDefinition<'_>]) -> Arc<SchemaSet> {
        let key = (kube_versions.to_vec(), chosen.iter().map(|candidate| candidate.key()).collect());
        let set = || Arc::new(SchemaSet::new(kube_versions, chosen.iter().map(|candidate| candidate.root)));
        Arc::clone(lock(&self.sets).entry(key).or_insert_with(set))
    }

    fn add_note(&self, note: CrdSearchNote) {
        lock(&self.notes).insert(note);
    }
}

impl CrdResolver {
    /// Creates a resolver for the repositories of these paths.
    pub const fn new(library: Arc<CrdCache>, kube_versions: Vec<KubeVersion>, places: Vec<PathBuf>) -> Self {
        Self {
            library,
            kube_versions,
            places,
            search_roots: OnceLock::new(),
            answers: Mutex::new(BTreeMap::new()),
        }
    }

    fn find(&self, group: &str, version: &str, kind: &str) -> Option<FallbackSchemas> {
        let roots = self.search_roots.get_or_init(|| {
            self.places.iter().filter_map(|place| SearchRoot::from_path(place, &self.library)).collect()
        });
        let all = roots.iter().flat_map(|near| near.candidates(group));
        let mut all: Vec<RankedDefinition<'_>> = all.take(MAX_CANDIDATES).collect();
        all.sort_by(|a, b| a.order().cmp(&b.order()));
        let mut chosen: BTreeMap<&str, &RankedDefinition<'_>> = BTreeMap::new();
        for candidate in &all {
            chosen.entry(candidate.kind).or_insert(candidate);
        }
        let best = best(&all, group, version, kind);
        let is_chosen = |best: &RankedDefinition<'_>| {
            chosen.get(kind).is_some_and(|first| ByAddress(*first) == ByAddress(best))
        };
        let chosen: Vec<&RankedDefinition<'_>> = match best {
            // No other kind of this set is looked up, so a separate set for each such kind stays small.
            Some(best) if !is_chosen(best) => vec![best],
            Some(_) => chosen.into_values().collect(),
            None => {
                for near in roots {
                    self.explain(near, group, kind);
                }
                chosen.into_values().collect()
            }
        };
        (!chosen.is_empty()).then(|| FallbackSchemas {
            schemas: self.library.set(&self.kube_versions, &chosen),
            source: best.map(|best| DefinitionSource::File(best.place())),
        })
    }

    /// Notes why a definition might not have been found.
    fn explain(&self, near: &SearchRoot, group: &str, kind: &str) {
        if near.shelf.is_truncated() {
            self.library.add_note(CrdSearchNote::Cut);
        }
        for file in near.shelf.files(group).filter(|file| file.mentions(kind) && file.definitions().is_faulty)
        {
            let path = near.name(file);
            self.library.add_note(CrdSearchNote::Faulty { path, kind: kind.to_owned() });
        }
    }
}

impl SearchRoot {
    fn from_path(place: &Path, library: &CrdCache) -> Option<Self> {
        let full = fs_err::canonicalize(place).ok()?;
        let root = repository_root(&full)?.to_owned();
        let inside = full.strip_prefix(&root).ok()?.to_owned();
        let named = above(place, inside.components().count());
        let is_root = fs_err::canonicalize(Path::new(".").join(&named)).is_ok_and(|named| named == root);
        Some(Self { shelf: library.shelf(&root), root: if is_root { named } else { root }, inside })
    }

    /// Returns the path of a file, spelled as the user gave the root.
    fn name(&self, file: &CrdFile) -> String {
        self.root.join(&file.path).to_string_lossy().into_owned()
    }

    /// Returns the definitions of a group.
    fn candidates<'a>(&'a self, group: &'a str) -> impl Iterator<Item = RankedDefinition<'a>> {
        self.shelf.files(group).flat_map(move |file| {
            let distance = distance(self.inside.join("-"), &file.path);
            let definitions = file.definitions().definitions.iter().map(Manifest::root).enumerate();
            definitions.filter_map(move |(number, root)| {
                let text = |path: &[&str]| root.at(path).and_then(Node::as_str);
                let kind = text(&["spec", "names", "kind"])?;
                let is_of_group = text(&["spec", "group"])? == group;
                is_of_group.then_some(RankedDefinition { distance, near: self, file, number, kind, root })
            })
        })
    }
}

/// Returns the directory `levels` above a path, without resolving the path.
fn above(path: &Path, levels: usize) -> PathBuf {
    let mut found: PathBuf = path.components().filter(|part| *part != Component::CurDir).collect();
    for _ in 0..levels {
        if matches!(found.components().next_back(), Some(Component::Normal(_))) {
            found.pop();
        } else {
            found.push("..");
        }
    }
    found
}

impl CrdFallback for CrdResolver {
    fn look_up(&self, group: &str, version: &str, kind: &str) -> Option<FallbackSchemas> {
        let asked = (group.to_owned(), version.to_owned(), kind.to_owned());
        let mut answers = lock(&self.answers);
        if answers.len() >= MAX_ASKED && !answers.contains_key(&asked) {
            self.library.add_note(CrdSearchNote::Cut);
            return None;
        }
        answers.entry(asked).or_insert_with(|| self.find(group, version, kind)).clone()
    }
}

/// Returns the first definition of a kind that serves a version, else the first definition of the kind.
fn best<'c, 'a>(
    all: &'c [RankedDefinition<'a>],
    group: &str,
    version: &str,
    kind: &str,
) -> Option<&'c RankedDefinition<'a>> {
    let candidates: Vec<&RankedDefinition<'_>> =
        all.iter().filter(|candidate| candidate.kind == kind).collect();
    let serves = |candidate: &&&RankedDefinition<'_>| {
        let mut schemas = Schemas::new(KubeVersion::NEWEST);
        let _ = schemas.add_crd(candidate.root);
        schemas.lookup(group, version, kind) == KindLookup::Yes
    };
    match &candidates[..] {
        [] => None,
        [only] => Some(only),
        [first, ..] => Some(candidates.iter().find(serves).unwrap_or(first)),
    }
}

impl RankedDefinition<'_> {
    fn order(&self) -> impl Ord + '_ {
        (self.distance, self.file.path.as_path(), self.near.shelf.root(), self.number)
    }

    fn place(&self) -> SourceLocation {
        let path = self.near.name(self.file);
        let Origin { line, column, .. } = self.root.origin;
        SourceLocation { path, line, column, rendered: None }
    }

    fn key(&self) -> (PathBuf, PathBuf, usize) {
        (self.near.shelf.root().to_owned(), self.file.path.clone(), self.number)
    }
}

/// Locks a mutex; a poisoned one is fine, as every update leaves its value consistent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
