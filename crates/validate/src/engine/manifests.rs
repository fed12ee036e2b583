//! Plain manifests: their sources, and the objects that are read from them.

use std::collections::BTreeSet;
use std::io::{self, Read};

use super::context::CheckContext;
use super::kustomization::is_kustomization;
use crate::examine::StageProblem;
use crate::rules;
use sealwave_core::diagnostic::{
    BROKEN_LINK, Explain, NOT_REGULAR_FILE, Problem, ProblemKind, ProblemPlace, Severity, io_reason,
    printable,
};
use sealwave_core::document::{Manifest, Node, Origin, SourceId, SourceTexts, Sources, group_and_version};
use sealwave_core::yaml;
use sealwave_kube::{ForeignFile, configuration_reader};
use sealwave_pipeline::render;
use sealwave_secrets::settings::API_GROUP;

/// The most problems recorded for unreadable documents; a report holds fewer.
const MAX_PROBLEMS: usize = 100_000;

/// A source of manifests.
pub struct PlainInput {
    /// The name for messages.
    pub name: String,
    /// Opens the source.
    pub open: Box<dyn FnOnce() -> io::Result<Box<dyn Read>>>,
}

/// The unread rest of a source.
pub(super) type SourceReader = Box<dyn Read>;

/// The sources read so far, to be checked as a whole.
#[derive(Default)]
pub(super) struct BufferedInputs {
    pub(super) bytes: usize,
    /// Names, texts, and the rest of the last source.
    pub(super) files: Vec<(String, Vec<u8>, Option<SourceReader>)>,
}

/// Manifests that belong to no app.
#[derive(Default)]
pub(super) struct PlainManifests {
    pub(super) sources: Sources,
    pub(super) texts: SourceTexts,
    /// The objects; two may have the same identity.
    pub(super) objects: Vec<Manifest>,
    pub(super) problems: Vec<StageProblem>,
    /// The files of other tools that were skipped.
    pub(super) foreign_files: Vec<String>,
    /// The lines of documents that may belong to another tool, unless their file has objects.
    pub(super) foreign_lines: BTreeSet<u32>,
}

impl PlainManifests {
    /// Reads the objects of a file; a file that `is_searched` was not named by the user.
    pub(super) fn add(&mut self, name: &str, text: &[u8], is_searched: bool) {
        let source = self.sources.add(name);
        let (objects, problems) = (self.objects.len(), self.problems.len());
        self.foreign_lines.clear();
        self.read(text, source, name, is_searched);
        let is_foreign = |stage: &StageProblem| match stage.problem.at {
            ProblemPlace::Origin(at) => self.foreign_lines.contains(&at.line),
            _ => false,
        };
        let mut added = self.problems.iter().skip(problems).peekable();
        if self.objects.len() == objects && added.peek().is_some() && added.all(is_foreign) {
            self.problems.truncate(problems);
            self.foreign_files.push(name.to_owned());
        }
        if let Ok(text) = std::str::from_utf8(text) {
            self.texts.add(source, text.into());
        }
    }

    /// Records that a file cannot be read.
    pub(super) fn add_unreadable(&mut self, name: &str, error: &io::Error) {
        let origin = Origin::point(self.sources.add(name), 0, 0);
        self.add_problem(Problem::at(origin, &UnreadableFile::from(error)));
    }

    /// Sets the namespace of the objects that need one and have none.
    pub(super) fn set_namespace(&mut self, namespace: &str, context: CheckContext<'_>) {
        let scopes = context.scopes(context.schemas.schemas(), &self.objects);
        render::namespaces::complete(&scopes, &mut self.objects, namespace);
    }

    /// Records the problem of a text that is not YAML. Templates are for other tools, so one that was only found is noted.
    pub(super) fn add_unreadable_text(&mut self, problem: Problem, text: &str, is_searched: bool) {
        let before = self.problems.len();
        self.add_problem(render::name_foreign_text(problem, text));
        let is_template = is_searched && ForeignFile::recognize_template(text).is_some();
        if let Some(added) = self.problems.get_mut(before).filter(|_| is_template) {
            added.severity = Severity::Note;
        }
    }

