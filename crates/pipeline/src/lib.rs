//! The stages that turn an app in Git into manifests. Read `stages` first: it runs them in order.
//!
//! ```text
//! discover → load → sources → render → resolve → seal → annotate → emit
//!    LoadedApp  CompleteApp  RenderedApp  ResolvedApp  SealedApp  SealedApp   bytes
//! ```
//!
//! Each stage turns the previous stage's type into its own. Values of secrets stay in one module, `secret_stages`, whose
//! types no other module can read, so that they cannot be printed. Only `sources`, which runs Helm and
//! Kustomize, and `resolve` do I/O beyond reading the app's own files.

mod annotate;
mod backends;
mod boundary;
mod committed;
mod defined_values;
mod discover;
mod emit;
mod external_sources;
mod load;
mod modifiers;
mod name_tree;
mod pipe_settings;
mod piped;
pub mod render;
mod repetition;
mod required_version;
mod secret_stages;
mod stages;
mod template_text;
mod text_content;

pub use boundary::Checkout;
pub use committed::{CommitPlan, has_placeholders, seal_for_commit};
pub use discover::{
    AppConvention, ArgoCdTool, Discovery, discover, environment_names, is_app, meant_directory,
    misnamed_app_file,
};
pub use emit::{ManifestFormat, emit};
pub use external_sources::{RenderPurpose, render_sources};
pub use load::{CompleteApp, LoadedApp, NamedFiles, load};
pub use pipe_settings::discover_for_pipe;
pub use piped::PipedManifests;
pub use render::{ClusterCapabilities, RenderContext, RenderedApp, render};
pub use secret_stages::{
    AccessPolicy, AuditRecord, AuditSink, FetchOutcome, ItemExpiry, PlaceholderUse, RandomSealing, SealMode,
    SealedApp, ValueSource,
};
pub use stages::{
    CollectedRender, CollectedStages, ReferenceUse, RunPlan, Stage, StageFailure, StageInput, StageNote,
    collect, references, run,
};
