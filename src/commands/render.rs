//! `render`: prints the same objects for people, without any credentials.
//!
//! Fetches and seals nothing: each value is replaced by a note that says where it comes from.

use super::session::AppSession;
use super::{CommandOutput, manifest_format};
use crate::cli::RenderArgs;
use crate::config::VariableReader;
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem};
use sealwave_pipeline::{RunPlan, SealMode, Stage, ValueSource};
use sealwave_secrets::crypto::ChecksumKey;

/// A note for the reader of a preview.
#[derive(Debug, thiserror::Error)]
enum PreviewNote {
    #[error("this is a preview: secret values are redacted, and checksums are not those of the cluster")]
    Preview,
}

impl Explain for PreviewNote {}

pub(super) fn run(
    args: RenderArgs,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<CommandOutput, Failure> {
    let notes = vec![Note::info(Problem::new(&PreviewNote::Preview))];
    if args.app.reads_stdin() {
        watch.enter_stage(Stage::Input);
    }
    let (app, environment) = AppSession::open(&args.app, args.env, variables)?;
    let session = app.environment(&environment);
    let known = session.known_providers();
    let plan = RunPlan {
        context: session.context()?,
        source: ValueSource::Withhold {
            known: known.as_ref(),
            default_provider: session.default_provider()?,
        },
        backends: session.discovery.backends(session.name)?,
        sealing: SealMode::Redacted,
        checksums: ChecksumKey::preview(),
        today: None,
        toolbox: &session.toolbox,
    };
    session.run(&plan, manifest_format(args.output), notes, watch)
}
