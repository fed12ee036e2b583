//! The order of the stages, which is written here only.
//!
//! ```text
//! load → sources → render → backends ─┬→ resolve → seal → annotate    [`run`], [`collect`]
//!                                     └→ references                   [`references`]
//! ```
//!
//! The first failing stage ends a run, since later stages need its result. [`run`] and [`references`] return only its
//! problems. [`collect`] also keeps what the earlier stages produced, and whatever could be rendered.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::annotate::{AnnotateSettings, annotate};
use crate::discover::Discovery;
use crate::external_sources::{RenderPurpose, render_sources};
use crate::load::{CompleteApp, load};
use crate::render::{RenderAttempt, RenderContext, RenderedApp, render, try_render};
use crate::repetition::Repetition;
use crate::secret_stages::{
    PlaceholderUse, SealMode, SealSettings, SealedApp, ValueSource, placeholder_uses, placeholder_uses_in,
    resolve, seal,
};
use sealwave_core::diagnostic::{Failure, Note, Problem, ProblemPlace};
use sealwave_core::document::{ObjectId, SourceLocation, SourceTexts, Sources};
use sealwave_core::time::Date;
use sealwave_kube::catalog::ObjectIndex;
use sealwave_programs::Toolbox;
use sealwave_secrets::SealingScope;
use sealwave_secrets::crypto::ChecksumKey;
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::policy::Destination;
use sealwave_secrets::settings::{EnvironmentBackends, KeptChecksum};

/// Everything that a run needs besides the app's files.
pub struct RunPlan<'a> {
    /// The context of templates, with the name of the environment.
    pub context: RenderContext,
    /// The source of values.
    pub source: ValueSource<'a>,
    /// The backend of each Secret.
    pub backends: EnvironmentBackends,
    /// The checksums that workloads keep; `None` for those in the app file.
    pub kept_checksums: Option<BTreeMap<String, KeptChecksum>>,
    /// The way in which Secrets are sealed.
    pub sealing: SealMode,
    /// The checksum key.
    pub checksums: ChecksumKey,
    /// Today's date, for notes only; `None` disables them.
    pub today: Option<Date>,
    /// The programs that render sources.
    pub toolbox: &'a Toolbox,
}

/// A stage, reported by the message at the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Adding checksums and waves.
    Annotate,
    /// Reading manifests from standard input.
    Input,
    /// Reading the app's files.
    Load,
    /// Rendering templates, documents and patches.
    Render,
    /// Fetching secrets.
    Resolve,
    /// Sealing secrets.
    Seal,
    /// Running the programs that render sources.
    Sources,
    /// Checking schemas and rules.
    Validate,
}

/// Runs one environment through all stages, and reports each stage to `progress`.
///
/// # Errors
/// All problems of the first failing stage, with their locations.
pub fn run(
    discovery: &Discovery,
    plan: &RunPlan<'_>,
    notes: &mut Vec<Note>,
    progress: &dyn Fn(Stage),
) -> Result<SealedApp, Failure> {
    let RunPlan { context, source, backends, kept_checksums, sealing, checksums, today, toolbox } = plan;
    let mut sources = Sources::default();
    let input = StageInput { discovery, context, toolbox, compares: false };
    let mut stages = Stages::new(input, source, &mut sources, progress);
    stages.backends = Some(backends);
    stages.kept_checksums = kept_checksums.as_ref();
    let result = stages.run(&SealPlan { sealing, checksums, today: *today });
    let new_notes = stages.notes;
    notes.extend(new_notes.into_iter().map(|StageNote { note, .. }| note.located(&sources)));
    result.map_err(|StageFailure { failure, .. }| failure.located(&sources))
}

/// A use of a secret in an environment: a placeholder in an item of a Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceUse {
    /// The reference; `path` is already replaced by the provider that it stands for.
    pub reference: SecretReference,
    /// The Secret.
    pub secret: ObjectId,
    /// The sealing scope.
    pub scope: SealingScope,
    /// The item's key.
    pub item: String,
    /// The location of the item's value.
    pub place: SourceLocation,
}

impl ReferenceUse {
    /// Returns the destination in `cluster` that the policy checks.
    #[must_use]
    pub fn destination<'a>(&'a self, cluster: &'a str) -> Destination<'a> {
        Destination::new(cluster, &self.secret.namespace, self.scope)
    }
}

/// Returns all uses of secrets in one environment, in the order of objects, items and placeholders. Fetches nothing.
///
/// # Errors
/// All problems of the first failing stage, with their locations.
pub fn references(
    discovery: &Discovery,
    context: &RenderContext,
    toolbox: &Toolbox,
    source: &ValueSource<'_>,
    progress: &dyn Fn(Stage),
) -> Result<Vec<ReferenceUse>, Failure> {
    let mut sources = Sources::default();
    let input = StageInput { discovery, context, toolbox, compares: false };
    let uses = Stages::new(input, source, &mut sources, progress).references();
    let uses = uses.map_err(|StageFailure { failure, .. }| failure.located(&sources))?;
    let with_place = |used: PlaceholderUse| ReferenceUse {
        reference: used.reference,
        secret: used.secret,
        scope: used.scope,
        item: used.item,
        place: sources.location(used.origin),
    };
    Ok(uses.into_iter().map(with_place).collect())
}

