//! The reasons why a run has no result.

use std::fmt;
use std::io::ErrorKind;
use std::time::Duration;

use sealwave_core::diagnostic::{BUG_HINT, Explain, PROCESS_LIMITS_HINT, io_reason};

use crate::ErrorText;

/// A limit that a program reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReachedLimit {
    /// Seconds of the processor.
    CpuTime(u64),
    /// Bytes of standard error.
    ErrorOutput(u64),
    /// Bytes of a file.
    FileSize(u64),
    /// Bytes of memory.
    Memory(u64),
    /// Bytes of standard output.
    Output(u64),
    /// Processes at the same time.
    Processes(u64),
    /// Time until the end.
    WallTime(Duration),
}

impl fmt::Display for ReachedLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CpuTime(seconds) => write!(f, "used more than {seconds} seconds of the processor"),
            Self::ErrorOutput(bytes) => write!(f, "wrote more than {} to standard error", Size(*bytes)),
            Self::FileSize(bytes) => write!(f, "wrote a file of more than {}", Size(*bytes)),
            Self::Memory(bytes) => write!(f, "needed more than {} of memory", Size(*bytes)),
            Self::Output(bytes) => write!(f, "wrote more than {} to standard output", Size(*bytes)),
            Self::Processes(count) => write!(f, "started more than {count} processes"),
            Self::WallTime(time) => write!(f, "ran for more than {} seconds", time.as_secs_f64()),
        }
    }
}

/// A number of bytes.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes >= 1 << 20 => write!(f, "{} MiB", bytes >> 20),
            bytes if bytes >= 1 << 10 => write!(f, "{} KiB", bytes >> 10),
            bytes => write!(f, "{bytes} bytes"),
        }
    }
}

/// The reason why a run has no result. `program` is the name of the program's file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// The program reported an error, or was killed.
    #[error("`{program}` failed ({status}){}", after_colon(.text))]
    Failed {
        /// The program.
        program: String,
        /// The exit code or the signal.
        status: String,
        /// The end of standard error.
        text: ErrorText,
    },
    /// The program ended, but processes that it had started did not.
    #[error("`{program}` left {count} processes running, which were ended")]
    LeftRunning {
        /// The program.
        program: String,
        /// The number of processes.
        count: usize,
    },
    /// The program reached a limit.
    #[error("`{program}` {limit} and was ended")]
    Limit {
        /// The program.
        program: String,
        /// The limit.
        limit: ReachedLimit,
    },
    /// The process that watches the program ended.
    #[error("`{program}` was no longer watched and was ended")]
    Lost {
        /// The program.
        program: String,
    },
    /// The private directory cannot be created.
    #[error("a private directory for `{program}` cannot be created: {}", io_reason(*.reason))]
    Private {
        /// The program.
        program: String,
        /// The error of the system.
        reason: ErrorKind,
    },
    /// The program could not be started.
    #[error("`{program}` cannot be started: {reason}")]
    Start {
        /// The program.
        program: String,
        /// The reason.
        reason: String,
    },
    /// This system has no means to confine a program.
    #[error("`{program}` cannot be started safely on this system")]
    Unsupported {
        /// The program.
        program: String,
    },
}

fn after_colon(text: &ErrorText) -> String {
    if text.is_empty() { String::new() } else { format!(": {}", text.as_str().replace('\n', "; ")) }
}

impl Explain for ProgramError {
    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Lost { .. } => BUG_HINT,
                Self::Private { .. } => "mount a writable directory for temporary files",
                Self::Start { .. } => PROCESS_LIMITS_HINT,
                Self::Unsupported { .. } => "run sealwave on Linux, for example in a container",
                Self::Failed { .. } | Self::LeftRunning { .. } | Self::Limit { .. } => return None,
            }
            .to_owned(),
        )
    }
}
