//! Validates a set of manifests that is too large to be checked as a whole.
//!
//! The set is read in windows, and a few objects at a time are parsed, checked and dropped, so that memory is bounded
//! by the largest document. Only a digest of each identity is kept, for the duplicate check, and the custom resource
//! definitions: one applies to its own window and all later ones.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{self, Read};
use std::sync::Arc;

use memchr::memmem;

use super::completion::BuildCompletion;
use super::context::PlainContext;
use super::finder::FindingBuilder;
use super::identities::{ObjectIdentities, SeenIdentities, duplicate_finding, span};
use super::input::CheckedInput;
use super::manifests::{
    BufferedInputs, PlainInput, PlainManifests, each_object, is_configuration, is_foreign,
};
use super::result::{PlainResult, ValidationResult};
use super::schema_set::SchemaSet;
use super::schemas::SchemaCheck;
use super::suppress::{self, Coverage, RunSuppressions, Suppression, SuppressionIndex};
use super::windows::{StreamWindow, WindowReader};
use super::{check, echoes, merge};
use crate::Finding;
use crate::definitions::{DEFINITION, DefinitionRef, KnownDefinition, is_definition};
use crate::facts::checked_object::CheckedObject;
use crate::facts::rule_context::RuleContext;
use crate::index::EnvironmentIndex;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::Rule;
use sealwave_core::diagnostic::Problem;
use sealwave_core::document::{Manifest, Origin, SourceId, SourceLocation};
use sealwave_core::workers::{self, WorkerPanicked};
use sealwave_core::yaml;
use sealwave_kube::KindScopes;
use sealwave_kube::catalog::ObjectIndex;
use sealwave_pipeline::render;

/// The most definitions that are kept, to limit memory.
const MAX_DEFINITIONS: usize = 10_000;

/// A set of manifests that is checked in windows.
pub(super) struct ManifestStream<'a> {
    context: StreamContext<'a>,
    /// The checked files with the numbers of their objects.
    checked: BTreeMap<String, usize>,
    /// The files of other tools.
    foreign_files: Vec<String>,
    current: CurrentFile,
    verdict: ValidationResult,
    seen: SeenIdentities,
    /// The names of the files read so far.
    names: Vec<String>,
    /// The messages reported once per kind.
    reported_once: HashSet<String>,
}

/// The file that is being checked.
#[derive(Default)]
struct CurrentFile {
    /// Whether it has an object, or a document that is broken rather than foreign.
    has_manifests: bool,
    /// Findings about documents that may belong to another tool.
    foreign: Vec<Finding>,
}

/// The options and schemas for all objects.
struct StreamContext<'a> {
    input: &'a PlainContext,
    run_suppressions: &'a RunSuppressions,
    rules: Vec<&'static Rule>,
    /// The schemas of the run, and those defined by the stream so far.
    schemas: Arc<SchemaSet>,
    scopes: KindScopes,
    definitions: usize,
}

impl<'a> ManifestStream<'a> {
    pub(super) fn new(input: &'a PlainContext, run_suppressions: &'a RunSuppressions) -> Self {
        let context = StreamContext {
            input,
            run_suppressions,
            rules: input.options().object_rules().collect(),
            schemas: Arc::default(),
            scopes: KindScopes::from_objects(&[]),
            definitions: 0,
        };
        Self {
            context,
            checked: BTreeMap::new(),
            foreign_files: Vec::new(),
            current: CurrentFile::default(),
            verdict: ValidationResult::default(),
            seen: SeenIdentities::default(),
            names: Vec::new(),
            reported_once: HashSet::new(),
        }
    }

    /// Checks the buffered sources and the rest; `unreadable` holds the sources that could not be read.
    ///
    /// # Errors
    /// A worker panicked.
    pub(super) fn run(
        mut self,
        whole: BufferedInputs,
        rest: impl Iterator<Item = PlainInput>,
        mut unreadable: PlainManifests,
    ) -> Result<PlainResult, WorkerPanicked> {
        let rest: Vec<PlainInput> = rest.collect();
        let names = whole.files.iter().map(|(name, ..)| name).chain(rest.iter().map(|input| &input.name));
        self.context.start(&names.map(String::as_str).collect());
        for (name, text, more) in whole.files {
            let more = more.unwrap_or_else(|| Box::new(io::empty()));
            if let Err(error) = self.check_file(&name, io::Cursor::new(text).chain(more))? {
                unreadable.add_unreadable(&name, &error);
            }
        }
        for PlainInput { name, open } in rest {
            let checked = match open() {
                Ok(reader) => self.check_file(&name, reader)?,
                Err(error) => Err(error),
            };
            if let Err(error) = checked {
                unreadable.add_unreadable(&name, &error);
            }
        }
        self.add_unreadable(&unreadable);
        let completion = BuildCompletion::new(self.context.input.kustomized());
        self.verdict.findings.iter_mut().for_each(|finding| completion.soften(finding));
        self.verdict.findings.sort_by(|a, b| a.order().cmp(&b.order()));
        Ok(PlainResult {
            verdict: self.verdict,
            checked: self.checked,
            was_streamed: true,
            reported_once: self.reported_once,
            foreign_files: self.foreign_files,
            texts: Vec::new(),
        })
    }

