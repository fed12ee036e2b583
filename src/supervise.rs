//! Runs the commands that Argo CD calls, each in a child process of this binary.
//!
//! The parent parses the command line and the operator file, waits for a slot in the sidecar, and starts the child. The
//! child limits its own memory before it reads anything from a repository, and does the work. The parent holds back the
//! child's output until the child is done, so that a run killed by the kernel prints one line and no manifests.
//!
//! Invariants: nothing from a repository or `ARGOCD_ENV_*` determines what is executed or which limits apply; output is
//! never forwarded before the child has succeeded.

mod child;
mod orders;
mod relay;
mod slots;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

pub use orders::{ChildOrders, ProcessRole};

use crate::cli::Command;
use crate::config::{RunBounds, VariableReader};
use sealwave_core::diagnostic::{BUG_HINT, Explain, Failure, PROCESS_LIMITS_HINT, Problem, io_reason};
use sealwave_secrets::settings::{Concurrency, MAX_OUTPUT_MIB, MemoryLimit};

/// The extra time of the child after the deadline, in which it reports what it was doing.
const GRACE: Duration = Duration::from_secs(2);

/// The reason why a run has no result.
#[derive(Debug, thiserror::Error)]
enum SuperviseError {
    #[error("audit records are larger than {} MiB", .0 >> 20)]
    Audit(u64),
    #[error("the deadline of {} seconds passed, and the run did not stop by itself", .0.as_secs())]
    Deadline(Duration),
    #[error("the run ended unexpectedly ({0})")]
    Ended(String),
    #[error("the run was killed ({0})")]
    Killed(String),
    #[error("the run reached its memory limit of {} MiB", .0.mib())]
    Memory(MemoryLimit),
    #[error("the output is larger than {MAX_OUTPUT_MIB} MiB")]
    Output,
    #[error("directory `{0}` for lock files must belong to this user and be private")]
    SlotDirectory(String),
    #[error("lock files in `{directory}` cannot be used: {}", io_reason(*.reason))]
    Slots { directory: String, reason: std::io::ErrorKind },
    #[error("the run cannot be started ({})", io_reason(*.0))]
    Start(std::io::ErrorKind),
    #[error("standard output cannot be written: {}", io_reason(*.0))]
    Unwritable(std::io::ErrorKind),
    #[error("the deadline of {} seconds passed while waiting for other runs to end", .allowed.as_secs())]
    Waited { allowed: Duration, concurrency: Concurrency },
}

impl Explain for SuperviseError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Audit(_) => "write the audit to a file: `audit: {file: audit.jsonl}`".to_owned(),
            Self::Killed(_) => {
                "if the container reached its memory limit, see docs/install/sizing.md".to_owned()
            }
            Self::Memory(_) => "a template or alias may expand to far more than the app itself; if the app really is this large, raise `memoryLimitMiB` in the operator file together with the memory of the sidecar".to_owned(),
            Self::Output => "Argo CD accepts at most 100 MiB; split the app".to_owned(),
            Self::SlotDirectory(_) => "remove it, or mount a separate `/tmp` in the sidecar".to_owned(),
            Self::Waited { concurrency, .. } => format!(
                "`concurrency` in the operator file allows {} runs at once, {} of one project; raise it together with the memory of the sidecar",
                concurrency.runs(),
                concurrency.runs_per_project()
            ),
            Self::Ended(_) => format!("{BUG_HINT} with the lines above"),
            Self::Start(_) => PROCESS_LIMITS_HINT.to_owned(),
            Self::Deadline(_) | Self::Slots { .. } | Self::Unwritable(_) => return None,
        })
    }
}

fn failure(error: &SuperviseError) -> Failure {
    Problem::new(error).into()
}

/// Runs a command in a child, and forwards its output and exit code.
///
/// # Errors
/// The operator file cannot be used, no slot became free before the deadline, or the child ended without a result.
pub fn run(command: &Command, args: &[OsString], variables: VariableReader) -> Result<ExitCode, Failure> {
    let started = Instant::now();
    let bounds = RunBounds::decide(command, variables)?;
    let until = started.checked_add(bounds.deadline).unwrap_or(started);
    // Held until this process ends; the kernel always releases it.
    let _slot = bounds
        .turn
        .as_ref()
        .map(|turn| slots::wait(turn, until).map_err(|error| slot_failure(&error, &bounds)))
        .transpose()?;
    let orders = ChildOrders::new(bounds.memory, started.elapsed());
    let backstop = until.checked_add(GRACE).unwrap_or(until);
    let ended = child::run(args, &orders, command.reads_stdin(), backstop)
        .map_err(|error| failure(&SuperviseError::Start(error.kind())))?
        .ok_or_else(|| failure(&SuperviseError::Deadline(bounds.deadline)))?;
    relay::forward_output(ended, bounds.memory).map_err(|error| failure(&error))
}

fn slot_failure(error: &slots::SlotError, bounds: &RunBounds) -> Failure {
    let shown = |path: &Path| path.display().to_string();
    failure(&match error {
        slots::SlotError::Busy(concurrency) => {
            SuperviseError::Waited { allowed: bounds.deadline, concurrency: *concurrency }
        }
        slots::SlotError::NotOurs(directory) => SuperviseError::SlotDirectory(shown(directory)),
        slots::SlotError::Unusable(directory, reason) => {
            SuperviseError::Slots { directory: shown(directory), reason: *reason }
        }
    })
}
