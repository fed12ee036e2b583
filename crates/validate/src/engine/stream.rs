//! Manifests that are too many to be looked at as a whole.
//!
//! They are read window by window, and a few objects are judged and dropped before the next are made, so that memory is
//! bounded by the largest document. Of what was seen only a digest of each identity is kept, for the one rule that can
//! do with that, and definitions of custom resources: one counts for its own window and for all that follows.

use std::collections::HashSet;
use std::io::{self, Read};
use std::sync::Arc;

use memchr::memmem;

use super::completion::Completion;
use super::identities::{Identities, Seen, span, twice};
use super::kustomization::{KustomizedFiles, is_kustomization};
use super::plain::{PlainInput, PlainVerdict, Whole, each_object, is_configuration};
use super::schema_set::SchemaSet;
use super::schemas::{self, SchemaCheck, selects};
use super::suppress::{Suppression, SuppressionIndex};
use super::windows::{Window, Windows};
use super::{Checking, DefinitionRef, Finder, KnownDefinition, Standing, Verdict, merge, suppress};
use crate::examine::ExaminedApp;
use crate::rules::{self, Draft, Object, Reporter, Scene};
use crate::{Finding, LookedAt};
use sealwave_core::diagnostic::Problem;
use sealwave_core::document::{Manifest, Origin, Place, SourceId};
use sealwave_core::{workers, yaml};
use sealwave_kube::Scopes;
use sealwave_pipeline::render;

/// Definitions that are remembered, so that a stream of them alone does not take all memory.
const MAX_DEFINITIONS: usize = 10_000;

/// Bytes of kustomizations that are read before everything else.
const MAX_KUSTOMIZATIONS: usize = 4 << 20;

/// Too much to be looked at as a whole.
pub(super) struct Stream<'a> {
    terms: Terms<'a>,
    looked_at: LookedAt,
    verdict: Verdict,
    seen: Seen,
    /// Of the files that were read.
    names: Vec<String>,
    /// What is said once of each kind.
    said: HashSet<String>,
    /// Files that kustomizations of the set list.
    kustomized: KustomizedFiles,
    partial_files: usize,
}

/// What every object is judged by.
struct Terms<'a> {
    checking: &'a Checking,
    standing: &'a Standing,
    rules: Vec<&'static rules::Rule>,
    /// Those of the run, and those that the stream has defined so far.
    schemas: Arc<SchemaSet>,
    scopes: Scopes,
    definitions: usize,
}

impl<'a> Stream<'a> {
    pub(super) fn new(checking: &'a Checking, standing: &'a Standing, looked_at: LookedAt) -> Self {
        let terms = Terms {
            checking,
            standing,
            rules: super::object_rules(checking).collect(),
            schemas: Arc::clone(&checking.schemas),
            scopes: Scopes::of(&[]),
            definitions: 0,
        };
        Self {
            terms,
            looked_at,
            verdict: Verdict::default(),
            seen: Seen::default(),
            names: Vec::new(),
            said: HashSet::new(),
            kustomized: KustomizedFiles::default(),
            partial_files: 0,
        }
    }

    /// Judges what was read so far and what follows.
    ///
    /// # Errors
    /// A source that cannot be read, by its name.
    pub(super) fn run(
        mut self,
        whole: Whole,
        rest: impl Iterator<Item = PlainInput>,
    ) -> Result<PlainVerdict, (String, io::Error)> {
        let files = whole.files.iter().map(|(name, text, _)| (name.as_str(), text.as_slice()));
        self.kustomized = KustomizedFiles::of(files);
        let rest = self.read_kustomizations(rest)?;
        for (name, text, more) in whole.files {
            let more = more.unwrap_or_else(|| Box::new(io::empty()));
            self.file(name, io::Cursor::new(text).chain(more))?;
        }
        for PlainInput { name, open } in rest {
            let reader = open().map_err(|error| (name.clone(), error))?;
            self.file(name, reader)?;
        }
        let completion = Completion::new(&self.kustomized.resources, &[]);
        self.verdict.findings.iter_mut().for_each(|finding| completion.soften(finding));
        self.verdict.findings.sort_by(|a, b| a.order().cmp(&b.order()));
        Ok(PlainVerdict {
            partial_files: self.partial_files,
            verdict: self.verdict,
            looked_at: self.looked_at,
            one_by_one: true,
            texts: Vec::new(),
        })
    }