    /// Records a problem, up to a limit.
    pub(super) fn add_problem(&mut self, problem: Problem) {
        // A document of a few bytes can cause a problem, and no report holds as many.
        if self.problems.len() >= MAX_PROBLEMS {
            return;
        }
        let severity = if is_configuration(&problem) {
            // Reported once per kind.
            if self
                .problems
                .iter()
                .any(|known| is_configuration(&known.problem) && known.problem.message == problem.message)
            {
                return;
            }
            Severity::Note
        } else {
            Severity::Error
        };
        self.problems.push(StageProblem { rule: &rules::app::RENDER, severity, problem });
    }

    /// Reads the documents of a source.
    fn read(&mut self, bytes: &[u8], source: SourceId, path: &str, is_searched: bool) {
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        for document in yaml::documents(bytes, source, &yaml::Limits::lenient()) {
            let document = document.map_err(|problem| self.add_unreadable_text(problem, text, is_searched));
            let Ok(node) = document else { continue };
            if is_searched && is_foreign(&node) {
                self.foreign_lines.insert(node.origin.line);
            }
            each_object(node, path, |object| match object {
                Ok(object) => self.objects.push(object),
                Err(problem) => self.add_problem(problem),
            });
        }
    }
}

/// Reports whether a document is for a tool that generates manifests, including sealwave, and not for a cluster.
fn is_for_tools(node: &Node, path: &str) -> bool {
    let api_version = node.get("apiVersion").and_then(Node::as_str).unwrap_or_default();
    // Kustomize accepts its file without an `apiVersion`.
    if api_version.is_empty()
        && node.get("kind").and_then(Node::as_str).is_none_or(|kind| kind == "Kustomization")
    {
        return is_kustomization(path)
            || node.get("resources").is_some_and(|resources| resources.as_sequence().is_some());
    }
    let group = group_and_version(api_version).0;
    matches!(group, "config.kubernetes.io" | "kustomize.config.k8s.io" | API_GROUP)
        || ForeignFile::recognize_object(node).is_some()
}

/// Reports whether a document has no field that every object has, so that it probably belongs to another tool.
pub(super) fn is_foreign(node: &Node) -> bool {
    !["apiVersion", "kind", "metadata", "spec"].iter().any(|field| node.get(field).is_some())
}

/// Passes the objects of a document to `take`, including those of a list, without documents for tools.
pub(super) fn each_object(document: Node, path: &str, mut take: impl FnMut(Result<Manifest, Problem>)) {
    yaml::for_each_item(document, |node| {
        if is_for_tools(&node, path) {
            return;
        }
        let problem = configuration_reader(&node).map(|(kind, reader)| {
            let at = node.get("kind").map_or(node.origin, |kind| kind.origin);
            Problem::at(at, &ConfigurationNote { kind: printable(kind), reader })
        });
        take(problem.map_or_else(|| render::parse_manifest(node, path), Err));
    });
}

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
enum UnreadableFile {
    #[error("file {BROKEN_LINK}")]
    BrokenLink,
    #[error("file {NOT_REGULAR_FILE}")]
    NotRegular,
    #[error("file or directory cannot be read: {}", io_reason(*.0))]
    Other(io::ErrorKind),
}

impl From<&io::Error> for UnreadableFile {
    fn from(error: &io::Error) -> Self {
        match error.kind() {
            // Files that were found exist, so the target of a link does not.
            io::ErrorKind::NotFound => Self::BrokenLink,
            io::ErrorKind::InvalidInput => Self::NotRegular,
            kind => Self::Other(kind),
        }
    }
}

impl Explain for UnreadableFile {
    fn hint(&self) -> Option<String> {
        Some("remove it, or leave it out with `--exclude`".to_owned())
    }

    fn problem_kind(&self) -> Option<ProblemKind> {
        Some(ProblemKind::Syntax)
    }
}

/// A note about a document that is configuration, not an object.
#[derive(Debug, thiserror::Error)]
#[error("`{kind}` is configuration that {reader} reads from a file; it was not checked")]
struct ConfigurationNote {
    kind: String,
    reader: &'static str,
}

impl Explain for ConfigurationNote {
    fn hint(&self) -> Option<String> {
        Some("it cannot be applied; keep it out of directories that are applied".to_owned())
    }

    fn problem_kind(&self) -> Option<ProblemKind> {
        Some(ProblemKind::Configuration)
    }
}

/// Reports whether a problem is the note about configuration.
pub(super) fn is_configuration(problem: &Problem) -> bool {
    problem.kind == Some(ProblemKind::Configuration)
}
