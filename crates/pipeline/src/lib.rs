//! The verbs, in the order in which they run. Read this first.
//!
//! ```text
//! discover → load → render → resolve → seal → annotate → emit
//!               Loaded  Rendered  Resolved  Sealed   Sealed     bytes
//! ```
//!
//! Each stage is a function from the type before it to its own; the private fields of [`Resolved`] and [`Sealed`]
//! make it impossible to print what has not been sealed. Only `resolve` does I/O beyond the app's own files.

pub mod annotate;
pub mod backends;
mod boundary;
mod discover;
mod emit;
mod load;
pub mod render;
pub mod resolve;
mod seal;
mod shape;

pub use annotate::{AnnotateSettings, annotate};
pub use boundary::Checkout;
pub use discover::{Discovery, discover, is_app};
pub use emit::{Format, emit};
pub use load::{Loaded, load};
pub use render::{RenderContext, Rendered, render};
pub use resolve::{Access, Audit, Outcome, Record, Resolved, Supply, resolve};
pub use seal::{SealSettings, Sealed, Sealing, seal};

use sealwave_core::diagnostic::{Failure, Note};
use sealwave_core::document::{ObjectId, Place, Sources};
use sealwave_core::time::Date;
use sealwave_secrets::Scope;
use sealwave_secrets::crypto::ChecksumKey;
use sealwave_secrets::placeholder::Reference;
use sealwave_secrets::policy::Destination;
use sealwave_secrets::settings::Backends;

/// All that one run needs besides the app's files.
pub struct Plan<'a> {
    /// What templates may know.
    pub context: RenderContext,
    /// Where values come from.
    pub supply: Supply<'a>,
    /// What each Secret becomes.
    pub backends: Backends,
    /// How Secrets become safe, where they are to be sealed.
    pub sealing: Sealing,
    /// The key of checksums.
    pub checksums: ChecksumKey,
    /// Today's date, for notes alone; `None` disables them.
    pub today: Option<Date>,
}

/// A stage that takes time, for the message at the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Checksums and waves.
    Annotate,
    /// Reading the app's files.
    Load,
    /// Templates, documents and patches.
    Render,
    /// Fetching secrets.
    Resolve,
    /// Sealing.
    Seal,
    /// Schemas and rules.
    Validate,
}

/// Runs one environment through all stages, and says which one it is in.
///
/// # Errors
/// All problems of the first stage that could not do its job, with their places.
pub fn run(
    discovery: &Discovery,
    environment: &str,
    plan: &Plan<'_>,
    notes: &mut Vec<Note>,
    progress: &dyn Fn(Stage),
) -> Result<Sealed, Failure> {
    let mut sources = Sources::default();
    let mut said = Vec::new();
    let result = stages(discovery, environment, plan, &mut sources, &mut said, progress);
    notes.extend(said.into_iter().map(|note| note.located(&sources)));
    result.map_err(|failure| failure.located(&sources))
}

/// One use of a secret in an environment: a placeholder in an item of a Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceUse {
    /// What it refers to; `path` is already the provider that it means.
    pub reference: Reference,
    /// The Secret.
    pub secret: ObjectId,
    /// Where in the cluster its values can be opened.
    pub scope: Scope,
    /// The item's key.
    pub item: String,
    /// Where the item's value stands.
    pub place: Place,
}

impl ReferenceUse {
    /// The destination that the policy is asked about, in a cluster.
    #[must_use]
    pub fn destination<'a>(&'a self, cluster: &'a str) -> Destination<'a> {
        Destination::new(cluster, &self.secret.namespace, self.scope)
    }
}

/// All uses of secrets in one environment, in the order of objects, items and placeholders. Nothing is fetched.
///
/// # Errors
/// All problems of the first stage that could not do its job, with their places.
pub fn references(
    discovery: &Discovery,
    environment: &str,
    context: &RenderContext,
    supply: &Supply<'_>,
    progress: &dyn Fn(Stage),
) -> Result<Vec<ReferenceUse>, Failure> {
    let mut sources = Sources::default();
    let mut collect = || {
        progress(Stage::Load);
        let loaded = load(discovery, environment, &mut sources)?;
        progress(Stage::Render);
        let rendered = render(loaded, context, &mut sources, &mut Vec::new())?;
        let backends = discovery.backends(environment)?;
        resolve::uses(rendered, supply, discovery.app().reading(), &backends)
    };
    let uses = collect();
    let uses = uses.map_err(|failure| failure.located(&sources))?;
    let place = |used: resolve::Use| ReferenceUse {
        reference: used.reference,
        secret: used.secret,
        scope: used.scope,
        item: used.item,
        place: sources.place(used.origin),
    };
    Ok(uses.into_iter().map(place).collect())
}

fn stages(
    discovery: &Discovery,
    environment: &str,
    plan: &Plan<'_>,
    sources: &mut Sources,
    notes: &mut Vec<Note>,
    progress: &dyn Fn(Stage),
) -> Result<Sealed, Failure> {
    let app = discovery.app();
    progress(Stage::Load);
    let loaded = load(discovery, environment, sources)?;
    progress(Stage::Render);
    let rendered = render(loaded, &plan.context, sources, notes)?;
    progress(Stage::Resolve);
    let resolved = resolve(rendered, &plan.supply, app.reading(), &plan.backends, notes)?;
    progress(Stage::Seal);
    let settings = SealSettings { backends: &plan.backends, workloads: &app.workloads, today: plan.today };
    let sealed = seal(resolved, &plan.sealing, &settings, &plan.checksums, notes)?;
    progress(Stage::Annotate);
    let settings = AnnotateSettings { waves: &app.waves, workloads: &app.workloads };
    annotate(sealed, &plan.checksums, &settings, notes)
}