    /// Reads the kustomizations among the files that follow, as they name files that come before them as well.
    fn read_kustomizations(
        &mut self,
        rest: impl Iterator<Item = PlainInput>,
    ) -> Result<Vec<PlainInput>, (String, io::Error)> {
        let mut room = MAX_KUSTOMIZATIONS;
        rest.map(|PlainInput { name, open }| {
            if !is_kustomization(&name) || room == 0 {
                return Ok(PlainInput { name, open });
            }
            let mut reader = open().map_err(|error| (name.clone(), error))?;
            let mut text = Vec::new();
            let read = reader.by_ref().take(room as u64).read_to_end(&mut text);
            room -= read.map_err(|error| (name.clone(), error))?;
            self.kustomized.add(&name, &text);
            let open = || Ok(Box::new(io::Cursor::new(text).chain(reader)) as Box<dyn Read>);
            Ok(PlainInput { name, open: Box::new(open) })
        })
        .collect()
    }

    fn file(&mut self, name: String, reader: impl Read) -> Result<(), (String, io::Error)> {
        if self.kustomized.is_partial(&name) {
            self.partial_files += 1;
            self.looked_at.files -= usize::from(!self.terms.checking.unjudged.contains(&name));
            return Ok(());
        }
        // Several for each core, so that none waits long for the others.
        let most = 16 * std::thread::available_parallelism().map_or(1, usize::from);
        let mut windows = Windows::new(reader);
        let mut batch = Vec::with_capacity(most);
        let failed = |error| (name.clone(), error);
        while let Some(window) = windows.next().map_err(failed)? {
            let definitions = definitions(&window);
            // What came before does not know them, with however many cores it is looked at.
            if batch.len() == most || !definitions.is_empty() {
                self.judge(&name, &mut batch).map_err(failed)?;
            }
            self.terms.learn(&name, &definitions);
            batch.push(window);
        }
        self.judge(&name, &mut batch).map_err(failed)?;
        self.names.push(name);
        Ok(())
    }

    fn judge(&mut self, name: &str, batch: &mut Vec<Window>) -> io::Result<()> {
        let terms = &self.terms;
        let looked = workers::map(batch, |window| Look::at(name, window, terms));
        batch.clear();
        for look in looked.map_err(|_| io::Error::other("a thread ended early"))? {
            self.take(name, look);
        }
        Ok(())
    }

    fn take(&mut self, name: &str, mut look: Look) {
        let Terms { checking, .. } = self.terms;
        if !checking.unjudged.contains(name) {
            self.looked_at.objects += look.objects;
        }
        look.verdict.narrow(checking);
        self.verdict.suppressed.extend(look.verdict.suppressed);
        self.verdict.passed_over.extend(look.verdict.passed_over);
        self.verdict.blind |= look.verdict.blind;
        for finding in look.verdict.findings {
            if !look.once.contains(&finding.message) || self.said.insert(finding.message.clone()) {
                self.verdict.findings.push(finding);
            }
        }
        let mut suppressions = SuppressionIndex::new(&look.own, self.terms.standing, checking.today);
        for (one, at) in look.identities.iter() {
            let Some((first, first_line)) = self.seen.before(one, self.names.len(), at.line) else {
                continue;
            };
            let first = span(self.names.get(first).map_or(name, String::as_str), first_line, 0, 0);
            let finding = twice(checking, one, span(name, at.line, at.column, at.width), first);
            if let Some(finding) = finding.filter(|finding| checking.judges(finding)) {
                self.verdict.add(finding, &mut suppressions);
            }
        }
    }
}

