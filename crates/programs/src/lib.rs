//! Runs other programs, such as `helm`, on the files of a repository. `README.md` says what is enforced, and where.
//!
//! ```text
//! sealwave ──► guard ──► program ──► descendants
//!    │           │          └ confined before it starts: files, network, memory, time of the processor
//!    │           └ subreaper: watches the deadline and the number of processes, ends and reaps all descendants
//!    └ reads the output within limits
//! ```
//!
//! | module | holds |
//! |---|---|
//! | `run` | [`ProgramRun`], the description of a run, and its result |
//! | `relay` | what sealwave does during a run: it reads the output |
//! | `guard`, `descendants` | the process between sealwave and the program |
//! | `confine` | what the program is denied, applied just before it starts |
//! | `role`, `orders` | the roles of this binary, and the arguments with which they are started |
//! | [`process_limits`] | limits of a process, also for sealwave's own child |
//! | `links` | the search for links that lead out of a repository |
//! | `charts` | charts of repositories: access, cache, download |
//! | `git` | the user's own Git, which is not confined |
//! | `tool`, `toolbox` | the programs that sealwave knows, and their versions |
//!
//! Invariants: no shell interprets an argument; the environment of sealwave is never passed on; a run leaves no process and
//! no file. The roles are chosen by arguments, which only the process that starts the binary can set.

mod charts;
#[cfg(target_os = "linux")]
mod confine;
#[cfg(target_os = "linux")]
mod descendants;
mod environment;
mod error;
mod error_text;
mod git;
#[cfg(target_os = "linux")]
mod guard;
mod limits;
mod links;
#[cfg(target_os = "linux")]
mod orders;
mod private_directory;
#[cfg(target_os = "linux")]
pub mod process_limits;
#[cfg(target_os = "linux")]
mod relay;
mod role;
mod run;
#[cfg(target_os = "linux")]
mod time_zone;
mod tool;
mod toolbox;

pub use charts::{ChartAccess, ChartError, DigestUse};
pub use error::{ProgramError, ReachedLimit};
pub use error_text::ErrorText;
pub use git::{
    GitAccess, GitLimits, GitObjects, GitRecords, GitRunError, NO_GIT_MESSAGE, git_line, git_path, run_git,
    run_git_with_input,
};
pub use limits::{NetworkAccess, RunLimits};
pub use links::{LinkError, check_links};
pub use role::enter;
pub use run::{ProgramOutput, ProgramRun, RunHost};
pub use tool::{FoundProgram, Tool, ToolError, check_program_file, find_program};
pub use toolbox::Toolbox;

#[cfg(target_os = "linux")]
pub use confine::Confinement;
