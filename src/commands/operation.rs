//! The frame of commands that change files, clusters or accounts: they are refused in the sidecar, print their plan, ask for
//! consent, and tell a team about it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::CommandOutput;
use crate::cli::{OperationArgs, ReportFormat};
use crate::config::{self, ArgoCdContext, VariableReader};
use crate::deadline::RunWatch;
use crate::ops::{OperationProgress, ask_for_consent};
use sealwave_core::bounded_file::read_regular_file;
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem, io_reason};
use sealwave_operations::notification::{NotificationHook, OperationEvent};
use sealwave_operations::plan::Plan;
use sealwave_operations::progress::SharedProgress;
use sealwave_operations::report::{OperationOutcome, OperationReport};
use sealwave_operations::state::StateDirectory;

/// The time that an operation may take. Waiting for days is the work of several runs.
pub(super) const TIME_LIMIT: Duration = Duration::from_hours(6);

/// The largest file with an address.
const MAX_ADDRESS: u64 = 4096;

#[derive(Debug, thiserror::Error)]
enum OperationError {
    #[error("`{0}` must not be used when Argo CD runs sealwave")]
    InSidecar(&'static str),
    #[error("no directory for journals is known")]
    NoStateDirectory,
    #[error("file `{path}` of `--notify-url-file` cannot be used: {reason}")]
    NotificationFile { path: String, reason: String },
    #[error("notification was not sent: {0}")]
    NotSent(String),
}

impl Explain for OperationError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::InSidecar(_) => "run it at a workstation or in a CI job",
            Self::NoStateDirectory => "name one with `--state-dir`, or set `HOME`",
            Self::NotificationFile { .. } => "the file contains one line: the https address of the hook",
            Self::NotSent(_) => "the operation went on without it",
        };
        Some(hint.to_owned())
    }
}

/// A run of a command that changes something.
pub(super) struct Operation<'a> {
    args: &'a OperationArgs,
    /// The command and its names, such as `rotate aws (user airflow)`.
    subject: String,
    hook: Option<NotificationHook>,
    state: Option<PathBuf>,
    watch: RunWatch,
}

/// The decision after the plan was shown.
pub(super) enum Decision {
    /// Apply it.
    Apply,
    /// Print this and end.
    Stop(CommandOutput),
}

impl<'a> Operation<'a> {
    /// Begins a run. `command` is for messages, `subject` also names what it is about.
    ///
    /// # Errors
    /// Argo CD runs sealwave, or the hook's address cannot be used.
    pub(super) fn begin(
        command: &'static str,
        subject: String,
        args: &'a OperationArgs,
        variables: VariableReader,
        watch: &RunWatch,
    ) -> Result<Self, Failure> {
        refuse_in_sidecar(command, variables)?;
        watch.set_time_limit(TIME_LIMIT);
        let hook = args.notify_url_file.as_deref().map(read_hook).transpose()?;
        let state = config::state_directory(args.state_dir.as_deref(), variables);
        Ok(Self { args, subject, hook, state, watch: watch.clone() })
    }

    /// Reports whether the directory of journals exists.
    pub(super) fn has_state(&self) -> bool {
        self.state.as_deref().is_some_and(std::path::Path::exists)
    }

    /// Returns the output of `--dry-run`.
    pub(super) fn planned(&self, plan: Plan) -> CommandOutput {
        self.output(&OperationReport { plan, outcome: OperationOutcome::Planned, results: Vec::new() })
    }

    /// Opens the directory of journals.
    ///
    /// # Errors
    /// The directory is unknown, or cannot be used.
    pub(super) fn state(&self) -> Result<StateDirectory, Failure> {
        let path = self.state.as_deref().ok_or_else(|| Problem::new(&OperationError::NoStateDirectory))?;
        Ok(StateDirectory::open(path).map_err(|error| Problem::new(&error))?)
    }

    /// Returns the progress that the shell shows.
    pub(super) fn progress(&self) -> SharedProgress {
        Arc::new(OperationProgress::new(&self.watch))
    }

    /// Decides what to do with a plan: with `--dry-run` or nothing to do, it is printed only; without `--yes`, the person at the
    /// terminal is asked.
    ///
    /// # Errors
    /// The person does not agree, or cannot be asked.
    pub(super) fn decide(&self, plan: &Plan) -> Result<Decision, Failure> {
        let stop = |outcome| {
            let report = OperationReport { plan: plan.clone(), outcome, results: Vec::new() };
            Ok(Decision::Stop(self.output(&report)))
        };
        if plan.is_empty() {
            return stop(OperationOutcome::NothingToDo);
        }
        if self.args.dry_run {
            return stop(OperationOutcome::Planned);
        }
        if !self.args.yes {
            ask_for_consent(&plan.human(false)).map_err(|error| Problem::new(&error))?;
        }
        Ok(Decision::Apply)
    }

    /// Applies a plan, tells the hook about start and end, and returns the output.
    ///
    /// # Errors
    /// The errors of `work`.
    pub(super) fn apply(
        &self,
        work: impl FnOnce() -> Result<OperationReport, Failure>,
    ) -> Result<CommandOutput, Failure> {
        let mut notes = Vec::new();
        notes.extend(self.notify(OperationEvent::Started));
        match work() {
            Ok(report) => {
                let summary = report.summary();
                notes.extend(self.notify(match &report.outcome {
                    OperationOutcome::Waiting { until } => OperationEvent::Waiting(until),
                    _ => OperationEvent::Succeeded(&summary),
                }));
                Ok(CommandOutput { notes, ..self.output(&report) })
            }
            Err(failure) => {
                // The error is reported; that it could not be told as well is minor.
                let _ = self.notify(OperationEvent::Failed(&failure));
                Err(failure)
            }
        }
    }

    /// Returns the output of a report. An operation that has to be continued is a finding.
    pub(super) fn output(&self, report: &OperationReport) -> CommandOutput {
        let stdout = match self.args.output {
            ReportFormat::Human => report.human().into_bytes(),
            ReportFormat::Json => report.json(),
        };
        CommandOutput { findings: report.is_waiting(), ..CommandOutput::text(stdout) }
    }

    fn notify(&self, event: OperationEvent<'_>) -> Option<Note> {
        let error = self.hook.as_ref()?.send(&self.subject, event).err()?;
        Some(Note::warning(Problem::new(&OperationError::NotSent(error.to_string()))))
    }
}

/// Refuses a command that only people and CI jobs may run.
///
/// # Errors
/// Argo CD runs sealwave.
pub(super) fn refuse_in_sidecar(command: &'static str, variables: VariableReader) -> Result<(), Failure> {
    match ArgoCdContext::read(&variables).map_err(|error| Problem::new(&error))? {
        Some(_) => Err(Problem::new(&OperationError::InSidecar(command)).into()),
        None => Ok(()),
    }
}

fn read_hook(path: &Path) -> Result<NotificationHook, Failure> {
    let failed = |reason: String| {
        Failure::from(Problem::new(&OperationError::NotificationFile {
            path: path.display().to_string(),
            reason,
        }))
    };
    let bytes = read_regular_file(path, MAX_ADDRESS).map_err(|error| failed(io_reason(error.kind())))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| failed("it is not text".to_owned()))?;
    NotificationHook::new(text).map_err(failed)
}
