//! Examines an app for `validate`: runs the stages for each environment as far as possible.
//!
//! The pipeline runs the stages of a preview and keeps what each produced, so that objects can be checked even if some
//! of them cannot be rendered or sealed. Nothing is fetched, and no Secret is sealed. This file assigns the problems of
//! stages to rules.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::definitions::DefinitionRef;
use crate::facts::app_settings::AppSettings;
use crate::facts::checked_object::SecretUse;
use crate::facts::scene::TrackedFile;
use crate::facts::unread_names::UnreadName;
use crate::rule::Rule;
use crate::{AppEnvironments, CheckedCounts, rules};
use sealwave_core::diagnostic::{NoteLevel, Problem, ProblemKind, ProblemPlace, Severity};
use sealwave_core::document::{Manifest, Node, Origin, SourceId, SourceTexts, Sources, WrittenScalars};
use sealwave_kube::catalog::ObjectIndex;
use sealwave_pipeline::render::UnusedValue;
use sealwave_pipeline::{
    CollectedRender, CollectedStages, Discovery, PlaceholderUse, RenderContext, Stage, StageFailure,
    StageInput, StageNote, collect,
};
use sealwave_programs::Toolbox;
use sealwave_secrets::settings::{App, IgnoreEntry, RotationEntry, ignore_origins};

/// The input for the examination of an environment.
pub struct EnvironmentInput<'a> {
    /// The context for templates, with the name of the environment.
    pub context: RenderContext,
    /// The provider of `<path:…>` placeholders.
    pub default_provider: Option<&'a str>,
    /// The programs that render sources.
    pub toolbox: &'a Toolbox,
    /// Whether sources of other tools are rendered twice, to find what differs each time.
    pub compares: bool,
}

/// An app whose environments were examined.
pub struct ExaminedApp {
    pub(super) sources: Sources,
    pub(super) texts: SourceTexts,
    pub(super) environments: Vec<ExaminedEnvironment>,
    pub(super) workloads: Vec<sealwave_kube::pods::WorkloadKind>,
    pub(super) directory: String,
    /// Other files in the app's directory, if they were read.
    pub(super) other_files: Vec<TrackedFile>,
    /// Files that templates read, relative to the app's directory.
    pub(super) read_files: BTreeSet<PathBuf>,
    /// Files and directories that look like input of the app, but are not read.
    pub(super) unread: Vec<(SourceId, UnreadName)>,
    /// Settings that rules compare with files and objects.
    pub(super) settings: AppSettings,
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
    pub(super) secrets: Vec<SecretUse>,
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
        read_files: BTreeSet::new(),
        unread: Vec::new(),
        settings: AppSettings::default(),
        ignore: Vec::new(),
    };
    let file = AppFile::new(discovery, &mut app.sources);
    app.ignore = file.ignored();
    app.settings = file.settings();
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
        let place = |path: &[&str]| ProblemPlace::Origin(file.place(path));
        let EnvironmentInput { context, default_provider, toolbox, compares } = examination;
        let input = StageInput { discovery, context, toolbox, compares: *compares };
        let stages = collect(input, *default_provider, &mut app.sources, &mut app.texts, &place);
        app.read_files
            .extend(stages.rendered.iter().flat_map(|rendered| rendered.attempt.read_files.clone()));
        environment.record(stages, &file);
        app.environments.push(environment);
    }
    app
}

fn secret_use((object, used): (ObjectIndex, PlaceholderUse)) -> SecretUse {
    let PlaceholderUse { reference, item, origin, scope, .. } = used;
    SecretUse { reference, object, item, origin, scope }
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
        let environments = self.environments.iter();
        environments.flat_map(|environment| DefinitionRef::in_objects(&environment.objects, &self.sources))
    }

    /// Returns the numbers of environments and objects.
    #[must_use]
    pub fn checked_counts(&self) -> CheckedCounts {
        let objects = self.environments.iter().map(|environment| environment.objects.len()).sum();
        CheckedCounts { apps: 1, environments: self.environments.len(), files: 0, objects }
    }
}

/// The app file, for positions of its settings. It is read as a tree when the first position is needed.
struct AppFile<'a> {
    discovery: &'a Discovery,
    source: SourceId,
    tree: OnceCell<Node>,
}

impl<'a> AppFile<'a> {
    fn new(discovery: &'a Discovery, sources: &mut Sources) -> Self {
        let source = sources.add(discovery.app_file_name());
        Self { discovery, source, tree: OnceCell::new() }
    }

    fn tree(&self) -> &Node {
        self.tree.get_or_init(|| self.discovery.app_tree(self.source))
    }

