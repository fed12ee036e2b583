//! Applications of Argo CD, as files have them.

use crate::gap::AdoptionGap;
use crate::repository::{ReadBudget, Repository, is_manifest_name};
use sealwave_core::diagnostic::Note;
use sealwave_core::document::{Node, Sources};
use sealwave_core::yaml;

const GROUP: &str = "argoproj.io/";

/// An Application, and where it is.
#[derive(Clone, Debug)]
pub(crate) struct Application {
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) namespace: Option<String>,
    pub(crate) project: Option<String>,
    pub(crate) sources: Vec<Node>,
    pub(crate) is_set: bool,
}

impl Application {
    /// Returns a warning at the Application.
    pub(crate) fn left(&self, left: &AdoptionGap) -> Note {
        left.at(&self.file, self.line)
    }
}

/// Returns limits for files of untrusted repositories, well above the size of real files.
pub(crate) fn limits() -> yaml::Limits {
    yaml::Limits {
        alias_bytes: 64 << 10,
        alias_nodes: 1_000,
        depth: 48,
        document_bytes: 1 << 20,
        document_nodes: 50_000,
        duplicate_keys: yaml::DuplicateKeys::LastWins,
        stream_bytes: 1 << 20,
    }
}

/// Returns the documents of a text, without those that cannot be read.
pub(crate) fn documents(text: &str) -> Vec<Node> {
    let source = Sources::default().add("");
    yaml::documents(text.as_bytes(), source, &limits()).flatten().collect()
}

/// Reports whether a document is an Application or an ApplicationSet.
pub(crate) fn is_application(document: &Node) -> bool {
    is_kind(document, "Application") || is_kind(document, "ApplicationSet")
}

fn is_kind(document: &Node, kind: &str) -> bool {
    let text = |key| document.get(key).and_then(Node::as_str);
    text("kind") == Some(kind) && text("apiVersion").is_some_and(|version| version.starts_with(GROUP))
}

/// Returns the Applications in a text.
pub(crate) fn read(text: &str, file: &str) -> Vec<Application> {
    if !text.contains(GROUP) {
        return Vec::new();
    }
    documents(text)
        .iter()
        .filter(|document| is_application(document))
        .map(|one| of_document(one, file))
        .collect()
}

fn of_document(document: &Node, file: &str) -> Application {
    let is_set = is_kind(document, "ApplicationSet");
    let spec = if is_set { document.at(&["spec", "template", "spec"]) } else { document.get("spec") };
    let text = |path: &[&str]| spec.and_then(|spec| spec.at(path)?.as_str()).map(str::to_owned);
    let all = spec.map(|spec| spec.items_at(&["sources"]).to_vec()).unwrap_or_default();
    let single = spec.filter(|_| all.is_empty()).and_then(|spec| spec.get("source")).cloned();
    Application {
        name: document.at(&["metadata", "name"]).and_then(Node::as_str).unwrap_or_default().to_owned(),
        file: file.to_owned(),
        line: document.display_origin().line,
        namespace: text(&["destination", "namespace"]),
        project: text(&["project"]),
        sources: single.into_iter().chain(all).collect(),
        is_set,
    }
}

/// Searches the repository for Applications of a directory.
pub(crate) fn search(repository: &Repository, notes: &mut Vec<Note>) -> Vec<Application> {
    let walked = repository.walk(&repository.root);
    if walked.is_cut {
        notes.push(AdoptionGap::SearchEnded(walked.files.len()).anywhere());
    }
    let mut budget = ReadBudget::default();
    let mut found = Vec::new();
    for file in walked.files.iter().filter(|file| is_manifest_name(file)) {
        let Some(text) = repository.read(file, &mut budget) else { continue };
        found.extend(read(&text, &repository.name_of(file)));
    }
    found.retain(|application| is_for(application, repository));
    found
}

/// Reports whether an Application deploys a directory, or an overlay or chart below it.
fn is_for(application: &Application, repository: &Repository) -> bool {
    const MAX_BELOW: usize = 2;
    application.sources.iter().any(|source| {
        let path = source.get("path").and_then(Node::as_str);
        let full = path.and_then(|path| repository.resolve(path.as_ref()));
        let inside = full.as_deref().and_then(|full| full.strip_prefix(&repository.dir).ok());
        let is_root = repository.dir == repository.root;
        inside.is_some_and(|inside| {
            let depth = inside.components().count();
            depth == 0 || (!is_root && depth <= MAX_BELOW)
        }) || has_values_in(source, repository)
    })
}

/// Reports whether a source reads a value file of the directory through another source (`$ref/…`).
fn has_values_in(source: &Node, repository: &Repository) -> bool {
    let files = source.items_at(&["helm", "valueFiles"]).iter().filter_map(Node::as_str);
    files.filter_map(|file| file.strip_prefix('$')?.split_once('/')).any(|(_, path)| {
        repository.dir != repository.root
            && repository.resolve(path.as_ref()).is_some_and(|full| full.starts_with(&repository.dir))
    })
}
