//! An app for `validate`: each environment as far as it can be taken, whatever is wrong on the way.
//!
//! The same verbs as in a run, but a problem does not end it: what the stages can still say is said, and the objects that
//! could be rendered are there to be checked. Nothing is fetched, and no Secret is sealed.

use std::path::Path;

use crate::engine::DefinitionRef;
use crate::rules::{self, Rule};
use crate::{AppEnvironments, LookedAt};
use sealwave_core::diagnostic::{At, Failure, Level, Note, Problem, Severity};
use sealwave_core::document::{Manifest, Node, Origin, SourceId, Sources, Texts, WrittenScalars};
use sealwave_core::yaml;
use sealwave_kube::sync::SECRET_IS_HOOK;
use sealwave_pipeline::render::UnusedValue;
use sealwave_pipeline::{
    AnnotateSettings, Discovery, RenderContext, SealSettings, Sealing, Supply, annotate, load, render,
    resolve, seal,
};
use sealwave_secrets::crypto::ChecksumKey;
use sealwave_secrets::settings::{APP_FILE, IgnoreEntry, ignore_places};

/// What is examined: one environment and what is known of it.
pub struct Examination<'a> {
    /// What templates may know; names the environment.
    pub context: RenderContext,
    /// The provider that `<path:…>` means.
    pub default_provider: Option<&'a str>,
}

/// An app whose environments were examined.
pub struct ExaminedApp {
    pub(super) sources: Sources,
    pub(super) texts: Texts,
    pub(super) environments: Vec<ExaminedEnvironment>,
    pub(super) workloads: Vec<sealwave_kube::pods::WorkloadKind>,
    pub(super) directory: String,
    /// Files beside the app, as far as they were asked for.
    pub(super) beside: Vec<rules::FileBeside>,
    /// Findings that are wanted as they are, and where that is said.
    pub(super) ignore: Vec<(IgnoreEntry, Origin)>,
}

/// One environment.
pub(super) struct ExaminedEnvironment {
    pub(super) name: String,
    /// The cluster that it is for.
    pub(super) cluster: String,
    /// Where the app says so, if values are sealed for that cluster.
    pub(super) sealed_for: Option<Origin>,
    /// As they were rendered; two may have one identity.
    pub(super) objects: Vec<Manifest>,
    /// What their Secrets refer to.
    pub(super) secrets: Vec<rules::SecretUse>,
    /// What Argo CD would get; none where some stage could not do its job.
    pub(super) emitted: Option<Vec<Manifest>>,
    /// The merged values.
    pub(super) values: Option<Node>,
    /// The texts of their scalars that are not written in their usual form.
    pub(super) written: WrittenScalars,
    /// Keys of its own values that nothing uses.
    pub(super) unused: Vec<UnusedValue>,
    pub(super) problems: Vec<StageProblem>,
}

/// What a stage has to say.
pub(super) struct StageProblem {
    pub(super) rule: &'static Rule,
    pub(super) severity: Severity,
    pub(super) problem: Problem,
}

/// Takes each environment as far as it can be taken; `begin` is told which one is next.
#[must_use]
pub fn examine(
    discovery: &Discovery,
    examinations: &[Examination<'_>],
    directory: String,
    begin: &dyn Fn(&str),
) -> ExaminedApp {
    let mut app = ExaminedApp {
        sources: Sources::default(),
        texts: Texts::default(),
        environments: Vec::new(),
        workloads: discovery.app().workloads.clone(),
        directory,
        beside: Vec::new(),
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
            written: WrittenScalars::default(),
            unused: Vec::new(),
            problems: Vec::new(),
        };
        // What goes wrong is in the environment's problems already.
        let _ = environment.take(discovery, &file, examination, &mut app.sources, &mut app.texts);
        app.environments.push(environment);
    }
    app
}

fn secret_use((object, used): (usize, resolve::Use)) -> rules::SecretUse {
    let resolve::Use { reference, item, origin, scope, .. } = used;
    rules::SecretUse { reference, object, item, origin, scope }
}

impl ExaminedApp {
    /// Its directory, and the environments that were examined.
    #[must_use]
    pub fn environments(&self) -> AppEnvironments {
        let environments = self.environments.iter().map(|environment| environment.name.clone()).collect();
        AppEnvironments { app: self.directory.clone(), environments }
    }

    /// The files that were read, as messages name them.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.sources.names()
    }

    /// Returns the definitions of custom resources that it renders.
    pub fn definitions(&self) -> impl Iterator<Item = DefinitionRef<'_>> {
        let objects = self.environments.iter().flat_map(|environment| &environment.objects);
        let definitions =
            objects.filter(|object| object.is("apiextensions.k8s.io", "CustomResourceDefinition"));
        definitions.map(|object| DefinitionRef {
            object,
            place: self.sources.place(object.origin()),
            is_named: false,
        })
    }

    /// How much there is to look at.
    #[must_use]
    pub fn looked_at(&self) -> LookedAt {
        let objects = self.environments.iter().map(|environment| environment.objects.len()).sum();
        LookedAt { apps: 1, environments: self.environments.len(), files: 0, objects }
    }
}

