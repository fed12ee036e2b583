//! Runs the stages on an app for `validate`, for each environment as far as possible.
//!
//! The stages are those of a normal run, but a problem does not end it: later stages still report their problems, and
//! all rendered objects can be checked. Nothing is fetched, and no Secret is sealed.

use std::path::Path;

use crate::engine::DefinitionRef;
use crate::rules::{self, Rule};
use crate::{AppEnvironments, CheckedCounts};
use sealwave_core::diagnostic::{Failure, Note, NoteLevel, Problem, ProblemKind, ProblemPlace, Severity};
use sealwave_core::document::{Manifest, Node, Origin, SourceId, SourceTexts, Sources, WrittenScalars};
use sealwave_core::yaml;
use sealwave_pipeline::render::UnusedValue;
use sealwave_pipeline::{
    AnnotateSettings, Discovery, RenderContext, SealMode, SealSettings, ValueSource, annotate, load, render,
    resolve, seal,
};
use sealwave_secrets::crypto::ChecksumKey;
use sealwave_secrets::settings::{APP_FILE, IgnoreEntry, ignore_origins};

/// The input for the examination of an environment.
pub struct EnvironmentInput<'a> {
    /// The context for templates, with the name of the environment.
    pub context: RenderContext,
    /// The provider of `<path:…>` placeholders.
    pub default_provider: Option<&'a str>,
}

/// An app whose environments were examined.
pub struct ExaminedApp {
    pub(super) sources: Sources,
    pub(super) texts: SourceTexts,
    pub(super) environments: Vec<ExaminedEnvironment>,
    pub(super) workloads: Vec<sealwave_kube::pods::WorkloadKind>,
    pub(super) directory: String,
    /// Other files in the app's directory, if they were read.
    pub(super) other_files: Vec<rules::TrackedFile>,
    /// The entries of `validate.ignore`, with their positions.
    pub(super) ignore: Vec<(IgnoreEntry, Origin)>,
}

/// An examined environment.
pub(super) struct ExaminedEnvironment {
    pub(super) name: String,
    /// The target cluster.
    pub(super) cluster: String,
    /// The position of the cluster's name, if values are sealed for that cluster.
    pub(super) sealed_for: Option<Origin>,
    /// The rendered objects; two may have the same identity.
    pub(super) objects: Vec<Manifest>,
    /// The references in their Secrets.
    pub(super) secrets: Vec<rules::SecretUse>,
    /// The objects for Argo CD; `None` if a stage failed.
    pub(super) emitted: Option<Vec<Manifest>>,
    /// The merged values.
    pub(super) values: Option<Node>,
    /// The original texts of scalars that are not in canonical form.
    pub(super) written_scalars: WrittenScalars,
    /// Unused keys of the environment's own values.
    pub(super) unused_values: Vec<UnusedValue>,
    pub(super) problems: Vec<StageProblem>,
}

/// A problem reported by a stage.
pub(super) struct StageProblem {
    pub(super) rule: &'static Rule,
    pub(super) severity: Severity,
    pub(super) problem: Problem,
}

/// Examines each environment as far as possible; calls `begin` with the name of each.
#[must_use]
pub fn examine(
    discovery: &Discovery,
    examinations: &[EnvironmentInput<'_>],
    directory: String,
    begin: &dyn Fn(&str),
) -> ExaminedApp {
    let mut app = ExaminedApp {
        sources: Sources::default(),
        texts: SourceTexts::default(),
        environments: Vec::new(),
        workloads: discovery.app().workloads.clone(),
        directory,
        other_files: Vec::new(),
        ignore: Vec::new(),
    };
    let file = AppFile::new(discovery, &mut app.sources);
    app.ignore = file.ignored(discovery);
    for examination in examinations {
        begin(&examination.context.environment);
        let mut environment = ExaminedEnvironment {
            name: examination.context.environment.clone(),
            cluster: examination.context.cluster.clone(),
            sealed_for: None,
            objects: Vec::new(),
            secrets: Vec::new(),
            emitted: None,
            values: None,
            written_scalars: WrittenScalars::default(),
            unused_values: Vec::new(),
            problems: Vec::new(),
        };
        // A failure is recorded in the environment's problems.
        let _ = environment.run_stages(discovery, &file, examination, &mut app.sources, &mut app.texts);
        app.environments.push(environment);
    }
    app
}

fn secret_use((object, used): (usize, resolve::PlaceholderUse)) -> rules::SecretUse {
    let resolve::PlaceholderUse { reference, item, origin, scope, .. } = used;
    rules::SecretUse { reference, object, item, origin, scope }
}

impl ExaminedApp {
    /// Returns the app's directory and the examined environments.
    #[must_use]
    pub fn environments(&self) -> AppEnvironments {
        let environments = self.environments.iter().map(|environment| environment.name.clone()).collect();
        AppEnvironments { app: self.directory.clone(), environments }
    }

    /// Returns the files that were read, as named in messages.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.sources.names()
    }

    /// Returns the custom resource definitions that the app renders.
    pub fn definitions(&self) -> impl Iterator<Item = DefinitionRef<'_>> {
        let objects = self.environments.iter().flat_map(|environment| &environment.objects);
        let definitions =
            objects.filter(|object| object.is("apiextensions.k8s.io", "CustomResourceDefinition"));
        definitions.map(|object| DefinitionRef {
            object,
            place: self.sources.location(object.origin()),
            is_named: false,
        })
    }

    /// Returns the numbers of environments and objects.
    #[must_use]
    pub fn checked_counts(&self) -> CheckedCounts {
        let objects = self.environments.iter().map(|environment| environment.objects.len()).sum();
        CheckedCounts { apps: 1, environments: self.environments.len(), files: 0, objects }
    }
}

