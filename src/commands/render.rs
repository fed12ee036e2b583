//! `render`: prints the same objects for people, without any credentials.
//!
//! Fetches and seals nothing: each value is replaced by a note that says where it comes from.

use super::Outcome;
use super::session::Session;
use crate::cli::{OutputFormat, RenderArgs};
use crate::config::Variables;
use crate::deadline::Watch;
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem};
use sealwave_pipeline::{Format, Plan, Sealing, Supply};
use sealwave_secrets::crypto::ChecksumKey;

/// A note for the reader of a preview.
#[derive(Debug, thiserror::Error)]
enum PreviewNote {
    #[error("this is a preview: secret values are redacted, and checksums are not those of the cluster")]
    Preview,
}

impl Explain for PreviewNote {}

pub(super) fn run(args: RenderArgs, variables: Variables, watch: &Watch) -> Result<Outcome, Failure> {
    let notes = vec![Note::remark(Problem::new(&PreviewNote::Preview))];
    let session = Session::open(&args.app, args.env, variables)?;
    let known = session.known_providers();
    let plan = Plan {
        context: session.context()?,
        supply: Supply::Withhold { known: known.as_ref(), default_provider: session.default_provider()? },
        backends: session.discovery.backends(&session.environment)?,
        sealing: Sealing::Redacted,
        checksums: ChecksumKey::preview(),
        today: None,
    };
    let format = match args.output {
        OutputFormat::Json => Format::Json,
        OutputFormat::Yaml => Format::Yaml,
    };
    session.run(&plan, format, notes, watch)
}
