//! The stages, in the order in which they run. Read this first.
//!
//! ```text
//! discover → load → render → resolve → seal → annotate → emit
//!               Loaded  Rendered  Resolved  Sealed   Sealed     bytes
//! ```
//!
//! Each stage turns the previous stage's type into its own. The private fields of [`ResolvedApp`] and [`SealedApp`] make it
//! impossible to print unsealed values. Only `resolve` does I/O beyond the app's own files.

pub mod annotate;
pub mod backends;
mod boundary;
mod discover;
mod emit;
mod load;
mod modifiers;
mod name_tree;
pub mod render;
pub mod resolve;
mod seal;

pub use annotate::{AnnotateSettings, annotate};
pub use boundary::Checkout;
pub use discover::{Discovery, discover, is_app};
pub use emit::{ManifestFormat, emit};
pub use load::{LoadedApp, load};
pub use render::{RenderContext, RenderedApp, render};
pub use resolve::{AccessPolicy, AuditRecord, AuditSink, FetchOutcome, ResolvedApp, ValueSource, resolve};
pub use seal::{SealMode, SealSettings, SealedApp, seal};

use sealwave_core::diagnostic::{Failure, Note};
use sealwave_core::document::{ObjectId, SourceLocation, Sources};
use sealwave_core::time::Date;
use sealwave_secrets::SealingScope;
use sealwave_secrets::crypto::ChecksumKey;
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::policy::Destination;
use sealwave_secrets::settings::EnvironmentBackends;

/// Everything that a run needs besides the app's files.
pub struct RunPlan<'a> {
    /// The context of templates.
    pub context: RenderContext,
    /// The source of values.
    pub source: ValueSource<'a>,
    /// The backend of each Secret.
    pub backends: EnvironmentBackends,
    /// How Secrets are sealed.
    pub sealing: SealMode,
    /// The checksum key.
    pub checksums: ChecksumKey,
    /// Today's date, for notes only; `None` disables them.
    pub today: Option<Date>,
}

/// A stage, reported by the message at the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Adding checksums and waves.
    Annotate,
    /// Reading the app's files.
    Load,
    /// Rendering templates, documents and patches.
    Render,
    /// Fetching secrets.
    Resolve,
    /// Sealing.
    Seal,
    /// Checking schemas and rules.
    Validate,
}

/// Runs one environment through all stages, and reports each stage to `progress`.
///
/// # Errors
/// All problems of the first failing stage, with their locations.
pub fn run(
    discovery: &Discovery,
    environment: &str,
    plan: &RunPlan<'_>,
    notes: &mut Vec<Note>,
    progress: &dyn Fn(Stage),
) -> Result<SealedApp, Failure> {
    let mut sources = Sources::default();
    let mut new_notes = Vec::new();
    let result = stages(discovery, environment, plan, &mut sources, &mut new_notes, progress);
    notes.extend(new_notes.into_iter().map(|note| note.located(&sources)));
    result.map_err(|failure| failure.located(&sources))
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
    environment: &str,
    context: &RenderContext,
    supply: &ValueSource<'_>,
    progress: &dyn Fn(Stage),
) -> Result<Vec<ReferenceUse>, Failure> {
    let mut sources = Sources::default();
    let mut collect = || {
        progress(Stage::Load);
        let loaded = load(discovery, environment, &mut sources)?;
        progress(Stage::Render);
        let rendered = render(loaded, context, &mut sources, &mut Vec::new())?;
        let backends = discovery.backends(environment)?;
        resolve::placeholder_uses(rendered, supply, discovery.app().placeholder_settings(), &backends)
    };
    let uses = collect();
    let uses = uses.map_err(|failure| failure.located(&sources))?;
    let with_place = |used: resolve::PlaceholderUse| ReferenceUse {
        reference: used.reference,
        secret: used.secret,
        scope: used.scope,
        item: used.item,
        place: sources.location(used.origin),
    };
    Ok(uses.into_iter().map(with_place).collect())
}

fn stages(
    discovery: &Discovery,
    environment: &str,
    plan: &RunPlan<'_>,
    sources: &mut Sources,
    notes: &mut Vec<Note>,
    progress: &dyn Fn(Stage),
) -> Result<SealedApp, Failure> {
    let app = discovery.app();
    progress(Stage::Load);
    let loaded = load(discovery, environment, sources)?;
    progress(Stage::Render);
    let rendered = render(loaded, &plan.context, sources, notes)?;
    progress(Stage::Resolve);
    let resolved = resolve(rendered, &plan.source, app.placeholder_settings(), &plan.backends, notes)?;
    progress(Stage::Seal);
    let settings = SealSettings { backends: &plan.backends, workloads: &app.workloads, today: plan.today };
    let sealed = seal(resolved, &plan.sealing, &settings, &plan.checksums, notes)?;
    progress(Stage::Annotate);
    let settings = AnnotateSettings { waves: &app.waves, workloads: &app.workloads };
    annotate(sealed, &plan.checksums, &settings, notes)
}
