//! Which of the definitions that lie in a repository counts for an app or a set of manifests.
//!
//! Where several define a kind, it is one that serves the version at hand; of those the one whose path shares most
//! leading directories with what is validated; of those the first in the order of paths.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::root::root_of;
use super::shelf::{Shelf, ShelvedFile};
use crate::diagnostic::{Explain, Note, Problem};
use crate::model::{Manifest, Node};
use crate::pipeline::{Fallback, SchemaSet};
use crate::schema::{Known, KubeVersion, Schemas};

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
pub(super) struct Library {
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
pub(super) struct Nearby {
    library: Arc<Library>,
    kube_versions: Vec<KubeVersion>,
    /// What is validated.
    places: Vec<PathBuf>,
    /// The repositories, and where in them that is.
    shelves: OnceLock<Vec<(Arc<Shelf>, PathBuf)>>,
    answers: Mutex<BTreeMap<Asked, Option<Arc<SchemaSet>>>>,
}

/// A definition, and what it is chosen by.
struct Candidate<'a> {
    shared: usize,
    shelf: &'a Shelf,
    file: &'a ShelvedFile,
    number: usize,
    kind: &'a str,
    root: &'a Node,
}

impl Library {
    /// What is worth saying, in order.
    pub(super) fn notes(&self) -> Vec<Note> {
        lock(&self.remarks).iter().map(|remark| Note::remark(Problem::new(remark))).collect()
    }

    fn shelf(&self, root: PathBuf) -> Arc<Shelf> {
        let shelf = || Arc::new(Shelf::new(root.clone()));
        Arc::clone(lock(&self.shelves).entry(root.clone()).or_insert_with(shelf))
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
    pub(super) const fn new(
        library: Arc<Library>,
        kube_versions: Vec<KubeVersion>,
        places: Vec<PathBuf>,
    ) -> Self {
        Self {
            library,
            kube_versions,
            places,
            shelves: OnceLock::new(),
            answers: Mutex::new(BTreeMap::new()),
        }
    }

    fn find(&self, group: &str, version: &str, kind: &str) -> Option<Arc<SchemaSet>> {
        let shelves = self.shelves.get_or_init(|| self.shelves());
        let mut all: Vec<Candidate<'_>> =
            shelves.iter().flat_map(|(shelf, place)| candidates(shelf, place, group)).collect();
        all.sort_by(|a, b| a.order().cmp(&b.order()));
        let mut chosen: BTreeMap<&str, &Candidate<'_>> = BTreeMap::new();
        for candidate in &all {
            chosen.entry(candidate.kind).or_insert(candidate);
        }
        match best(&all, group, version, kind) {
            Some(best) => drop(chosen.insert(kind, best)),
            None => self.explain(shelves, group, kind),
        }
        let chosen: Vec<&Candidate<'_>> = chosen.into_values().collect();
        (!chosen.is_empty()).then(|| self.library.set(&self.kube_versions, &chosen))
    }

    fn shelves(&self) -> Vec<(Arc<Shelf>, PathBuf)> {
        let shelf = |place: &PathBuf| {
            let place = fs_err::canonicalize(place).ok()?;
            let root = root_of(&place)?;
            let inside = place.strip_prefix(&root).ok()?.to_owned();
            Some((self.library.shelf(root), inside))
        };
        self.places.iter().filter_map(shelf).collect()
    }

    /// Says why a definition may not have been found.
    fn explain(&self, shelves: &[(Arc<Shelf>, PathBuf)], group: &str, kind: &str) {
        for (shelf, _) in shelves {
            if shelf.is_cut() {
                self.library.remark(Remark::Cut);
            }
            for file in shelf.files(group).filter(|file| file.names(kind) && file.found().is_faulty) {
                let path = file.path.to_string_lossy().into_owned();
                self.library.remark(Remark::Faulty { path, kind: kind.to_owned() });
            }
        }
    }
}

impl Fallback for Nearby {
    fn schemas(&self, group: &str, version: &str, kind: &str) -> Option<Arc<SchemaSet>> {
        let asked = (group.to_owned(), version.to_owned(), kind.to_owned());
        let find = || self.find(group, version, kind);
        lock(&self.answers).entry(asked).or_insert_with(find).clone()
    }
}

/// The definitions of a group in a repository.
fn candidates<'a>(shelf: &'a Shelf, place: &'a Path, group: &'a str) -> impl Iterator<Item = Candidate<'a>> {
    shelf.files(group).flat_map(move |file| {
        let shared = place.components().zip(file.path.components()).take_while(|(a, b)| a == b).count();
        let definitions = file.found().definitions.iter().map(Manifest::root).enumerate();
        definitions.filter_map(move |(number, root)| {
            let text = |path: &[&str]| root.at(path).and_then(Node::as_str);
            let kind = text(&["spec", "names", "kind"])?;
            (text(&["spec", "group"])? == group).then_some(Candidate {
                shared,
                shelf,
                file,
                number,
                kind,
                root,
            })
        })
    })
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
        (Reverse(self.shared), self.file.path.as_path(), self.shelf.root(), self.number)
    }

    fn key(&self) -> (PathBuf, PathBuf, usize) {
        (self.shelf.root().to_owned(), self.file.path.clone(), self.number)
    }
}

/// What it guards is whole whenever nobody holds it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
