//! Validates plain manifests without an app: files, directories and standard input.
//!
//! A small set is checked as a whole, like an environment of an app; a larger one is checked as a stream.

use std::io::{self, Read};

use super::completion::BuildCompletion;
use super::kustomization::{KustomizedFiles, is_kustomization};
use super::stream::ManifestStream;
use super::{RunSuppressions, ValidateOptions, ValidationResult, validate};
use crate::examine::{ExaminedApp, ExaminedEnvironment, StageProblem};
use crate::{CheckedCounts, rules};
use sealwave_core::diagnostic::{Explain, Problem, ProblemKind, Severity, printable};
use sealwave_core::document::{
    Manifest, Node, SourceId, SourceTexts, Sources, WrittenScalars, group_and_version,
};
use sealwave_core::yaml;
use sealwave_kube::{ForeignFile, configuration_reader};
use sealwave_pipeline::render;
use sealwave_secrets::settings::API_GROUP;

/// The most bytes that are checked as a whole.
const MAX_WHOLE_BYTES: usize = 8 << 20;

/// The most problems recorded for unreadable documents; a report holds fewer.
const MAX_PROBLEMS: usize = 100_000;

/// A source of manifests.
pub struct PlainInput {
    /// The name for messages.
    pub name: String,
    /// Opens the source.
    pub open: Box<dyn FnOnce() -> io::Result<Box<dyn Read>>>,
}

/// The result for plain manifests.
#[derive(Debug, Default)]
pub struct PlainResult {
    /// The findings.
    pub verdict: ValidationResult,
    /// The numbers of checked inputs.
    pub checked: CheckedCounts,
    /// Whether the set was too large to be checked as a whole.
    pub was_streamed: bool,
    /// The number of files skipped because a `kustomization.yaml` of the set uses them as patches or configurations.
    pub partial_files: usize,
    /// The texts checked as a whole, as some sources cannot be read again.
    pub texts: Vec<(String, Vec<u8>)>,
}

/// Validates a set of manifests.
///
/// # Errors
/// Returns the name of a source that cannot be read, with the error.
pub fn validate_plain(
    inputs: Vec<PlainInput>,
    checking: &ValidateOptions,
    standing: &RunSuppressions,
) -> Result<PlainResult, (String, io::Error)> {
    let mut whole = BufferedInputs::default();
    let mut inputs = inputs.into_iter();
    let judged =
        inputs.as_slice().iter().filter(|input| !checking.context_files.contains(&input.name)).count();
    let looked_at = CheckedCounts { files: judged, ..CheckedCounts::default() };
    for PlainInput { name, open } in inputs.by_ref() {
        let mut reader = open().map_err(|error| (name.clone(), error))?;
        let room = MAX_WHOLE_BYTES.saturating_sub(whole.bytes);
        let mut text = Vec::new();
        let read = reader.by_ref().take(room as u64 + 1).read_to_end(&mut text);
        read.map_err(|error| (name.clone(), error))?;
        whole.bytes += text.len();
        let more = text.len() > room;
        whole.files.push((name, text, more.then_some(reader)));
        if more {
            return ManifestStream::new(checking, standing, looked_at).run(whole, inputs);
        }
    }
    let files = whole.files.iter().map(|(name, text, _)| (name.as_str(), text.as_slice()));
    let kustomized = KustomizedFiles::from_files(files);
    let is_partial = |name: &String| kustomized.is_partial(name);
    let partial_files = whole.files.iter().filter(|(name, ..)| is_partial(name)).count();
    let judged_partial = whole
        .files
        .iter()
        .filter(|(name, ..)| is_partial(name) && !checking.context_files.contains(name))
        .count();
    whole.files.retain(|(name, ..)| !is_partial(name));
    // If two objects have one identity, the second is reported, so checked files come last.
    whole.files.sort_by_key(|(name, ..)| !checking.context_files.contains(name));
    let mut app = ExaminedApp::plain();
    let mut unjudged = 0;
    for (name, text, _) in &whole.files {
        app.add(name, text);
        if checking.context_files.contains(name) {
            unjudged = app.objects();
        }
    }
    app.complete(checking);
    let mut verdict = validate(&app, checking, standing);
    let objects = app.environments.first().map_or(&[][..], |environment| &environment.objects);
    let completion = BuildCompletion::new(&kustomized.resources, objects);
    verdict.findings.iter_mut().for_each(|finding| completion.soften(finding));
    verdict.drop_out_of_scope(checking);
    let objects = app.objects() - unjudged;
    let texts = whole.files.into_iter().map(|(name, text, _)| (name, text)).collect();
    let looked_at = CheckedCounts { files: looked_at.files - judged_partial, objects, ..looked_at };
    Ok(PlainResult { verdict, checked: looked_at, was_streamed: false, partial_files, texts })
}

/// The unread rest of a source.
type SourceReader = Box<dyn Read>;

/// The sources read so far, to be checked as a whole.
#[derive(Default)]
pub(super) struct BufferedInputs {
    bytes: usize,
    /// Names, texts, and the rest of the last source.
    pub(super) files: Vec<(String, Vec<u8>, Option<SourceReader>)>,
}

impl ExaminedApp {
    pub(super) fn plain() -> Self {
        let environment = ExaminedEnvironment {
            name: String::new(),
            cluster: String::new(),
            sealed_for: None,
            objects: Vec::new(),
            secrets: Vec::new(),
            emitted: None,
            values: None,
            written_scalars: WrittenScalars::default(),
            unused_values: Vec::new(),
            problems: Vec::new(),
        };
        Self {
            sources: Sources::default(),
            texts: SourceTexts::default(),
            environments: vec![environment],
            workloads: Vec::new(),
            directory: String::new(),
            other_files: Vec::new(),
            ignore: Vec::new(),
        }
    }

    fn add(&mut self, name: &str, text: &[u8]) {
        let source = self.sources.add(name);
        let Some(environment) = self.environments.first_mut() else { return };
        environment.read(text, source, name);
        if let Ok(text) = std::str::from_utf8(text) {
            self.texts.add(source, text.into());
        }
    }

    /// Sets the default namespace of objects, if given.
    fn complete(&mut self, checking: &ValidateOptions) {
        let Some(namespace) = &checking.namespace else { return };
        for environment in &mut self.environments {
            let scopes = checking.scopes(&checking.schemas, &environment.objects);
            render::namespaces::complete(&scopes, &mut environment.objects, namespace);
        }
    }

    /// Returns the number of objects.
    fn objects(&self) -> usize {
        self.environments.iter().map(|environment| environment.objects.len()).sum()
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

impl ExaminedEnvironment {
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

    fn read(&mut self, bytes: &[u8], source: SourceId, path: &str) {
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        for document in yaml::documents(bytes, source, &yaml::Limits::lenient()) {
            let document =
                document.map_err(|problem| self.add_problem(render::name_foreign_text(problem, text)));
            let Ok(node) = document else { continue };
            each_object(node, path, |object| match object {
                Ok(object) => self.objects.push(object),
                Err(problem) => self.add_problem(problem),
            });
        }
    }
}