/// The app file, for those who ask where something stands in it.
struct AppFile {
    source: SourceId,
    tree: Option<Node>,
}

impl AppFile {
    fn new(discovery: &Discovery, sources: &mut Sources) -> Self {
        let source = sources.add(discovery.name_of(Path::new(APP_FILE)));
        // It was read before, so it can be read.
        let tree = yaml::read(discovery.app_text(), source, &yaml::Limits::default()).unwrap_or_default();
        Self { source, tree: tree.into_iter().next() }
    }

    /// The entries of `validate.ignore`, and where they stand.
    fn ignored(&self, discovery: &Discovery) -> Vec<(IgnoreEntry, Origin)> {
        let entries = discovery.app().validate.ignore.iter().cloned();
        let places = ignore_places(self.tree.as_ref()).chain(std::iter::repeat(Origin::whole(self.source)));
        entries.zip(places).collect()
    }

    /// Where the value at the end of a path stands; where there is none, the last key before it.
    fn value(&self, path: &[&str]) -> Origin {
        let value = self.tree.as_ref().and_then(|tree| tree.at(path));
        value.map_or_else(|| self.place(path), |value| value.origin)
    }

    /// Where the last key of a path stands; where there is none, the last one before it.
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

/// A stage could not do its job, and said so.
struct Stopped;

impl ExaminedEnvironment {
    fn take(
        &mut self,
        discovery: &Discovery,
        file: &AppFile,
        examination: &Examination<'_>,
        sources: &mut Sources,
        texts: &mut Texts,
    ) -> Result<(), Stopped> {
        let app = discovery.app();
        let loaded = load(discovery, &self.name, sources);
        let loaded = self.keep(&rules::app::LOAD, loaded)?;
        let mut notes = Vec::new();
        let attempt = render::attempt(loaded, &examination.context, sources, Some(texts), &mut notes);
        let rendered = attempt.rendered(&self.name);
        self.objects = attempt.objects;
        let backends = discovery.backends(&self.name);
        let known = backends.as_ref().ok().cloned().unwrap_or_default();
        let uses = resolve::uses_of(&self.objects, examination.default_provider, app.reading(), &known);
        self.secrets = uses.map(secret_use).collect();
        self.sealed_for = known.need_values().then(|| file.value(&["environments", &self.name, "cluster"]));
        self.values = Some(attempt.values.merged);
        self.written = attempt.values.written;
        self.unused = attempt.unused;
        self.remark(&rules::app::RENDER, &mut notes);
        let rendered = rendered.map_err(|failure| discovery.placed(failure));
        let rendered = self.keep(&rules::app::RENDER, rendered)?;
        let at = At::Origin(file.place(&["environments", &self.name]));
        let backends = backends.map_err(|failure| failure.placed(&at));
        let backends = self.keep(&rules::app::BACKEND, backends)?;
        let supply = Supply::Withhold { known: None, default_provider: examination.default_provider };
        let resolved = resolve(rendered, &supply, app.reading(), &backends, &mut notes);
        self.remark(&rules::app::PLACEHOLDER, &mut notes);
        let resolved = self.keep(&rules::app::PLACEHOLDER, resolved)?;
        let checksums = ChecksumKey::preview();
        let settings = SealSettings { backends: &backends, workloads: &app.workloads, today: None };
        let sealed = seal(resolved, &Sealing::Redacted, &settings, &checksums, &mut notes);
        self.remark(&rules::app::BACKEND, &mut notes);
        let sealed = self.keep(&rules::app::BACKEND, sealed)?;
        let settings = AnnotateSettings { waves: &app.waves, workloads: &app.workloads };
        self.keep(&rules::app::ANNOTATE, annotate::check(&settings, |path| At::Origin(file.place(path))))?;
        let annotated = annotate(sealed, &checksums, &settings, &mut notes);
        // This rule looks at apps itself, and knows how much each of its findings matters.
        notes.retain(|note| note.problem.rule != Some(SECRET_IS_HOOK));
        self.remark(&rules::app::ANNOTATE, &mut notes);
        self.emitted = Some(self.keep(&rules::app::ANNOTATE, annotated)?.objects().to_vec());
        Ok(())
    }

    fn keep<T>(&mut self, rule: &'static Rule, result: Result<T, Failure>) -> Result<T, Stopped> {
        result.map_err(|failure| {
            let listed = failure.problems().iter().cloned().chain(failure.rest());
            self.problems.extend(listed.map(|problem| StageProblem {
                rule,
                severity: Severity::Error,
                problem,
            }));
            Stopped
        })
    }

    fn remark(&mut self, rule: &'static Rule, notes: &mut Vec<Note>) {
        self.problems.extend(notes.drain(..).map(|note| StageProblem {
            rule,
            severity: match note.level {
                Level::Note => Severity::Note,
                Level::Warning => Severity::Warning,
            },
            problem: note.problem,
        }));
    }
}