impl Verdict {
    /// Adds a finding where it belongs: suppressions of its window count for it, and those of the whole run.
    fn add(&mut self, finding: Finding, suppressions: &mut SuppressionIndex<'_>) {
        if suppressions.silences(&finding) {
            self.suppressed.push(finding);
        } else {
            self.findings.push(finding);
        }
    }
}

impl Terms<'_> {
    /// Adds the definitions of a window.
    fn learn(&mut self, file: &str, definitions: &[Manifest]) {
        for definition in definitions {
            self.definitions += 1;
            if self.definitions > MAX_DEFINITIONS {
                return;
            }
            self.scopes.learn(definition);
            if Arc::get_mut(&mut self.schemas).is_none() {
                let known = self.checking.definitions.iter().map(KnownDefinition::view);
                self.schemas = Arc::new(SchemaSet::growing(&self.checking.kube_versions, known));
            }
            if let Some(schemas) = Arc::get_mut(&mut self.schemas) {
                let Origin { line, column, .. } = definition.origin();
                let place = Place { path: file.to_owned(), line, column, rendered: None };
                schemas.add(DefinitionRef { object: definition, place, is_named: false });
            }
        }
    }
}

/// The definitions of custom resources in a window.
fn definitions(window: &Window) -> Vec<Manifest> {
    if memmem::find(&window.bytes, schemas::DEFINITION.as_bytes()).is_none() {
        return Vec::new();
    }
    let source = sealwave_core::document::Sources::default().add("");
    let mut found = Vec::new();
    for document in
        yaml::documents_part(&window.bytes, source, &yaml::searching(), window.lines_before).flatten()
    {
        each_object(document, "", |object| found.extend(object.ok().filter(schemas::is_definition)));
    }
    found
}

/// What was seen in one window.
struct Look {
    verdict: Verdict,
    objects: usize,
    identities: Identities,
    /// Suppressions of the window.
    own: Vec<Suppression>,
    /// Messages that are said once, however many windows say them.
    once: HashSet<String>,
}

impl Look {
    fn at(name: &str, window: &Window, terms: &Terms<'_>) -> Self {
        let mut app = ExaminedApp::plain();
        let source = app.sources.add(name);
        if let Ok(text) = std::str::from_utf8(&window.bytes) {
            app.texts.add_part(source, text.into(), window.lines_before);
        }
        let mut judge = Judge {
            terms,
            app,
            schemas: SchemaCheck::new(&terms.schemas, terms.checking, true),
            scopes: terms.scopes.clone(),
            reporter: Reporter::default(),
            findings: Vec::new(),
            own: Vec::new(),
            objects: 0,
            identities: Identities::default(),
            once: HashSet::new(),
        };
        judge.window(window, source, name);
        judge.finish()
    }
}

/// How many objects are judged together: each rule looks at all of them before the next one does, which keeps it in the
/// processor's caches.
const BATCH: usize = 64;

/// Judges the objects of one window, a few at a time.
struct Judge<'a> {
    terms: &'a Terms<'a>,
    /// Holds the objects that are judged, and no others.
    app: ExaminedApp,
    schemas: SchemaCheck<'a>,
    scopes: Scopes,
    reporter: Reporter,
    findings: Vec<Finding>,
    /// Suppressions of the window itself.
    own: Vec<Suppression>,
    objects: usize,
    identities: Identities,
    /// Messages of documents that are reported once.
    once: HashSet<String>,
}