    /// Adds the findings about sources that cannot be read.
    fn add_unreadable(&mut self, unreadable: &PlainManifests) {
        let StreamContext { input, run_suppressions, .. } = self.context;
        let mut result = ValidationResult::default();
        let mut suppressions = SuppressionIndex::new(&[], run_suppressions, input.options().today);
        for finding in FindingBuilder::new(CheckedInput::Plain(unreadable, input)).stage_findings() {
            result.add(finding, &mut suppressions);
        }
        result.drop_out_of_scope(input);
        self.verdict.findings.extend(result.findings);
        self.verdict.suppressed.extend(result.suppressed);
        self.verdict.out_of_scope.extend(result.out_of_scope);
    }

    /// Checks a source; the inner error is that of reading it.
    fn check_file(&mut self, name: &str, reader: impl Read) -> Result<io::Result<()>, WorkerPanicked> {
        if !self.context.input.is_context_file(name) {
            self.checked.insert(name.to_owned(), 0);
        }
        // Several windows per core, so that cores are not idle for long.
        let max_windows = 16 * std::thread::available_parallelism().map_or(1, usize::from);
        let mut windows = WindowReader::new(reader);
        let mut batch = Vec::with_capacity(max_windows);
        loop {
            let window = match windows.next() {
                Ok(Some(window)) => window,
                Ok(None) => break,
                Err(error) => return Ok(Err(error)),
            };
            let definitions = definitions(&window);
            // Earlier windows must not see these definitions, independent of the number of cores.
            if batch.len() == max_windows || !definitions.is_empty() {
                self.check_batch(name, &mut batch)?;
            }
            self.context.learn(name, &definitions);
            batch.push(window);
        }
        self.check_batch(name, &mut batch)?;
        let CurrentFile { has_manifests, foreign } = std::mem::take(&mut self.current);
        if has_manifests {
            self.verdict.findings.extend(foreign);
        } else if !foreign.is_empty() {
            self.checked.remove(name);
            self.foreign_files.push(name.to_owned());
        }
        self.names.push(name.to_owned());
        Ok(Ok(()))
    }

    fn check_batch(&mut self, name: &str, batch: &mut Vec<StreamWindow>) -> Result<(), WorkerPanicked> {
        let context = &self.context;
        let results = workers::parallel_map(batch, |window| WindowResult::check(name, window, context));
        batch.clear();
        for result in results? {
            self.add_result(name, result);
        }
        Ok(())
    }

    fn add_result(&mut self, name: &str, mut result: WindowResult) {
        let StreamContext { input, .. } = self.context;
        if let Some(objects) = self.checked.get_mut(name) {
            *objects += result.objects;
        }
        result.verdict.drop_out_of_scope(input);
        self.verdict.suppressed.extend(result.verdict.suppressed);
        self.verdict.out_of_scope.extend(result.verdict.out_of_scope);
        self.verdict.is_incomplete |= result.verdict.is_incomplete;
        let is_foreign = |finding: &Finding| {
            let line = finding.span.as_ref().map(|span| span.place.line);
            line.is_some_and(|line| result.foreign_lines.contains(&line))
        };
        let (foreign, findings): (Vec<_>, Vec<_>) = result.verdict.findings.into_iter().partition(is_foreign);
        self.current.has_manifests |= result.objects > 0 || !findings.is_empty();
        self.current.foreign.extend(foreign);
        for finding in findings {
            if !result.once.contains(&finding.message) || self.reported_once.insert(finding.message.clone()) {
                self.verdict.findings.push(finding);
            }
        }
        let mut suppressions =
            SuppressionIndex::new(&result.own, self.context.run_suppressions, input.options().today);
        for (one, at) in result.identities.iter() {
            let Some((first, first_line)) = self.seen.first_seen(one, self.names.len(), at.line) else {
                continue;
            };
            let first = span(self.names.get(first).map_or(name, String::as_str), first_line, 0, 0);
            let finding =
                duplicate_finding(input.options(), one, span(name, at.line, at.column, at.width), first);
            if let Some(finding) = finding.filter(|finding| input.is_in_scope(finding)) {
                self.verdict.add(finding, &mut suppressions);
            }
        }
    }
}

