//! Plain manifests, without an app: files, directories and standard input.
//!
//! A set that is small enough is looked at as a whole, like an environment of an app. A larger one is read window by
//! window, so that memory is bounded by the largest document: then objects are looked at one by one, and of those that
//! were seen only a digest of the identity is kept, for the one rule that can do with that.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read};

use super::schemas::selects;
use super::windows::{Window, Windows};
use super::{Checking, Standing, Verdict, validate};
use crate::diagnostic::{Finding, LookedAt, Problem, Related, Severity, Span};
use crate::lints;
use crate::model::{API_GROUP, Manifest, Node, Origin, Place, SourceId, Sources, Texts};
use crate::pipeline::examine::{ExaminedApp, ExaminedEnvironment, StageProblem};
use crate::pipeline::render;
use crate::workers;
use crate::yaml;

/// Text that is looked at as a whole.
const WHOLE: usize = 8 << 20;

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
    let looked_at = LookedAt { files: inputs.len(), ..LookedAt::default() };
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
            return Stream { looked_at, ..Stream::new(checking, standing) }.run(whole, inputs);
        }
    }
    let mut app = ExaminedApp::plain();
    for (name, text, _) in &whole.files {
        app.add(name, text, 0);
    }
    app.complete(checking);
    let objects = app.objects();
    let verdict = validate(&app, checking, standing);
    let texts = whole.files.into_iter().map(|(name, text, _)| (name, text)).collect();
    Ok(PlainVerdict { verdict, looked_at: LookedAt { objects, ..looked_at }, one_by_one: false, texts })
}

/// Where more of a source comes from.
type Reader = Box<dyn Read>;

/// What was read so far, to be looked at as a whole.
#[derive(Default)]
struct Whole {
    bytes: usize,
    /// Names and texts; the last may have more to come.
    files: Vec<(String, Vec<u8>, Option<Reader>)>,
}

/// Too much to be looked at as a whole.
struct Stream<'a> {
    checking: &'a Checking,
    standing: &'a Standing,
    looked_at: LookedAt,
    verdict: Verdict,
    /// Where each identity was seen first: number of the file and line.
    seen: HashMap<u64, (usize, u32)>,
    names: Vec<String>,
}

impl<'a> Stream<'a> {
    fn new(checking: &'a Checking, standing: &'a Standing) -> Self {
        Self {
            checking,
            standing,
            looked_at: LookedAt::default(),
            verdict: Verdict::default(),
            seen: HashMap::new(),
            names: Vec::new(),
        }
    }

    fn run(
        mut self,
        whole: Whole,
        rest: impl Iterator<Item = PlainInput>,
    ) -> Result<PlainVerdict, (String, io::Error)> {
        for (name, text, more) in whole.files {
            let more = more.unwrap_or_else(|| Box::new(io::empty()));
            self.file(name, io::Cursor::new(text).chain(more))?;
        }
        for PlainInput { name, open } in rest {
            let reader = open().map_err(|error| (name.clone(), error))?;
            self.file(name, reader)?;
        }
        self.verdict.findings.sort_by(|a, b| a.order().cmp(&b.order()));
        Ok(PlainVerdict {
            verdict: self.verdict,
            looked_at: self.looked_at,
            one_by_one: true,
            texts: Vec::new(),
        })
    }

    fn file(&mut self, name: String, reader: impl Read) -> Result<(), (String, io::Error)> {
        // Several for each core, so that none waits long for the others.
        let most = 16 * std::thread::available_parallelism().map_or(1, usize::from);
        let mut windows = Windows::new(reader);
        loop {
            let mut batch = Vec::with_capacity(most);
            while batch.len() < most
                && let Some(window) = windows.next().map_err(|error| (name.clone(), error))?
            {
                batch.push(window);
            }
            if batch.is_empty() {
                break;
            }
            let looked = workers::map(&batch, |window| look(&name, window, self.checking, self.standing));
            let looked = looked.map_err(|_| (name.clone(), io::Error::other("a thread ended early")))?;
            for look in looked {
                self.take(look);
            }
        }
        self.names.push(name);
        Ok(())
    }

    fn take(&mut self, look: Look) {
        let file = self.names.len();
        self.looked_at.objects += look.objects;
        self.verdict.suppressed.extend(look.verdict.suppressed);
        self.verdict.findings.extend(look.verdict.findings);
        for (identity, at) in look.identities {
            match self.seen.entry(identity) {
                Entry::Occupied(seen) => {
                    let (first, first_line) = *seen.get();
                    let name = |file: usize| self.names.get(file).map_or(look.name.as_str(), String::as_str);
                    let place = |path: &str, line, column| Place {
                        path: path.to_owned(),
                        line,
                        column,
                        rendered: None,
                    };
                    let span = Span { place: place(&look.name, at.line, at.column), width: at.width };
                    let first = Span { place: place(name(first), first_line, 0), width: 0 };
                    self.verdict.findings.extend(self.checking.twice(span, first));
                }
                Entry::Vacant(unseen) => {
                    unseen.insert((file, at.line));
                }
            }
        }
    }
}