/// The output of the stages for one environment.
pub struct CollectedStages {
    /// The rendered part; `None` if the app's files could not be loaded.
    pub rendered: Option<CollectedRender>,
    /// The notes of all stages, in order.
    pub notes: Vec<StageNote>,
    /// The differences between two renders of the sources, if they were compared.
    pub unstable: Vec<Problem>,
    /// The objects for Argo CD, or the problems of the first failing stage.
    pub result: Result<SealedApp, StageFailure>,
}

/// The output of rendering, even if it failed.
pub struct CollectedRender {
    /// The objects and values.
    pub attempt: RenderAttempt,
    /// The references in the objects' Secrets, each with the index of its object.
    pub uses: Vec<(ObjectIndex, PlaceholderUse)>,
    /// Whether a backend of the environment needs values; `false` if the backends are not valid.
    pub needs_values: bool,
}

/// A note of a stage.
pub struct StageNote {
    /// The stage.
    pub stage: Stage,
    /// The note.
    pub note: Note,
}

/// The problems of the first failing stage.
pub struct StageFailure {
    /// The stage.
    pub stage: Stage,
    /// The problems.
    pub failure: Failure,
}

/// Runs one environment as a preview, and keeps what each stage produced. Fetches and seals nothing.
///
/// Positions refer to `sources`, and the texts of the app's files are added to `texts`. `setting_place` returns the
/// location of a setting in the app file, for problems of settings.
pub fn collect(
    input: StageInput<'_>,
    default_provider: Option<&str>,
    sources: &mut Sources,
    texts: &mut SourceTexts,
    setting_place: &dyn Fn(&[&str]) -> ProblemPlace,
) -> CollectedStages {
    let source = ValueSource::Withhold { known: None, default_provider };
    let mut stages = Stages::new(input, &source, sources, &|_| {});
    stages.setting_place = setting_place;
    let compares = input.compares && input.discovery.has_external_sources();
    stages.collection =
        Some(Collection { texts, default_provider, rendered: None, compares, unstable: Vec::new() });
    let checksums = ChecksumKey::preview();
    let result = stages.run(&SealPlan { sealing: &SealMode::Redacted, checksums: &checksums, today: None });
    let Stages { notes, collection, .. } = stages;
    let (rendered, unstable) =
        collection.map(|collection| (collection.rendered, collection.unstable)).unwrap_or_default();
    CollectedStages { rendered, notes, unstable, result }
}

/// An environment of an app, and the programs that render its sources.
#[derive(Clone, Copy)]
pub struct StageInput<'a> {
    /// The app.
    pub discovery: &'a Discovery,
    /// The context of templates, with the name of the environment.
    pub context: &'a RenderContext,
    /// The programs.
    pub toolbox: &'a Toolbox,
    /// Whether [`collect`] renders the sources of other tools twice, and compares the objects.
    pub compares: bool,
}

/// The stages of one environment.
struct Stages<'a> {
    discovery: &'a Discovery,
    context: &'a RenderContext,
    toolbox: &'a Toolbox,
    source: &'a ValueSource<'a>,
    sources: &'a mut Sources,
    progress: &'a dyn Fn(Stage),
    setting_place: &'a dyn Fn(&[&str]) -> ProblemPlace,
    /// The backend of each Secret if it is already decided; otherwise it is decided after rendering.
    backends: Option<&'a EnvironmentBackends>,
    /// The checksums that workloads keep, instead of those in the app file.
    kept_checksums: Option<&'a BTreeMap<String, KeptChecksum>>,
    /// The parts of a failing run that are kept; `None` if only its problems are wanted.
    collection: Option<Collection<'a>>,
    notes: Vec<StageNote>,
}

struct Collection<'a> {
    texts: &'a mut SourceTexts,
    default_provider: Option<&'a str>,
    rendered: Option<CollectedRender>,
    /// Whether sources of other tools are rendered twice.
    compares: bool,
    unstable: Vec<Problem>,
}

/// The settings of `seal` and `annotate`.
struct SealPlan<'a> {
    sealing: &'a SealMode,
    checksums: &'a ChecksumKey,
    today: Option<Date>,
}

impl<'a> Stages<'a> {
    fn new(
        input: StageInput<'a>,
        source: &'a ValueSource<'a>,
        sources: &'a mut Sources,
        progress: &'a dyn Fn(Stage),
    ) -> Self {
        let StageInput { discovery, context, toolbox, .. } = input;
        Self {
            discovery,
            context,
            toolbox,
            source,
            sources,
            progress,
            setting_place: &|_| ProblemPlace::Unknown,
            backends: None,
            kept_checksums: None,
            collection: None,
            notes: Vec::new(),
        }
    }

