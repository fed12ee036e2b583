//! The shell around a command: one deadline, no panic payloads on standard error, output only on success.

mod messages;

use std::io::{self, IsTerminal as _, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::commands::{CommandOutput, Plaintext};
use crate::deadline::{RunProgress, RunWatch};
use sealwave_core::caught;
use sealwave_core::diagnostic::{
    BUG_HINT, Explain, Failure, PROCESS_LIMITS_HINT, Problem, ProblemPlace, is_deceptive, printable, truncate,
};
use sealwave_pipeline::Stage;

pub use messages::MessagePrinter;

/// The stack size: deeply nested documents are read recursively, within limits that fit this stack.
const STACK_BYTES: usize = 16 << 20;

/// The interval at which the shell checks the deadline.
const CHECK_INTERVAL: Duration = Duration::from_millis(200);

/// The interval while a run writes its results.
const WRITE_CHECK_INTERVAL: Duration = Duration::from_millis(1);

#[derive(Debug, thiserror::Error)]
enum ShellError {
    #[error("the deadline of {} seconds passed while {}", .allowed.as_secs(), describe_stage(*.stage))]
    Deadline { allowed: Duration, stage: Option<Stage> },
    #[error("internal error: the run ended without a result")]
    Panicked,
    #[error("a thread cannot be started ({0})")]
    Thread(io::ErrorKind),
}

impl Explain for ShellError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Deadline { .. } => Some(
                "set `deadlineSeconds` in the operator file; Argo CD itself waits 60 seconds by default"
                    .to_owned(),
            ),
            Self::Panicked => Some(format!("{BUG_HINT} with the location above")),
            Self::Thread(_) => Some(PROCESS_LIMITS_HINT.to_owned()),
        }
    }
}

const fn describe_stage(stage: Option<Stage>) -> &'static str {
    match stage {
        None => "starting",
        Some(Stage::Input) => "reading standard input",
        Some(Stage::Annotate) => "computing waves and checksums",
        Some(Stage::Load) => "reading the app's files",
        Some(Stage::Render) => "rendering",
        Some(Stage::Resolve) => "fetching secrets",
        Some(Stage::Seal) => "sealing",
        Some(Stage::Sources) => "running the programs that render sources",
        Some(Stage::Validate) => "validating",
    }
}

/// A message of a run to the shell.
enum RunMessage {
    /// A text for standard output, and where to report that it is written.
    Output(String, mpsc::Sender<io::Result<()>>),
    /// The result.
    End(Box<Result<CommandOutput, Failure>>),
    /// It ended without a result.
    Panicked,
}

/// Reports a panic of the run, however its thread ends.
struct PanicGuard(mpsc::Sender<RunMessage>);

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self.0.send(RunMessage::Panicked);
        }
    }
}

/// Returns a function that has the shell write a text, and waits until it is written.
fn writer(sender: mpsc::Sender<RunMessage>) -> impl Fn(&str) -> io::Result<()> + Send + Sync + 'static {
    move |text| {
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        let (written, answer) = mpsc::channel();
        sender.send(RunMessage::Output(text.to_owned(), written)).map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?
    }
}

/// Runs `command` in a separate thread until its deadline.
///
/// # Errors
/// The command failed or panicked, or the deadline passed.
pub fn run(
    watch: &RunWatch,
    command: impl FnOnce(&RunWatch) -> Result<CommandOutput, Failure> + Send + 'static,
) -> Result<CommandOutput, Failure> {
    let (sender, receiver) = mpsc::channel();
    let inner = watch.clone();
    watch.set_writer(writer(sender.clone()));
    thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || {
            let guard = PanicGuard(sender);
            // The receiver is gone only after the deadline has passed and was reported.
            let _ = guard.0.send(RunMessage::End(Box::new(command(&inner))));
        })
        .map_err(|error| problem(&ShellError::Thread(error.kind())))?;
    let mut bar = TerminalProgress::new();
    loop {
        // The command may set an earlier deadline; after it, only a run that writes its results continues.
        let left = watch
            .deadline()
            .saturating_duration_since(Instant::now())
            .clamp(WRITE_CHECK_INTERVAL, CHECK_INTERVAL);
        let left = bar.show(watch.progress()).map_or(left, |pause| left.min(pause));
        let outcome = receiver.recv_timeout(left);
        bar.announce(&watch.take_announcements());
        match outcome {
            Ok(RunMessage::End(result)) => return *result,
            Ok(RunMessage::Output(text, written)) => {
                bar.show(watch.progress());
                // The run waits for this, unless it was stopped.
                let _ = written.send(bar.print(&text));
            }
            Ok(RunMessage::Panicked) | Err(mpsc::RecvTimeoutError::Disconnected) => {
                return without_result(watch, problem(&ShellError::Panicked));
            }
            Err(mpsc::RecvTimeoutError::Timeout) if !watch.stop_if_overdue() => {}
            Err(mpsc::RecvTimeoutError::Timeout) => return without_result(watch, overdue(watch)),
        }
    }
}