impl StreamContext<'_> {
    /// Sets the schemas, without the definitions of the stream's own files: each applies to the objects after it, as if
    /// it were not known before.
    fn start(&mut self, files: &HashSet<&str>) {
        let known = &self.input.schemas.definitions;
        let is_own = |definition: &KnownDefinition| {
            !definition.is_named && files.contains(definition.place.path.as_str())
        };
        self.schemas = if known.iter().any(is_own) {
            let others = known.iter().filter(|definition| !is_own(definition)).map(KnownDefinition::view);
            Arc::new(SchemaSet::extendable(&self.input.options().kube_versions, others))
        } else {
            Arc::clone(self.input.schemas.schemas())
        };
    }

    /// Adds the definitions of a window.
    fn learn(&mut self, file: &str, definitions: &[Manifest]) {
        for definition in definitions {
            self.definitions += 1;
            if self.definitions > MAX_DEFINITIONS {
                return;
            }
            self.scopes.add_definition(definition);
            // Those of the run are shared until the stream has definitions of its own.
            if Arc::get_mut(&mut self.schemas).is_none() {
                let known = self.input.schemas.definitions.iter().map(KnownDefinition::view);
                self.schemas = Arc::new(SchemaSet::extendable(&self.input.options().kube_versions, known));
            }
            if let Some(schemas) = Arc::get_mut(&mut self.schemas) {
                let Origin { line, column, .. } = definition.origin();
                let place = SourceLocation { path: file.to_owned(), line, column, rendered: None };
                schemas.add(DefinitionRef { object: definition, place, is_named: false });
            }
        }
    }
}

/// Returns the custom resource definitions in a window.
fn definitions(window: &StreamWindow) -> Vec<Manifest> {
    if memmem::find(&window.bytes, DEFINITION.as_bytes()).is_none() {
        return Vec::new();
    }
    let source = sealwave_core::document::Sources::default().add("");
    let mut found = Vec::new();
    for document in
        yaml::documents_part(&window.bytes, source, &yaml::Limits::lenient(), window.lines_before).flatten()
    {
        each_object(document, "", |object| found.extend(object.ok().filter(is_definition)));
    }
    found
}

/// The result of a window.
struct WindowResult {
    verdict: ValidationResult,
    objects: usize,
    identities: ObjectIdentities,
    /// The suppressions in the window.
    own: Vec<Suppression>,
    /// Messages that are reported only once for all windows.
    once: HashSet<String>,
    /// The lines of documents that may belong to another tool.
    foreign_lines: BTreeSet<u32>,
}

impl WindowResult {
    fn check(name: &str, window: &StreamWindow, context: &StreamContext<'_>) -> Self {
        let mut manifests = PlainManifests::default();
        let source = manifests.sources.add(name);
        if let Ok(text) = std::str::from_utf8(&window.bytes) {
            manifests.texts.add_part(source, text.into(), window.lines_before);
        }
        let mut validator = BatchValidator {
            context,
            manifests,
            schemas: SchemaCheck::new(&context.schemas, context.input.check_context(), true),
            scopes: context.scopes.clone(),
            reporter: Reporter::default(),
            findings: Vec::new(),
            own: Vec::new(),
            objects: 0,
            identities: ObjectIdentities::default(),
            once: HashSet::new(),
        };
        validator.check_window(window, source, name);
        validator.finish()
    }
}

/// The number of objects checked together: each rule checks all of them before the next rule runs, which keeps it in
/// the processor's caches.
const BATCH: usize = 64;

/// Checks the objects of a window in batches.
struct BatchValidator<'a> {
    context: &'a StreamContext<'a>,
    /// The sources of the window, with only the objects of the current batch.
    manifests: PlainManifests,
    schemas: SchemaCheck<'a>,
    scopes: KindScopes,
    reporter: Reporter,
    findings: Vec<Finding>,
    /// The suppressions in the window.
    own: Vec<Suppression>,
    objects: usize,
    identities: ObjectIdentities,
    /// Messages about documents that are reported only once.
    once: HashSet<String>,
}

