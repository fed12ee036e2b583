//! Plain manifests, without an app: files, directories and standard input.
//!
//! A set that is small enough is looked at as a whole, like an environment of an app; a larger one is a [`Stream`].

use std::io::{self, Read};

use super::stream::Stream;
use super::{Checking, Standing, Verdict, validate};
use crate::diagnostic::{LookedAt, Problem, Severity};
use crate::lints;
use crate::model::{API_GROUP, Manifest, Node, SourceId, Sources, Texts, WrittenScalars, group_and_version};
use crate::pipeline::examine::{ExaminedApp, ExaminedEnvironment, StageProblem};
use crate::pipeline::render;
use crate::yaml;

/// Text that is looked at as a whole.
const WHOLE: usize = 8 << 20;

/// Documents that cannot be read, of which each is reported; a report has fewer.
const MAX_PROBLEMS: usize = 100_000;

/// One source of manifests.
pub struct PlainInput {
    /// Its name, as the user knows it.
    pub name: String,
    /// Opens it.
    pub open: Box<dyn FnOnce() -> io::Result<Box<dyn Read>>>,
}

/// What came of plain manifests.
#[derive(Debug, Default)]
pub struct PlainVerdict {
    /// What is wrong.
    pub verdict: Verdict,
    /// What was looked at.
    pub looked_at: LookedAt,
    /// Whether there was too much to look at as a whole.
    pub one_by_one: bool,
    /// The texts that were looked at as a whole, for those that cannot be read again.
    pub texts: Vec<(String, Vec<u8>)>,
}

/// Looks for everything that is wrong with a set of manifests.
///
/// # Errors
/// A source that cannot be read, by its name.
pub fn validate_plain(
    inputs: Vec<PlainInput>,
    checking: &Checking,
    standing: &Standing,
) -> Result<PlainVerdict, (String, io::Error)> {
    let mut whole = Whole::default();
    let mut inputs = inputs.into_iter();
    let judged = inputs.as_slice().iter().filter(|input| !checking.unjudged.contains(&input.name)).count();
    let looked_at = LookedAt { files: judged, ..LookedAt::default() };
    for PlainInput { name, open } in inputs.by_ref() {
        let mut reader = open().map_err(|error| (name.clone(), error))?;
        let room = WHOLE.saturating_sub(whole.bytes);
        let mut text = Vec::new();
        let read = reader.by_ref().take(room as u64 + 1).read_to_end(&mut text);
        read.map_err(|error| (name.clone(), error))?;
        whole.bytes += text.len();
        let more = text.len() > room;
        whole.files.push((name, text, more.then_some(reader)));
        if more {
            return Stream::new(checking, standing, looked_at).run(whole, inputs);
        }
    }
    // Of two objects that are one, the second is what is wrong.
    whole.files.sort_by_key(|(name, ..)| !checking.unjudged.contains(name));
    let mut app = ExaminedApp::plain();
    let mut unjudged = 0;
    for (name, text, _) in &whole.files {
        app.add(name, text);
        if checking.unjudged.contains(name) {
            unjudged = app.objects();
        }
    }
    app.complete(checking);
    let mut verdict = validate(&app, checking, standing);
    verdict.narrow(checking);
    let objects = app.objects() - unjudged;
    let texts = whole.files.into_iter().map(|(name, text, _)| (name, text)).collect();
    Ok(PlainVerdict { verdict, looked_at: LookedAt { objects, ..looked_at }, one_by_one: false, texts })
}

/// Where more of a source comes from.
type Reader = Box<dyn Read>;

/// What was read so far, to be looked at as a whole.
#[derive(Default)]
pub(super) struct Whole {
    bytes: usize,
    /// Names and texts; the last may have more to come.
    pub(super) files: Vec<(String, Vec<u8>, Option<Reader>)>,
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
            written: WrittenScalars::default(),
            unused: Vec::new(),
            problems: Vec::new(),
        };
        Self {
            sources: Sources::default(),
            texts: Texts::default(),
            environments: vec![environment],
            workloads: Vec::new(),
            directory: String::new(),
            beside: Vec::new(),
            ignore: Vec::new(),
        }
    }

    fn add(&mut self, name: &str, text: &[u8]) {
        let source = self.sources.add(name);
        let Some(environment) = self.environments.first_mut() else { return };
        environment.read(text, source);
        if let Ok(text) = std::str::from_utf8(text) {
            self.texts.add(source, text.into());
        }
    }

    /// Puts objects where they go, if that was said.
    fn complete(&mut self, checking: &Checking) {
        let Some(namespace) = &checking.namespace else { return };
        for environment in &mut self.environments {
            let scopes = checking.scopes(&checking.schemas, &environment.objects);
            render::namespaces::complete(&scopes, &mut environment.objects, namespace);
        }
    }

    /// How many objects there are.
    fn objects(&self) -> usize {
        self.environments.iter().map(|environment| environment.objects.len()).sum()
    }
}

/// Whether a document is for a program that makes manifests, ours included, and not for a cluster.
fn is_for_tools(node: &Node) -> bool {
    let api_version = node.get("apiVersion").and_then(Node::as_str).unwrap_or_default();
    // kustomize takes its own file without an `apiVersion`, too.
    if api_version.is_empty()
        && node.get("kind").and_then(Node::as_str).is_none_or(|kind| kind == "Kustomization")
    {
        return node.get("resources").is_some_and(|resources| resources.as_sequence().is_some());
    }
    matches!(group_and_version(api_version).0, "config.kubernetes.io" | "kustomize.config.k8s.io" | API_GROUP)
}

/// Takes the objects of a document: those of a list, and none that is for tools.
pub(super) fn each_object(document: Node, mut take: impl FnMut(Result<Manifest, Problem>)) {
    yaml::each_item(document, |node| {
        if !is_for_tools(&node) {
            take(render::manifest(node));
        }
    });
}

impl ExaminedEnvironment {
    pub(super) fn said(&mut self, problem: Problem) {
        // Each may be a document of a few bytes, and no report holds as many.
        if self.problems.len() >= MAX_PROBLEMS {
            return;
        }
        self.problems.push(StageProblem { rule: &lints::app::RENDER, severity: Severity::Error, problem });
    }

    fn read(&mut self, text: &[u8], source: SourceId) {
        for document in yaml::documents(text, source, &yaml::searching()) {
            let Ok(node) = document.map_err(|problem| self.said(problem)) else { continue };
            each_object(node, |object| match object {
                Ok(object) => self.objects.push(object),
                Err(problem) => self.said(problem),
            });
        }
    }
}
