//! A call of Git: its environment and settings, its limits and its errors.

use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use sealwave_core::diagnostic::io_reason;
use sealwave_core::time::duration;

/// Environment variables that point Git to another directory, as in a hook, change how it reads names, or have it run a program.
const VARIABLES: [&str; 9] = [
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_EXTERNAL_DIFF",
    "GIT_GLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_INDEX_FILE",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
];

/// Settings that keep Git from starting programs of a repository, and from going on in the background.
///
/// A directory of the tree that looks like a bare repository would bring its own settings, which may name programs.
const SETTINGS: [&str; 7] = [
    "advice.graftFileDeprecated=false",
    "core.askPass=",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "gc.auto=0",
    "maintenance.auto=false",
    "safe.bareRepository=explicit",
];

/// The message of a Git that failed without one.
pub const NO_GIT_MESSAGE: &str = "no error message";

/// The operations that Git may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GitAccess {
    /// Read what the clone has. Git writes and fetches nothing, not even objects that a partial clone lacks.
    Read,
    /// Change the clone: its index and its commits.
    Write,
    /// Also contact remotes, as the user's settings say.
    Remote,
}

/// The limits of a call of Git. One that reaches them is ended with its children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GitLimits {
    /// Time until the end.
    pub time: Duration,
    /// Bytes of output.
    pub output: u64,
}

impl GitLimits {
    /// The limits of calls that contact a remote: a fetch may have a lot to transfer.
    pub const REMOTE: Self = Self { time: Duration::from_mins(15), ..Self::LOCAL };
    /// The limits of calls that use the clone only.
    pub const LOCAL: Self = Self { time: Duration::from_mins(5), output: 256 << 20 };
}

impl GitAccess {
    /// Returns the usual limits of such a call.
    #[must_use]
    pub const fn limits(self) -> GitLimits {
        match self {
            Self::Read | Self::Write => GitLimits::LOCAL,
            Self::Remote => GitLimits::REMOTE,
        }
    }
}

/// The reason why Git returned nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GitRunError {
    /// Git failed with this first line of its messages, or [`NO_GIT_MESSAGE`].
    Failed(String),
    /// There is no `git`.
    NotInstalled,
    /// It did not end within this time, and was ended.
    TimedOut(Duration),
    /// It printed more than this number of bytes, and was ended.
    TooMuchOutput(u64),
}

impl GitRunError {
    pub(super) fn without_message() -> Self {
        Self::Failed(NO_GIT_MESSAGE.to_owned())
    }

    /// Describes what Git did, such as `failed: no such branch`, for a message that names the call.
    #[must_use]
    pub fn outcome(&self) -> String {
        match self {
            Self::Failed(message) => format!("failed: {message}"),
            Self::NotInstalled => "is not installed".to_owned(),
            Self::TimedOut(limit) => format!("did not end within {}", duration::format_short(*limit)),
            Self::TooMuchOutput(limit) => format!("printed more than {limit} bytes"),
        }
    }
}

/// Returns the command without its subcommand.
pub(super) fn command(directory: &Path, access: GitAccess, settings: &[String]) -> Command {
    let mut command = Command::new("git");
    command.current_dir(directory);
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    if access == GitAccess::Read {
        command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_NO_LAZY_FETCH", "1");
    }
    if access != GitAccess::Remote {
        command.env("GIT_ALLOW_PROTOCOL", "none");
    }
    // A question would wait for an answer until the deadline. Agents, credential helpers and `GIT_ASKPASS` of a CI job answer
    // without one; `ssh` is told to ask a program that has no answer, because it would otherwise ask the terminal.
    command.env("GIT_TERMINAL_PROMPT", "0").env("GCM_INTERACTIVE", "never");
    command.env("SSH_ASKPASS", "false").env("SSH_ASKPASS_REQUIRE", "force");
    // The history is what was committed, not what the clone replaces it by.
    command.env("GIT_NO_REPLACE_OBJECTS", "1").env("GIT_GRAFT_FILE", "/dev/null");
    // Its messages are compared.
    command.env("LC_ALL", "C");
    for setting in SETTINGS.into_iter().chain(settings.iter().map(String::as_str)) {
        command.args(["-c", setting]);
    }
    command
}

pub(super) fn start_error(error: &io::Error, directory: &Path) -> GitRunError {
    match error.kind() {
        io::ErrorKind::NotFound if directory.is_dir() => GitRunError::NotInstalled,
        kind => GitRunError::Failed(io_reason(kind)),
    }
}