/// Returns the error of a run that is stopped at its deadline.
fn overdue(watch: &RunWatch) -> Failure {
    if let Some(timed_out) = watch.timed_out() {
        return Problem::new(&timed_out).into();
    }
    let (allowed, stage) = watch.state();
    problem(&ShellError::Deadline { allowed, stage })
}

/// Ends a run that has no result: what it did until then is printed, if it told what that is.
fn without_result(watch: &RunWatch, failure: Failure) -> Result<CommandOutput, Failure> {
    match watch.unfinished_output(&failure) {
        Some(stdout) => Ok(CommandOutput { stdout, failure: Some(failure), ..CommandOutput::default() }),
        None => Err(failure),
    }
}

/// A progress bar, if standard error is a terminal.
struct TerminalProgress(Option<indicatif::ProgressBar>);

impl TerminalProgress {
    /// The delay before drawing, which most runs do not reach.
    const PAUSE: Duration = Duration::from_millis(200);

    fn new() -> Self {
        Self(io::stderr().is_terminal().then(indicatif::ProgressBar::hidden))
    }

    /// Draws the progress, or clears the bar when nothing goes on. Returns when to call this again.
    fn show(&mut self, progress: RunProgress) -> Option<Duration> {
        let bar = self.0.as_ref()?;
        let is_going_on = progress.total > 0 && progress.done < progress.total;
        if is_going_on && bar.elapsed() >= Self::PAUSE {
            if bar.is_hidden() {
                bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
            }
            bar.set_length(progress.total);
            bar.set_position(progress.done);
        } else if !is_going_on && !bar.is_hidden() {
            // A question may follow on the same line.
            bar.finish_and_clear();
            bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
            bar.reset();
        }
        Some(Self::PAUSE)
    }
}

impl TerminalProgress {
    /// Writes a text of the run to standard output, above the bar if there is one.
    fn print(&self, text: &str) -> io::Result<()> {
        let print = || {
            let mut stdout = io::stdout().lock();
            stdout.write_all(text.as_bytes())?;
            stdout.flush()
        };
        match &self.0 {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Prints what the run tells, as lines above the bar if there is one.
    fn announce(&self, announcements: &[String]) {
        for text in announcements {
            let line = printable(text);
            match &self.0 {
                Some(bar) => bar.suspend(|| print_line(&line)),
                None => print_line(&line),
            }
        }
    }
}

/// Prints a line on standard error. A failure cannot be reported anywhere.
fn print_line(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

impl Drop for TerminalProgress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

fn problem(error: &ShellError) -> Failure {
    Problem::new(error).into()
}

/// The memory that must be available for a panic not to be caused by a lack of memory; 0 if memory is unlimited.
static LAST_BYTES: AtomicU64 = AtomicU64::new(0);

/// Ends this process like a failed allocation if a panic occurs with fewer than `bytes` available. Some code panics
/// when an allocation fails, which would look like a bug.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "memory is bounded on Linux only"))]
pub(crate) fn report_exhausted_memory(bytes: u64) {
    LAST_BYTES.store(bytes, Ordering::Relaxed);
}

/// Makes panics print only their location: the payload could contain a value. Panics that are caught on purpose print
/// nothing.
pub fn install_panic_hook() {
    std::panic::set_hook(Box::new(|info| {
        let bytes = usize::try_from(LAST_BYTES.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
        if bytes > 0 && Vec::<u8>::new().try_reserve_exact(bytes).is_err() {
            std::alloc::handle_alloc_error(std::alloc::Layout::new::<u8>());
        }
        if caught::is_expected() {
            return;
        }
        let place = info.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
        let _ = writeln!(io::stderr(), "internal error{place}");
    }));
}

/// Prints the output of a command: notes first, then standard output.
///
/// # Errors
/// Standard output cannot be written. A closed pipe is not an error.
pub fn print_outcome(outcome: &CommandOutput, messages: &MessagePrinter) -> io::Result<()> {
    messages.print_notes(&outcome.notes);
    let plaintext = outcome.plaintext.as_ref().map(Plaintext::bytes).unwrap_or_default();
    let print = |stdout: &mut dyn Write| {
        stdout.write_all(&outcome.stdout)?;
        stdout.write_all(plaintext)?;
        stdout.flush()
    };
    let printed =
        if outcome.styled { print(&mut anstream::stdout().lock()) } else { print(&mut io::stdout().lock()) };
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Returns whether a text contains control characters or several lines, and must not be printed as it is.
#[must_use]
pub fn has_controls(text: &str) -> bool {
    text.chars().any(is_deceptive)
}

/// Converts an error that is not from a command.
#[must_use]
pub fn other_failure(message: &str) -> Failure {
    Problem {
        message: truncate(message),
        at: ProblemPlace::Unknown,
        hint: None,
        kind: None,
        needs_commit: false,
    }
    .into()
}