    /// Runs all stages.
    fn run(&mut self, plan: &SealPlan<'_>) -> Result<SealedApp, StageFailure> {
        let (rendered, backends) = self.run_until_backends()?;
        let app = self.discovery.app();
        let (source, setting_place) = (self.source, self.setting_place);
        let environment = app.environments.get(&self.context.environment);
        let kept_checksums = self.kept_checksums.or(environment.map(|settings| &settings.kept_checksums));
        let none = BTreeMap::new();
        let resolved = self.enter(Stage::Resolve, |_, notes| {
            resolve(rendered, source, app.placeholder_settings(), &backends, notes)
        })?;
        let sealed = self.enter(Stage::Seal, |_, notes| {
            let settings = SealSettings { backends: &backends, workloads: &app.workloads, today: plan.today };
            seal(resolved, plan.sealing, &settings, plan.checksums, notes)
        })?;
        self.enter(Stage::Annotate, |_, notes| {
            let settings = AnnotateSettings {
                waves: &app.waves,
                workloads: &app.workloads,
                kept_checksums: kept_checksums.unwrap_or(&none),
                setting_place,
            };
            annotate(sealed, plan.checksums, &settings, notes)
        })
    }

    /// Runs the stages up to the references, without fetching any.
    fn references(&mut self) -> Result<Vec<PlaceholderUse>, StageFailure> {
        let (rendered, backends) = self.run_until_backends()?;
        placeholder_uses(rendered, self.source, self.discovery.app().placeholder_settings(), &backends)
            .map_err(|failure| StageFailure { stage: Stage::Resolve, failure })
    }

    fn run_until_backends(&mut self) -> Result<(RenderedApp, Cow<'a, EnvironmentBackends>), StageFailure> {
        let loaded = self.enter(Stage::Load, |stages, _| {
            load(stages.discovery, &stages.context.environment, stages.sources)
        })?;
        let complete = self.enter(Stage::Sources, |stages, notes| {
            let Self { context, toolbox, sources, collection, .. } = stages;
            let purpose = if collection.is_some() { RenderPurpose::Check } else { RenderPurpose::Output };
            render_sources(loaded, context, toolbox, purpose, sources, notes)
        })?;
        let repetition = self.repetition(&complete);
        let rendered = self.enter(Stage::Render, |stages, notes| stages.render(complete, notes));
        self.compare(repetition);
        let rendered = rendered?;
        let backends = match self.backends {
            Some(backends) => Cow::Borrowed(backends),
            None => Cow::Owned(self.decide_backends()?),
        };
        Ok((rendered, backends))
    }

    /// Renders the sources of other tools once more, if they are to be compared. Returns what differs, if anything.
    fn repetition(&mut self, complete: &CompleteApp<'a>) -> Option<Repetition<'a>> {
        self.collection.as_ref().filter(|collection| collection.compares)?;
        (self.progress)(Stage::Sources);
        Repetition::run(complete, self.context, self.toolbox)
    }

    /// Compares the objects of both runs, after all patches: these may replace what a chart generates.
    fn compare(&mut self, repetition: Option<Repetition<'_>>) {
        let (Some(repetition), Some(collection)) = (repetition, &mut self.collection) else { return };
        let Some(CollectedRender { attempt, .. }) = &collection.rendered else { return };
        collection.unstable = repetition.differences(&attempt.objects, self.context, self.sources);
    }

    fn render(&mut self, complete: CompleteApp<'_>, notes: &mut Vec<Note>) -> Result<RenderedApp, Failure> {
        let Self { discovery, context, sources, collection, .. } = self;
        let Some(Collection { texts, default_provider, rendered: kept, .. }) = collection else {
            return render(complete, context, sources, notes);
        };
        let attempt = try_render(complete, context, sources, Some(texts), notes);
        let rendered = attempt.to_rendered(&context.environment);
        let backends = discovery.backends(&context.environment).unwrap_or_default();
        let reading = discovery.app().placeholder_settings();
        let uses = placeholder_uses_in(&attempt.objects, *default_provider, reading, &backends).collect();
        *kept = Some(CollectedRender { attempt, uses, needs_values: backends.needs_values() });
        rendered.map_err(|failure| discovery.at_app_file(failure))
    }

    fn decide_backends(&self) -> Result<EnvironmentBackends, StageFailure> {
        let environment = &self.context.environment;
        let backends = self.discovery.backends(environment);
        backends.map_err(|failure| {
            let failure = match (self.setting_place)(&["environments", environment]) {
                ProblemPlace::Unknown => failure,
                place => failure.with_place(&place),
            };
            StageFailure { stage: Stage::Seal, failure }
        })
    }

    /// Runs one stage and keeps its notes.
    fn enter<T>(
        &mut self,
        stage: Stage,
        work: impl FnOnce(&mut Self, &mut Vec<Note>) -> Result<T, Failure>,
    ) -> Result<T, StageFailure> {
        (self.progress)(stage);
        let mut notes = Vec::new();
        let result = work(self, &mut notes);
        self.notes.extend(notes.into_iter().map(|note| StageNote { stage, note }));
        result.map_err(|failure| StageFailure { stage, failure })
    }
}
