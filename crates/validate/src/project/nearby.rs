//! Which of the definitions that lie in a repository counts for an app or a set of manifests.
//!
//! Where several define a kind, it is one that serves the version at hand; of those the one whose path shares most
//! leading directories with what is validated; of those the one with the fewest further directories; of those the first
//! in the order of paths.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::shelf::{Shelf, ShelvedFile};
use crate::engine::{Answer, DefinitionSource, Fallback, SchemaSet, distance};
use sealwave_core::diagnostic::{Explain, Note, Problem};
use sealwave_core::document::{Manifest, Node, Origin, Place};
use sealwave_core::reach::repository_root;
use sealwave_kube::schema::{Known, KubeVersion, Schemas};

/// Kinds that are looked for; each is looked for among all definitions of its group.
const MAX_ASKED: usize = 1_000;

/// Definitions of a group that are looked at.
const MAX_CANDIDATES: usize = 10_000;

/// What the reader should know of a search.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
enum Remark {
    #[error("repository is too large to be searched for definitions as a whole")]
    Cut,
    #[error(
        "`{path}` names kind `{kind}`, but has documents that cannot be read: no definition is taken from them"
    )]
    Faulty { path: String, kind: String },
}

impl Explain for Remark {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Cut => "name files of definitions with `--crds` or `validate.crds`".to_owned(),
            Self::Faulty { .. } => {
                "if it is a template, render it and name the result with `--crds`".to_owned()
            }
        })
    }
}

/// What lies in the repositories of a run.
#[derive(Debug, Default)]
pub struct Library {
    shelves: Mutex<BTreeMap<PathBuf, Arc<Shelf>>>,
    sets: Mutex<BTreeMap<SetKey, Arc<SchemaSet>>>,
    remarks: Mutex<BTreeSet<Remark>>,
}

/// Versions, and definitions by repository, file and number.
type SetKey = (Vec<KubeVersion>, Vec<(PathBuf, PathBuf, usize)>);

/// A group, a version and a kind.
type Asked = (String, String, String);

/// What counts for an app or a set of manifests.
#[derive(Debug)]
pub struct Nearby {
    library: Arc<Library>,
    kube_versions: Vec<KubeVersion>,
    /// What is validated.
    places: Vec<PathBuf>,
    neighbourhoods: OnceLock<Vec<Neighbourhood>>,
    answers: Mutex<BTreeMap<Asked, Option<Answer>>>,
}

/// A place that is validated, and its repository.
#[derive(Debug)]
struct Neighbourhood {
    shelf: Arc<Shelf>,
    /// Where in it the place is.
    inside: PathBuf,
    /// The root of the repository by the words of the user.
    root: PathBuf,
}

/// A definition, and what it is chosen by.
struct Candidate<'a> {
    distance: (Reverse<usize>, usize),
    near: &'a Neighbourhood,
    file: &'a ShelvedFile,
    number: usize,
    kind: &'a str,
    root: &'a Node,
}

impl Library {
    /// What is worth saying, in order.
    pub fn notes(&self) -> Vec<Note> {
        lock(&self.remarks).iter().map(|remark| Note::remark(Problem::new(remark))).collect()
    }

    fn shelf(&self, root: &Path) -> Arc<Shelf> {
        let unknown = || Arc::new(Shelf::new(root.to_owned()));
        Arc::clone(lock(&self.shelves).entry(root.to_owned()).or_insert_with(unknown))
    }

    fn set(&self, kube_versions: &[KubeVersion], chosen: &[&Candidate<'_>]) -> Arc<SchemaSet> {
        let key = (kube_versions.to_vec(), chosen.iter().map(|candidate| candidate.key()).collect());
        let set = || Arc::new(SchemaSet::new(kube_versions, chosen.iter().map(|candidate| candidate.root)));
        Arc::clone(lock(&self.sets).entry(key).or_insert_with(set))
    }

    fn remark(&self, remark: Remark) {
        lock(&self.remarks).insert(remark);
    }
}

impl Nearby {
    pub const fn new(library: Arc<Library>, kube_versions: Vec<KubeVersion>, places: Vec<PathBuf>) -> Self {
        Self {
            library,
            kube_versions,
            places,
            neighbourhoods: OnceLock::new(),
            answers: Mutex::new(BTreeMap::new()),
        }
    }