impl BatchValidator<'_> {
    fn check_window(&mut self, window: &StreamWindow, source: SourceId, path: &str) {
        if window.is_oversized {
            let origin = Origin::point(source, window.lines_before.saturating_add(1), 0);
            let error = yaml::YamlError::DocumentSize(yaml::Limits::default().document_bytes);
            self.add_problem(Problem::at(origin, &error));
            return;
        }
        let is_searched = self.context.input.is_searched(path);
        for document in
            yaml::documents_part(&window.bytes, source, &yaml::Limits::lenient(), window.lines_before)
        {
            match document {
                Ok(node) => {
                    if is_searched && is_foreign(&node) {
                        self.manifests.foreign_lines.insert(node.origin.line);
                    }
                    each_object(node, path, |object| match object {
                        Ok(object) => self.add_object(object),
                        Err(problem) => self.add_problem(problem),
                    });
                }
                Err(problem) => {
                    let text = std::str::from_utf8(&window.bytes).unwrap_or_default();
                    self.manifests.add_unreadable_text(problem, text, is_searched);
                }
            }
        }
        self.check_objects();
    }

    fn add_problem(&mut self, problem: Problem) {
        if is_configuration(&problem) {
            self.once.insert(problem.message.clone());
        }
        self.manifests.add_problem(problem);
    }

    fn add_object(&mut self, object: Manifest) {
        self.manifests.objects.push(object);
        if self.manifests.objects.len() == BATCH {
            self.check_objects();
        }
    }

    /// Checks the objects of the batch, rule by rule, and drops them.
    fn check_objects(&mut self) {
        let input = self.context.input;
        for object in &self.manifests.objects {
            input.check_context().learn_scope(&mut self.scopes, &self.context.schemas, object);
        }
        if let Some(namespace) = &input.namespace {
            render::namespaces::complete(&self.scopes, &mut self.manifests.objects, namespace);
        }
        self.run_rules();
        self.manifests.objects.clear();
    }

    fn run_rules(&mut self) {
        let options = self.context.input.options();
        let manifests = &self.manifests.objects;
        let objects: Vec<CheckedObject<'_>> =
            manifests.iter().map(|object| CheckedObject::new(object, &[])).collect();
        self.objects += objects.len();
        // Generated names are different each time.
        let named = objects.iter().filter(|object| !object.name.is_empty());
        for object in named.filter(|object| !options.skip.selects(object.manifest)) {
            self.identities.add(object);
        }
        for (index, object) in ObjectIndex::enumerate(&objects) {
            self.reporter.start_object(EnvironmentIndex::FIRST, index);
            self.schemas.check(object, &self.manifests.sources, &mut self.reporter);
        }
        let scene = RuleContext {
            texts: &self.manifests.texts,
            is_plain: true,
            sources: &self.manifests.sources,
            scopes: &self.scopes,
            settings: &options.settings,
        };
        for rule in &self.context.rules {
            check::check_objects(rule, EnvironmentIndex::FIRST, &objects, &scene, &mut self.reporter);
        }
        let drafts = echoes::without_covered(self.reporter.take_findings());
        let is_annotated = |object: &CheckedObject<'_>| {
            object.metadata.is_some_and(|metadata| metadata.get("annotations").is_some())
        };
        // Most objects have no findings.
        if drafts.is_empty() && !objects.iter().any(is_annotated) {
            return;
        }
        let finder = FindingBuilder::new(CheckedInput::Plain(&self.manifests, self.context.input));
        let drafts = drafts.into_iter().map(|draft| options.with_level(draft));
        let is_skipped = |draft: &FindingDraft| {
            let object = draft.subject.object().and_then(|index| index.of(manifests));
            object.is_some_and(|object| check::is_skipped(draft, object, options))
        };
        let wanted = drafts.filter(|draft| !is_skipped(draft));
        self.findings.extend(finder.findings(wanted.collect()));
        self.own.extend(finder.annotation_suppressions());
    }

    fn finish(mut self) -> WindowResult {
        let StreamContext { input, run_suppressions, .. } = self.context;
        let finder = FindingBuilder::new(CheckedInput::Plain(&self.manifests, input));
        let mut findings: Vec<Finding> = finder.stage_findings().collect();
        findings.append(&mut self.findings);
        self.own.extend(finder.setting_and_comment_suppressions());
        let coverage = Coverage::new(CheckedInput::Plain(&self.manifests, input)).without_context();
        let (findings, suppressed) = suppress::apply(findings, &self.own, run_suppressions, &coverage);
        let blind = coverage.is_incomplete();
        let (findings, suppressed) =
            (merge::merge_environments(findings), merge::merge_environments(suppressed));
        let verdict =
            ValidationResult { findings, suppressed, is_incomplete: blind, ..ValidationResult::default() };
        let mut once = self.schemas.into_reported_once();
        once.extend(self.once);
        let foreign_lines = self.manifests.foreign_lines;
        WindowResult {
            verdict,
            objects: self.objects,
            identities: self.identities,
            own: self.own,
            once,
            foreign_lines,
        }
    }
}
