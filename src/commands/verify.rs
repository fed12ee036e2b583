//! `verify`: compares a cluster with what an environment renders.

use std::path::Path;
use std::time::Duration;

use super::operation::refuse_in_sidecar;
use super::session::AppSession;
use super::{CommandOutput, cluster_access, generate};
use crate::cli::{GenerateArgs, OutputFormat, ReportFormat, VerifyArgs};
use crate::config::VariableReader;
use crate::deadline::RunWatch;
use crate::ops::OperationProgress;
use sealwave_core::bounded_file::{BoundedReadError, read_regular_file, read_stream};
use sealwave_core::diagnostic::{Explain, Failure, NOT_REGULAR_FILE, Note, Problem, io_reason};
use sealwave_operations::verify::{
    ApplicationName, ExpectedState, RenderedFrom, VerificationReport, VerifyOptions, verify,
};
use sealwave_pipeline::ManifestFormat;

/// The time for requests, besides that for waiting.
const REQUESTS: Duration = Duration::from_mins(2);

/// The largest file of rendered manifests.
const MAX_RENDERED: u64 = 256 << 20;

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` cannot be read: {reason}")]
struct RenderedFileError {
    path: String,
    reason: String,
}

impl Explain for RenderedFileError {}

pub(super) fn run(
    args: VerifyArgs,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<CommandOutput, Failure> {
    refuse_in_sidecar("verify", variables)?;
    let output = args.output;
    let (report, notes) = verify_app(args, variables, watch)?;
    let stdout = match output {
        ReportFormat::Human => report.human().into_bytes(),
        ReportFormat::Json => report.json(),
    };
    Ok(CommandOutput { findings: !report.is_right(), notes, ..CommandOutput::text(stdout) })
}

/// Compares a cluster with what an app renders.
///
/// # Errors
/// The app cannot be rendered, or the cluster cannot be asked.
pub(super) fn verify_app(
    args: VerifyArgs,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<(VerificationReport, Vec<Note>), Failure> {
    let access = cluster_access(&args.cluster, variables);
    let wait = args.wait.unwrap_or_default();
    let options = VerifyOptions {
        application: args.application.clone().map(|name| ApplicationName {
            namespace: args.argocd_namespace.clone(),
            name,
            revision: args.revision.clone(),
        }),
        namespace: args.app.identity.namespace.clone(),
        wait,
    };
    let (expected, notes) = expected(args, variables, watch)?;
    // Rendering had its own limit.
    let (elapsed, _) = watch.state();
    watch.set_time_limit(elapsed.saturating_add(REQUESTS).saturating_add(wait));
    let client = access.connect(watch.deadline()).map_err(|error| Problem::new(&error))?;
    let report = verify(&client, &expected, &options, &OperationProgress::new(watch))
        .map_err(|error| Problem::new(&error))?;
    Ok((report, notes))
}

/// Returns the objects that should be in the cluster: those of a file, or of the app, which is rendered as for Argo CD if there is
/// an operator file.
fn expected(
    args: VerifyArgs,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<(ExpectedState, Vec<Note>), Failure> {
    if let Some(path) = &args.rendered {
        let bytes = read_rendered(path).map_err(|error| Problem::new(&error))?;
        let name = path.display().to_string();
        return Ok((ExpectedState::read(&name, &bytes, RenderedFrom::Generated)?, Vec::new()));
    }
    let (session, environment) = AppSession::open(&args.app, args.env.clone(), variables)?;
    let (output, rendered) = if session.operator.is_some() {
        let env = Some(environment);
        let generate = GenerateArgs {
            env,
            output: Some(OutputFormat::Json),
            validate: false,
            no_policy: args.no_policy,
            app: args.app,
        };
        (generate::run(generate, variables, watch)?, RenderedFrom::Generated)
    } else {
        let preview = session.environment(&environment).preview(ManifestFormat::Json, Vec::new(), watch)?;
        (preview, RenderedFrom::Preview)
    };
    Ok((ExpectedState::read("rendered manifests", &output.stdout, rendered)?, output.notes))
}

fn read_rendered(path: &Path) -> Result<Vec<u8>, RenderedFileError> {
    let failed = |reason: String| RenderedFileError { path: path.display().to_string(), reason };
    let read = if path == Path::new("-") {
        read_stream(std::io::stdin(), MAX_RENDERED)
    } else {
        read_regular_file(path, MAX_RENDERED)
    };
    let bytes = read.map_err(|error| match error {
        BoundedReadError::Io(error) => failed(io_reason(error.kind())),
        BoundedReadError::NotRegular => failed(NOT_REGULAR_FILE.to_owned()),
        BoundedReadError::TooLarge => failed(format!("it is larger than {} MiB", MAX_RENDERED >> 20)),
    })?;
    Ok(bytes.to_vec())
}