/// The parsed app file, for positions of its settings.
struct AppFile {
    source: SourceId,
    tree: Option<Node>,
}

impl AppFile {
    fn new(discovery: &Discovery, sources: &mut Sources) -> Self {
        let source = sources.add(discovery.name_of(Path::new(APP_FILE)));
        // The file was parsed before, so this cannot fail.
        let tree = yaml::read(discovery.app_text(), source, &yaml::Limits::default()).unwrap_or_default();
        Self { source, tree: tree.into_iter().next() }
    }

    /// Returns the entries of `validate.ignore`, with their positions.
    fn ignored(&self, discovery: &Discovery) -> Vec<(IgnoreEntry, Origin)> {
        let entries = discovery.app().validate.ignore.iter().cloned();
        let places = ignore_origins(self.tree.as_ref()).chain(std::iter::repeat(Origin::whole(self.source)));
        entries.zip(places).collect()
    }

    /// Returns the position of the value at a path, else of the last existing key.
    fn value(&self, path: &[&str]) -> Origin {
        let value = self.tree.as_ref().and_then(|tree| tree.at(path));
        value.map_or_else(|| self.place(path), |value| value.origin)
    }

    /// Returns the position of the last existing key of a path.
    fn place(&self, path: &[&str]) -> Origin {
        let mut found = (Origin::whole(self.source), self.tree.as_ref());
        for key in path {
            let Some(entry) = found.1.and_then(Node::as_mapping).and_then(|mapping| mapping.entry(key))
            else {
                break;
            };
            found = (entry.key_origin, Some(&entry.value));
        }
        found.0
    }
}

/// A stage failed and its problems were recorded.
struct StageFailed;

impl ExaminedEnvironment {
    fn run_stages(
        &mut self,
        discovery: &Discovery,
        file: &AppFile,
        examination: &EnvironmentInput<'_>,
        sources: &mut Sources,
        texts: &mut SourceTexts,
    ) -> Result<(), StageFailed> {
        let app = discovery.app();
        let loaded = load(discovery, &self.name, sources);
        let loaded = self.record_failure(&rules::app::LOAD, loaded)?;
        let mut notes = Vec::new();
        let attempt = render::try_render(loaded, &examination.context, sources, Some(texts), &mut notes);
        let rendered = attempt.to_rendered(&self.name);
        self.objects = attempt.objects;
        let backends = discovery.backends(&self.name);
        let known = backends.as_ref().ok().cloned().unwrap_or_default();
        let uses = resolve::placeholder_uses_in(
            &self.objects,
            examination.default_provider,
            app.placeholder_settings(),
            &known,
        );
        self.secrets = uses.map(secret_use).collect();
        self.sealed_for = known.needs_values().then(|| file.value(&["environments", &self.name, "cluster"]));
        self.values = Some(attempt.values.merged);
        self.written_scalars = attempt.values.written;
        self.unused_values = attempt.unused;
        self.record_notes(&rules::app::RENDER, &mut notes);
        let rendered = rendered.map_err(|failure| discovery.at_app_file(failure));
        let rendered = self.record_failure(&rules::app::RENDER, rendered)?;
        let at = ProblemPlace::Origin(file.place(&["environments", &self.name]));
        let backends = backends.map_err(|failure| failure.with_place(&at));
        let backends = self.record_failure(&rules::app::BACKEND, backends)?;
        let supply = ValueSource::Withhold { known: None, default_provider: examination.default_provider };
        let resolved = resolve(rendered, &supply, app.placeholder_settings(), &backends, &mut notes);
        self.record_notes(&rules::app::PLACEHOLDER, &mut notes);
        let resolved = self.record_failure(&rules::app::PLACEHOLDER, resolved)?;
        let checksums = ChecksumKey::preview();
        let settings = SealSettings { backends: &backends, workloads: &app.workloads, today: None };
        let sealed = seal(resolved, &SealMode::Redacted, &settings, &checksums, &mut notes);
        self.record_notes(&rules::app::BACKEND, &mut notes);
        let sealed = self.record_failure(&rules::app::BACKEND, sealed)?;
        let settings = AnnotateSettings { waves: &app.waves, workloads: &app.workloads };
        self.record_failure(
            &rules::app::ANNOTATE,
            annotate::check_settings(&settings, |path| ProblemPlace::Origin(file.place(path))),
        )?;
        let annotated = annotate(sealed, &checksums, &settings, &mut notes);
        // This rule checks apps itself and sets the severity of each finding.
        notes.retain(|note| note.problem.kind != Some(ProblemKind::SecretIsHook));
        self.record_notes(&rules::app::ANNOTATE, &mut notes);
        self.emitted = Some(self.record_failure(&rules::app::ANNOTATE, annotated)?.objects().to_vec());
        Ok(())
    }

    fn record_failure<T>(
        &mut self,
        rule: &'static Rule,
        result: Result<T, Failure>,
    ) -> Result<T, StageFailed> {
        result.map_err(|failure| {
            let listed = failure.problems().iter().cloned().chain(failure.omitted_problem());
            self.problems.extend(listed.map(|problem| StageProblem {
                rule,
                severity: Severity::Error,
                problem,
            }));
            StageFailed
        })
    }

    fn record_notes(&mut self, rule: &'static Rule, notes: &mut Vec<Note>) {
        self.problems.extend(notes.drain(..).map(|note| StageProblem {
            rule,
            severity: match note.level {
                NoteLevel::Note => Severity::Note,
                NoteLevel::Warning => Severity::Warning,
            },
            problem: note.problem,
        }));
    }
}
