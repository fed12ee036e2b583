//! Validates a set of manifests that is too large to be checked as a whole.
//!
//! The set is read in windows, and a few objects at a time are parsed, checked and dropped, so that memory is bounded
//! by the largest document. Only a digest of each identity is kept, for the duplicate check, and the custom resource
//! definitions: one applies to its own window and all later ones.

use std::collections::HashSet;
use std::io::{self, Read};
use std::sync::Arc;

use memchr::memmem;

use super::completion::BuildCompletion;
use super::context::PlainContext;
use super::finder::FindingBuilder;
use super::identities::{ObjectIdentities, SeenIdentities, duplicate_finding, span};
use super::input::CheckedInput;
use super::kustomization::{KustomizedFiles, is_kustomization};
use super::manifests::{BufferedInputs, PlainInput, PlainManifests, each_object, is_configuration};
use super::result::{PlainResult, ValidationResult};
use super::schema_set::SchemaSet;
use super::schemas::SchemaCheck;
use super::suppress::{self, Coverage, RunSuppressions, Suppression, SuppressionIndex};
use super::windows::{StreamWindow, WindowReader};
use super::{check, echoes, merge};
use crate::definitions::{DEFINITION, DefinitionRef, KnownDefinition, is_definition};
use crate::facts::checked_object::CheckedObject;
use crate::facts::rule_context::RuleContext;
use crate::index::EnvironmentIndex;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::Rule;
use crate::{CheckedCounts, Finding};
use sealwave_core::diagnostic::Problem;
use sealwave_core::document::{Manifest, Origin, SourceId, SourceLocation};
use sealwave_core::{workers, yaml};
use sealwave_kube::KindScopes;
use sealwave_kube::catalog::ObjectIndex;
use sealwave_pipeline::render;

/// The most definitions that are kept, to limit memory.
const MAX_DEFINITIONS: usize = 10_000;

/// The most bytes of kustomizations that are read first.
const MAX_KUSTOMIZATIONS: usize = 4 << 20;

/// A set of manifests that is checked in windows.
pub(super) struct ManifestStream<'a> {
    context: StreamContext<'a>,
    looked_at: CheckedCounts,
    verdict: ValidationResult,
    seen: SeenIdentities,
    /// The names of the files read so far.
    names: Vec<String>,
    /// The messages reported once per kind.
    reported_once: HashSet<String>,
    /// The files that the kustomizations of the set list.
    kustomized: KustomizedFiles,
    partial_files: usize,
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
    pub(super) fn new(
        input: &'a PlainContext,
        run_suppressions: &'a RunSuppressions,
        looked_at: CheckedCounts,
    ) -> Self {
        let context = StreamContext {
            input,
            run_suppressions,
            rules: input.options().object_rules().collect(),
            schemas: Arc::clone(&input.schemas.schemas),
            scopes: KindScopes::from_objects(&[]),
            definitions: 0,
        };
        Self {
            context,
            looked_at,
            verdict: ValidationResult::default(),
            seen: SeenIdentities::default(),
            names: Vec::new(),
            reported_once: HashSet::new(),
            kustomized: KustomizedFiles::default(),
            partial_files: 0,
        }
    }

    /// Checks the buffered sources and the rest.
    ///
    /// # Errors
    /// Returns the name of a source that cannot be read, with the error.
    pub(super) fn run(
        mut self,
        whole: BufferedInputs,
        rest: impl Iterator<Item = PlainInput>,
    ) -> Result<PlainResult, (String, io::Error)> {
        let files = whole.files.iter().map(|(name, text, _)| (name.as_str(), text.as_slice()));
        self.kustomized = KustomizedFiles::from_files(files);
        let rest = self.read_kustomizations(rest)?;
        for (name, text, more) in whole.files {
            let more = more.unwrap_or_else(|| Box::new(io::empty()));
            self.check_file(name, io::Cursor::new(text).chain(more))?;
        }
        for PlainInput { name, open } in rest {
            let reader = open().map_err(|error| (name.clone(), error))?;
            self.check_file(name, reader)?;
        }
        let completion = BuildCompletion::new(&self.kustomized.resources, &[]);
        self.verdict.findings.iter_mut().for_each(|finding| completion.soften(finding));
        self.verdict.findings.sort_by(|a, b| a.order().cmp(&b.order()));
        Ok(PlainResult {
            partial_files: self.partial_files,
            verdict: self.verdict,
            checked: self.looked_at,
            was_streamed: true,
            texts: Vec::new(),
        })
    }

    /// Reads the kustomizations among the remaining files first, as they also list earlier files.
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

    fn check_file(&mut self, name: String, reader: impl Read) -> Result<(), (String, io::Error)> {
        if self.kustomized.is_partial(&name) {
            self.partial_files += 1;
            self.looked_at.files -= usize::from(!self.context.input.is_context_file(&name));
            return Ok(());
        }
        // Several windows per core, so that cores are not idle for long.
        let max_windows = 16 * std::thread::available_parallelism().map_or(1, usize::from);
        let mut windows = WindowReader::new(reader);
        let mut batch = Vec::with_capacity(max_windows);
        let failed = |error| (name.clone(), error);
        while let Some(window) = windows.next().map_err(failed)? {
            let definitions = definitions(&window);
            // Earlier windows must not see these definitions, independent of the number of cores.
            if batch.len() == max_windows || !definitions.is_empty() {
                self.check_batch(&name, &mut batch).map_err(failed)?;
            }
            self.context.learn(&name, &definitions);
            batch.push(window);
        }
        self.check_batch(&name, &mut batch).map_err(failed)?;
        self.names.push(name);
        Ok(())
    }

    fn check_batch(&mut self, name: &str, batch: &mut Vec<StreamWindow>) -> io::Result<()> {
        let context = &self.context;
        let results = workers::parallel_map(batch, |window| WindowResult::check(name, window, context));
        batch.clear();
        for result in results.map_err(io::Error::other)? {
            self.add_result(name, result);
        }
        Ok(())
    }

    fn add_result(&mut self, name: &str, mut result: WindowResult) {
        let StreamContext { input, .. } = self.context;
        if !input.is_context_file(name) {
            self.looked_at.objects += result.objects;
        }
        result.verdict.drop_out_of_scope(input);
        self.verdict.suppressed.extend(result.verdict.suppressed);
        self.verdict.out_of_scope.extend(result.verdict.out_of_scope);
        self.verdict.is_incomplete |= result.verdict.is_incomplete;
        for finding in result.verdict.findings {
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
    /// Adds the definitions of a window.
    fn learn(&mut self, file: &str, definitions: &[Manifest]) {
        for definition in definitions {
            self.definitions += 1;
            if self.definitions > MAX_DEFINITIONS {
                return;
            }
            self.scopes.add_definition(definition);
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
        for document in
            yaml::documents_part(&window.bytes, source, &yaml::Limits::lenient(), window.lines_before)
        {
            match document {
                Ok(node) => each_object(node, path, |object| match object {
                    Ok(object) => self.add_object(object),
                    Err(problem) => self.add_problem(problem),
                }),
                Err(problem) => {
                    let text = std::str::from_utf8(&window.bytes).unwrap_or_default();
                    self.add_problem(render::name_foreign_text(problem, text));
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
        WindowResult { verdict, objects: self.objects, identities: self.identities, own: self.own, once }
    }
}
