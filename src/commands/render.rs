//! `render`: prints the same objects for people, without any credentials.
//!
//! Fetches and seals nothing: each value is replaced by a note that says where it comes from.

use super::session::AppSession;
use super::{CommandOutput, manifest_format};
use crate::cli::RenderArgs;
use crate::config::VariableReader;
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem};
use sealwave_pipeline::Stage;

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
    session.preview(manifest_format(args.output), notes, watch)
}