    fn find(&self, group: &str, version: &str, kind: &str) -> Option<Answer> {
        let around = self.neighbourhoods.get_or_init(|| {
            self.places.iter().filter_map(|place| Neighbourhood::of(place, &self.library)).collect()
        });
        let all = around.iter().flat_map(|near| near.candidates(group));
        let mut all: Vec<Candidate<'_>> = all.take(MAX_CANDIDATES).collect();
        all.sort_by(|a, b| a.order().cmp(&b.order()));
        let mut chosen: BTreeMap<&str, &Candidate<'_>> = BTreeMap::new();
        for candidate in &all {
            chosen.entry(candidate.kind).or_insert(candidate);
        }
        let best = best(&all, group, version, kind);
        let is_chosen =
            |best: &Candidate<'_>| chosen.get(kind).is_some_and(|first| std::ptr::eq(*first, best));
        let chosen: Vec<&Candidate<'_>> = match best {
            // Beside it nothing is asked for, and a set of its own for each such kind stays small.
            Some(best) if !is_chosen(best) => vec![best],
            Some(_) => chosen.into_values().collect(),
            None => {
                for near in around {
                    self.explain(near, group, kind);
                }
                chosen.into_values().collect()
            }
        };
        (!chosen.is_empty()).then(|| Answer {
            schemas: self.library.set(&self.kube_versions, &chosen),
            source: best.map(|best| DefinitionSource::File(best.place())),
        })
    }

    /// Says why a definition may not have been found.
    fn explain(&self, near: &Neighbourhood, group: &str, kind: &str) {
        if near.shelf.is_cut() {
            self.library.remark(Remark::Cut);
        }
        for file in near.shelf.files(group).filter(|file| file.names(kind) && file.found().is_faulty) {
            let path = near.name(file);
            self.library.remark(Remark::Faulty { path, kind: kind.to_owned() });
        }
    }
}

impl Neighbourhood {
    fn of(place: &Path, library: &Library) -> Option<Self> {
        let full = fs_err::canonicalize(place).ok()?;
        let root = repository_root(&full)?.to_owned();
        let inside = full.strip_prefix(&root).ok()?.to_owned();
        let named = above(place, inside.components().count());
        let is_root = fs_err::canonicalize(Path::new(".").join(&named)).is_ok_and(|named| named == root);
        Some(Self { shelf: library.shelf(&root), root: if is_root { named } else { root }, inside })
    }

    /// The path of a file by the words of the user.
    fn name(&self, file: &ShelvedFile) -> String {
        self.root.join(&file.path).to_string_lossy().into_owned()
    }

    /// The definitions of a group.
    fn candidates<'a>(&'a self, group: &'a str) -> impl Iterator<Item = Candidate<'a>> {
        self.shelf.files(group).flat_map(move |file| {
            let distance = distance(self.inside.join("-"), &file.path);
            let definitions = file.found().definitions.iter().map(Manifest::root).enumerate();
            definitions.filter_map(move |(number, root)| {
                let text = |path: &[&str]| root.at(path).and_then(Node::as_str);
                let kind = text(&["spec", "names", "kind"])?;
                let is_of_group = text(&["spec", "group"])? == group;
                is_of_group.then_some(Candidate { distance, near: self, file, number, kind, root })
            })
        })
    }
}

/// A directory so many levels above a path, by the words of the path.
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

impl Fallback for Nearby {
    fn look_up(&self, group: &str, version: &str, kind: &str) -> Option<Answer> {
        let asked = (group.to_owned(), version.to_owned(), kind.to_owned());
        let mut answers = lock(&self.answers);
        if answers.len() >= MAX_ASKED && !answers.contains_key(&asked) {
            self.library.remark(Remark::Cut);
            return None;
        }
        answers.entry(asked).or_insert_with(|| self.find(group, version, kind)).clone()
    }
}

/// The first definition of a kind that serves a version, else the first.
fn best<'c, 'a>(
    all: &'c [Candidate<'a>],
    group: &str,
    version: &str,
    kind: &str,
) -> Option<&'c Candidate<'a>> {
    let of_kind: Vec<&Candidate<'_>> = all.iter().filter(|candidate| candidate.kind == kind).collect();
    let serves = |candidate: &&&Candidate<'_>| {
        let mut schemas = Schemas::new(KubeVersion::NEWEST);
        let _ = schemas.add_crd(candidate.root);
        schemas.knows(group, version, kind) == Known::Yes
    };
    match &of_kind[..] {
        [] => None,
        [only] => Some(only),
        [first, ..] => Some(of_kind.iter().find(serves).unwrap_or(first)),
    }
}

impl Candidate<'_> {
    fn order(&self) -> impl Ord + '_ {
        (self.distance, self.file.path.as_path(), self.near.shelf.root(), self.number)
    }

    fn place(&self) -> Place {
        let path = self.near.name(self.file);
        let Origin { line, column, .. } = self.root.origin;
        Place { path, line, column, rendered: None }
    }

    fn key(&self) -> (PathBuf, PathBuf, usize) {
        (self.near.shelf.root().to_owned(), self.file.path.clone(), self.number)
    }
}

/// What it guards is whole whenever nobody holds it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
