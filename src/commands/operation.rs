//! The frame of commands that change files, clusters or accounts: they are refused in the sidecar, print their plan, ask for
//! consent, apply it, and tell a team about it.
//!
//! For people, the plan is printed before the first change, and each result as it comes. As JSON, one document has both, also
//! after an error.

use std::cell::{Cell, RefCell};
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::CommandOutput;
use crate::cli::{OperationArgs, ReportFormat};
use crate::config::{self, ArgoCdContext, VariableReader};
use crate::deadline::RunWatch;
use crate::ops::{OperationProgress, ask_for_consent, require_terminal};
use sealwave_core::bounded_file::read_regular_file;
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem, io_reason};
use sealwave_operations::notification::{NotificationHook, OperationEvent};
use sealwave_operations::plan::Plan;
use sealwave_operations::progress::{Progress as _, SharedProgress};
use sealwave_operations::report::{OperationOutcome, OperationReport, result_line};
use sealwave_operations::state::{Journal, OperationId, StateDirectory};
use serde::Serialize;
use serde::de::DeserializeOwned;

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
    #[error("plan cannot be printed, so nothing was changed: {0}")]
    NotPrinted(String),
}

impl Explain for OperationError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::InSidecar(_) => "run it at a workstation or in a CI job",
            Self::NoStateDirectory => "name one with `--state-dir`, or set `HOME`",
            Self::NotificationFile { .. } => "the file contains one line: the https address of the hook",
            Self::NotSent(_) => "the operation went on without it",
            Self::NotPrinted(_) => "let something read standard output, or send it to a file",
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
    /// The files of the journals that were opened.
    journals: RefCell<Vec<PathBuf>>,
    progress: OperationProgress,
    is_plan_printed: Cell<bool>,
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
        let (progress, watch) = (OperationProgress::new(watch), watch.clone());
        let (journals, is_plan_printed) = (RefCell::default(), Cell::new(false));
        Ok(Self { args, subject, hook, state, journals, progress, is_plan_printed, watch })
    }

    /// Reports whether the directory of journals exists.
    pub(super) fn has_state(&self) -> bool {
        self.state.as_deref().is_some_and(std::path::Path::exists)
    }

    /// Returns the output of `--dry-run`.
    pub(super) fn planned(&self, plan: Plan) -> CommandOutput {
        self.output(&OperationReport { plan, outcome: OperationOutcome::Planned, results: Vec::new() })
    }

    /// Opens a journal, which may have no state yet.
    ///
    /// # Errors
    /// The directory of journals is unknown or cannot be used, or another run has the journal open.
    pub(super) fn journal<T: Serialize + DeserializeOwned>(
        &self,
        id: OperationId,
    ) -> Result<Journal<T>, Failure> {
        let path = self.state.as_deref().ok_or_else(|| Problem::new(&OperationError::NoStateDirectory))?;
        let directory = StateDirectory::open(path).map_err(|error| Problem::new(&error))?;
        let journal = directory.journal(id).map_err(|error| Problem::new(&error))?;
        self.journals.borrow_mut().push(journal.path().to_owned());
        Ok(journal)
    }

    /// Returns the progress that the shell shows.
    pub(super) fn progress(&self) -> SharedProgress {
        Arc::new(self.progress.clone())
    }

    /// Reports something that was done.
    pub(super) fn tell(&self, result: &str) {
        self.progress.result(result);
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
            self.ask(plan)?;
        }
        Ok(Decision::Apply)
    }

    fn ask(&self, plan: &Plan) -> Result<(), Failure> {
        require_terminal().map_err(|error| Problem::new(&error))?;
        let is_seen = self.args.output == ReportFormat::Human && io::stdout().is_terminal();
        if is_seen {
            self.print(plan)?;
        }
        let text = (!is_seen).then(|| plan.human(false));
        Ok(ask_for_consent(text.as_deref()).map_err(|error| Problem::new(&error))?)
    }

    /// Prints the plan for people, unless that is done. Results follow as they come.
    fn print(&self, plan: &Plan) -> Result<(), Failure> {
        if self.args.output == ReportFormat::Json || self.is_plan_printed.replace(true) {
            return Ok(());
        }
        print_from_now(&self.progress, &plan.human(false))
    }

    /// Applies a plan, after it was printed: tells the hook about start and end, and returns the rest of the output. After an
    /// error, the output has what was done until then.
    ///
    /// # Errors
    /// The plan cannot be printed. Nothing was changed.
    pub(super) fn apply(
        &self,
        plan: Plan,
        work: impl FnOnce() -> Result<OperationOutcome, Failure>,
    ) -> Result<CommandOutput, Failure> {
        self.print(&plan)?;
        let end = OperationEnd { plan, progress: self.progress.clone(), format: self.args.output };
        let (unfinished, journals) = (end.clone(), self.journals.borrow().clone());
        self.watch.set_unfinished_output(move |failure| {
            unfinished.stdout(OperationOutcome::failed(failure, journals.iter().any(|path| path.exists())))
        });
        let mut notes = Vec::new();
        notes.extend(self.notify(OperationEvent::Started));
        let (outcome, failure) = match work() {
            Ok(outcome) => (outcome, None),
            Err(failure) => {
                let continues = self.journals.borrow().iter().any(|path| path.exists());
                (OperationOutcome::failed(&failure, continues), Some(failure))
            }
        };
        let summary = outcome.summary();
        let event = match (&failure, &outcome) {
            (Some(failure), _) => OperationEvent::Failed(failure),
            (None, OperationOutcome::Waiting { until }) => OperationEvent::Waiting(until),
            (None, _) => OperationEvent::Succeeded(&summary),
        };
        notes.extend(self.notify(event));
        let findings = matches!(outcome, OperationOutcome::Waiting { .. });
        Ok(CommandOutput { findings, notes, failure, ..CommandOutput::text(end.stdout(outcome)) })
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

/// The output at the end of an operation.
#[derive(Clone)]
struct OperationEnd {
    plan: Plan,
    progress: OperationProgress,
    format: ReportFormat,
}

impl OperationEnd {
    /// Returns the rest of standard output: for people, they have the plan and the results already.
    fn stdout(&self, outcome: OperationOutcome) -> Vec<u8> {
        match self.format {
            ReportFormat::Human => result_line(&outcome.summary()).into_bytes(),
            ReportFormat::Json => {
                OperationReport { plan: self.plan.clone(), outcome, results: self.progress.results() }.json()
            }
        }
    }
}

/// Prints a plan before anything is changed, and each result from now on.
///
/// # Errors
/// Standard output cannot be written. Nothing was changed.
pub(super) fn print_from_now(progress: &OperationProgress, plan: &str) -> Result<(), Failure> {
    progress.print_from_now(plan).map_err(|error| not_printed(&error))
}

/// Prints a text before anything is changed.
///
/// # Errors
/// Standard output cannot be written. Nothing was changed.
pub(super) fn write_now(watch: &RunWatch, text: &str) -> Result<(), Failure> {
    watch.write_now(text).map_err(|error| not_printed(&error))
}

fn not_printed(error: &io::Error) -> Failure {
    Problem::new(&OperationError::NotPrinted(io_reason(error.kind()))).into()
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