    /// Returns the entries of `validate.ignore`, with their positions.
    fn ignored(&self) -> Vec<(IgnoreEntry, Origin)> {
        let entries = &self.discovery.app().validate.ignore;
        if entries.is_empty() {
            return Vec::new();
        }
        let places = ignore_origins(self.tree()).chain(std::iter::repeat(Origin::whole(self.source)));
        entries.iter().cloned().zip(places).collect()
    }

    /// Returns the settings that rules compare with files and objects.
    fn settings(&self) -> AppSettings {
        let App { environments, waves, .. } = self.discovery.app();
        let located = |path: &[&str], name: &String| (name.clone(), self.place(&[path, &[name]].concat()));
        let without_directory = environments.keys().filter(|name| !self.discovery.has_directory(name));
        let only_directories = self.discovery.environments().filter(|name| !environments.contains_key(*name));
        AppSettings {
            without_directory: without_directory.map(|name| located(&["environments"], name)).collect(),
            only_directories: only_directories.map(str::to_owned).collect(),
            rotation: self.rotation(),
            wave_kinds: waves.kinds.keys().map(|kind| located(&["waves", "kinds"], kind)).collect(),
        }
    }

    /// Returns the entries of `rotation`, each with the position of its pattern.
    fn rotation(&self) -> Vec<(RotationEntry, Origin)> {
        let entries = self.discovery.app().rotation.entries();
        if entries.is_empty() {
            return Vec::new();
        }
        let nodes = self.tree().get("rotation").map_or(&[][..], Node::items).iter();
        let places = nodes.map(|node| node.get("secret").map_or(node.origin, |secret| secret.origin));
        let places = places.chain(std::iter::repeat(Origin::whole(self.source)));
        entries.iter().cloned().zip(places).collect()
    }

    /// Returns the position of the value at a path, else of the last existing key.
    fn value(&self, path: &[&str]) -> Origin {
        self.tree().at(path).map_or_else(|| self.place(path), |value| value.origin)
    }

    /// Returns the position of the last existing key of a path.
    fn place(&self, path: &[&str]) -> Origin {
        let mut found = (Origin::whole(self.source), self.tree());
        for key in path {
            let Some(entry) = found.1.as_mapping().and_then(|mapping| mapping.entry(key)) else { break };
            found = (entry.key_origin, &entry.value);
        }
        found.0
    }
}

/// Returns the rule under which problems of a stage are reported.
fn rule_of(stage: Stage) -> &'static Rule {
    match stage {
        Stage::Annotate => &rules::app::ANNOTATE,
        Stage::Input | Stage::Load | Stage::Sources => &rules::app::LOAD,
        Stage::Render => &rules::app::RENDER,
        Stage::Resolve => &rules::app::PLACEHOLDER,
        Stage::Seal | Stage::Validate => &rules::app::BACKEND,
    }
}

impl ExaminedEnvironment {
    fn record(&mut self, stages: CollectedStages, file: &AppFile<'_>) {
        let CollectedStages { rendered, notes, unstable, result } = stages;
        if let Some(rendered) = rendered {
            self.record_rendered(rendered, file);
        }
        self.problems.extend(notes.into_iter().filter_map(note_problem));
        self.problems.extend(unstable.into_iter().map(|problem| StageProblem {
            rule: &rules::app::UNSTABLE_SOURCE,
            severity: Severity::Error,
            problem,
        }));
        match result {
            Ok(sealed) => self.emitted = Some(sealed.objects().to_vec()),
            Err(failure) => self.record_failure(&failure),
        }
    }

    fn record_rendered(&mut self, rendered: CollectedRender, file: &AppFile<'_>) {
        let CollectedRender { attempt, uses, needs_values } = rendered;
        self.objects = attempt.objects;
        self.secrets = uses.into_iter().map(secret_use).collect();
        self.sealed_for = needs_values.then(|| file.value(&["environments", &self.name, "cluster"]));
        self.values = Some(attempt.values.merged);
        self.written_scalars = attempt.values.written;
        self.unused_values = attempt.unused;
    }

    fn record_failure(&mut self, StageFailure { stage, failure }: &StageFailure) {
        let listed = failure.problems().iter().cloned().chain(failure.omitted_problem());
        let rule = rule_of(*stage);
        self.problems.extend(listed.map(|problem| StageProblem { rule, severity: Severity::Error, problem }));
    }
}

/// Returns a note of a stage as a problem, except one that a rule reports with a severity of its own.
fn note_problem(StageNote { stage, note }: StageNote) -> Option<StageProblem> {
    let is_checked_by_rule = stage == Stage::Annotate && note.problem.kind == Some(ProblemKind::SecretIsHook);
    (!is_checked_by_rule).then(|| StageProblem {
        rule: rule_of(stage),
        severity: match note.level {
            NoteLevel::Note => Severity::Note,
            NoteLevel::Warning => Severity::Warning,
        },
        problem: note.problem,
    })
}
