//! The verbs, in the order in which they run. Read this first.
//!
//! ```text
//! discover → load → render → resolve → seal → annotate → emit
//!               Loaded  Rendered  Resolved  Sealed   Sealed     bytes
//! ```
//!
//! Each stage is a function from the type before it to its own; the private fields of [`Resolved`] and [`Sealed`]
//! make it impossible to print what has not been sealed. Only `resolve` does I/O beyond the app's own files.

mod annotate;
mod closest;
mod discover;
mod emit;
mod load;
mod render;
mod resolve;
mod seal;

pub use annotate::{AnnotateSettings, annotate};
pub use discover::{Discovery, discover, is_app};
pub use emit::{Format, emit};
pub use load::{Loaded, load};
pub use render::{RenderContext, Rendered, render};
pub use resolve::{Access, Resolved, Supply, resolve};
pub use seal::{SealSettings, Sealed, Sealing, seal};

use crate::crypto::ChecksumKey;
use crate::diagnostic::{Failure, Note};
use crate::model::{Backends, Sources};

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
    let resolved = resolve(rendered, &plan.supply, &plan.backends, notes)?;
    progress(Stage::Seal);
    let settings = SealSettings { backends: &plan.backends, workloads: &app.workloads };
    let sealed = seal(resolved, &plan.sealing, &settings, &plan.checksums, notes)?;
    progress(Stage::Annotate);
    let settings = AnnotateSettings { waves: &app.waves, workloads: &app.workloads };
    annotate(sealed, &plan.checksums, &settings, notes)
}