/// What was seen in one window.
struct Look {
    name: String,
    verdict: Verdict,
    objects: usize,
    identities: Vec<(u64, Origin)>,
}

fn look(name: &str, window: &Window, checking: &Checking, standing: &Standing) -> Look {
    let mut app = ExaminedApp::plain();
    if window.oversized {
        app.refuse(name, window.lines_before);
    } else {
        app.add(name, &window.bytes, window.lines_before);
    }
    app.complete(checking);
    let verdict = super::validate_objects(&app, checking, standing);
    Look { name: name.to_owned(), verdict, objects: app.objects(), identities: app.identities(checking) }
}

impl ExaminedApp {
    fn plain() -> Self {
        let environment = ExaminedEnvironment {
            name: String::new(),
            objects: Vec::new(),
            secrets: Vec::new(),
            emitted: None,
            values: None,
            problems: Vec::new(),
        };
        Self {
            sources: Sources::default(),
            texts: Texts::default(),
            environments: vec![environment],
            workloads: Vec::new(),
            directory: String::new(),
            ignore: Vec::new(),
        }
    }

    fn add(&mut self, name: &str, text: &[u8], lines_before: u32) {
        let source = self.sources.add(name);
        let Some(environment) = self.environments.first_mut() else { return };
        environment.read(text, source, lines_before);
        if let Ok(text) = std::str::from_utf8(text) {
            self.texts.add_part(source, text.into(), lines_before);
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

    /// Says that a document is too long.
    fn refuse(&mut self, name: &str, lines_before: u32) {
        let source = self.sources.add(name);
        let origin = Origin::point(source, lines_before.saturating_add(1), 0);
        let error = yaml::YamlError::DocumentSize(yaml::Limits::default().document_bytes);
        if let Some(environment) = self.environments.first_mut() {
            environment.said(Problem::at(origin, &error));
        }
    }

    /// How many objects there are.
    pub(super) fn objects(&self) -> usize {
        self.environments.iter().map(|environment| environment.objects.len()).sum()
    }

    /// A digest of each object's identity, and where its name stands; a generated name is another one each time.
    fn identities(&self, checking: &Checking) -> Vec<(u64, Origin)> {
        let objects = self.environments.iter().flat_map(|environment| &environment.objects);
        let at = |object: &Manifest| {
            object.root().at(&["metadata", "name"]).map_or(object.origin(), |name| name.origin)
        };
        let wanted = objects.filter(|object| !selects(&checking.skip, object));
        let named = wanted.filter(|object| !object.name().is_empty());
        named.map(|object| (identity(object), at(object))).collect()
    }
}

/// Whether a document is for a program that makes manifests, ours included, and not for a cluster.
fn is_for_tools(node: &Node) -> bool {
    let api_version = node.get("apiVersion").and_then(Node::as_str).unwrap_or_default();
    let group = api_version.split('/').next().unwrap_or_default();
    // kustomize takes its own file without an `apiVersion`, too.
    if api_version.is_empty()
        && node.get("kind").and_then(Node::as_str).is_none_or(|kind| kind == "Kustomization")
    {
        return node.get("resources").is_some_and(|resources| resources.as_sequence().is_some());
    }
    matches!(group, "config.kubernetes.io" | "kustomize.config.k8s.io" | API_GROUP)
}

fn identity(object: &Manifest) -> u64 {
    let mut hasher = DefaultHasher::new();
    (object.group(), object.kind(), object.namespace(), object.name()).hash(&mut hasher);
    hasher.finish()
}

impl ExaminedEnvironment {
    fn said(&mut self, problem: Problem) {
        self.problems.push(StageProblem { rule: &lints::app::RENDER, severity: Severity::Error, problem });
    }

    fn read(&mut self, text: &[u8], source: SourceId, lines_before: u32) {
        let limits = yaml::searching();
        let mut nodes = Vec::new();
        for document in yaml::documents_part(text, source, &limits, lines_before) {
            match document {
                Ok(node) => nodes.push(node),
                Err(problem) => self.said(problem),
            }
        }
        for node in yaml::flatten_lists(nodes).into_iter().filter(|node| !is_for_tools(node)) {
            match render::manifest(node) {
                Ok(object) => self.objects.push(object),
                Err(problem) => self.said(problem),
            }
        }
    }
}

impl Checking {
    /// The finding of an object that was seen before.
    fn twice(&self, span: Span, first: Span) -> Option<Finding> {
        let rule = &lints::resource::duplicate_id::RULE;
        Some(Finding {
            rule: &rule.info,
            severity: self.level(&rule.info)?,
            message: "object is defined twice".to_owned(),
            hint: Some("remove one of the two".to_owned()),
            span: Some(span),
            related: vec![Related {
                label: "it is defined here first".to_owned(),
                span: first,
                confidential: true,
            }],
            object: None,
            pointer: "/metadata/name".to_owned(),
            app: String::new(),
            environments: Vec::new(),
            confidential: true,
        })
    }
}