impl Judge<'_> {
    fn window(&mut self, window: &Window, source: SourceId, path: &str) {
        if window.oversized {
            let origin = Origin::point(source, window.lines_before.saturating_add(1), 0);
            let error = yaml::YamlError::DocumentSize(yaml::Limits::default().document_bytes);
            self.said(Problem::at(origin, &error));
            return;
        }
        for document in yaml::documents_part(&window.bytes, source, &yaml::searching(), window.lines_before) {
            match document {
                Ok(node) => each_object(node, path, |object| match object {
                    Ok(object) => self.object(object),
                    Err(problem) => self.said(problem),
                }),
                Err(problem) => {
                    let text = std::str::from_utf8(&window.bytes).unwrap_or_default();
                    self.said(render::explained(problem, text));
                }
            }
        }
        self.judge();
    }

    fn said(&mut self, problem: Problem) {
        if is_configuration(&problem) {
            self.once.insert(problem.message.clone());
        }
        if let Some(environment) = self.app.environments.first_mut() {
            environment.said(problem);
        }
    }

    fn object(&mut self, object: Manifest) {
        let Some(environment) = self.app.environments.first_mut() else { return };
        environment.objects.push(object);
        if environment.objects.len() == BATCH {
            self.judge();
        }
    }

    /// Judges the objects at hand, rule by rule, and drops them.
    fn judge(&mut self) {
        let checking = self.terms.checking;
        let Some(environment) = self.app.environments.first_mut() else { return };
        for object in &environment.objects {
            checking.learn_scope(&mut self.scopes, &self.terms.schemas, object);
        }
        if let Some(namespace) = &checking.namespace {
            render::namespaces::complete(&self.scopes, &mut environment.objects, namespace);
        }
        self.look();
        if let Some(environment) = self.app.environments.first_mut() {
            environment.objects.clear();
        }
    }

    fn look(&mut self) {
        let checking = self.terms.checking;
        let manifests = self.app.environments.first().map_or(&[][..], |environment| &environment.objects);
        let objects: Vec<Object<'_>> = manifests.iter().map(|object| Object::new(object, &[])).collect();
        self.objects += objects.len();
        // A generated name is another one each time.
        let named = objects.iter().filter(|object| !object.name.is_empty());
        for object in named.filter(|object| !selects(&checking.skip, object.manifest)) {
            self.identities.add(object);
        }
        for (number, object) in objects.iter().enumerate() {
            self.reporter.look_at(0, Some(number));
            self.schemas.check(object, &self.app.sources, &mut self.reporter);
        }
        let scene = Scene {
            texts: &self.app.texts,
            is_plain: true,
            sources: &self.app.sources,
            scopes: &self.scopes,
            settings: &checking.settings,
        };
        for rule in &self.terms.rules {
            super::check_objects(rule, 0, &objects, &scene, &mut self.reporter);
        }
        let drafts = super::echoes::without_echoes(self.reporter.take());
        let is_annotated = |object: &Object<'_>| {
            object.metadata.is_some_and(|metadata| metadata.get("annotations").is_some())
        };
        // Most objects have nothing to find.
        if drafts.is_empty() && !objects.iter().any(is_annotated) {
            return;
        }
        let finder = Finder::new(&self.app, checking);
        let drafts = drafts.into_iter().map(|draft| checking.leveled(draft));
        let is_skipped = |draft: &Draft| {
            let object = draft.subject.and_then(|subject| manifests.get(subject.object));
            object.is_some_and(|object| super::is_skipped(draft, object, checking))
        };
        let wanted = drafts.filter(|draft| !is_skipped(draft));
        self.findings.extend(finder.findings(wanted.collect()));
        self.own.extend(finder.annotated());
    }

    fn finish(mut self) -> Look {
        let Terms { checking, standing, .. } = self.terms;
        let finder = Finder::new(&self.app, checking);
        let mut findings: Vec<Finding> = finder.stages().collect();
        findings.append(&mut self.findings);
        self.own.extend(finder.written());
        let judged = suppress::Judged::new(&self.app, checking).one_by_one();
        let (findings, suppressed) = suppress::apply(findings, &self.own, standing, &judged);
        let blind = judged.is_blind();
        let (findings, suppressed) = (merge::merge(findings), merge::merge(suppressed));
        let verdict = Verdict { findings, suppressed, blind, ..Verdict::default() };
        let mut once = self.schemas.into_once();
        once.extend(self.once);
        Look { verdict, objects: self.objects, identities: self.identities, own: self.own, once }
    }
}
