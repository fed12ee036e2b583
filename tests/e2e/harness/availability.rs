//! Decides whether the tests can run, and runs them in namespaces of their own.
//!
//! In a PID namespace, the end of its first process ends all others, also when it is killed: no program of a run can outlive it.
//! In a mount namespace, `/run` and `/dev/shm` are file systems of this run alone. The sealed-secrets controller reads its
//! account below `/run`. Argo CD writes every manifest that it applies to a file in `/dev/shm`, whatever `TMPDIR` says, and
//! leaves the file there if it is killed.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use super::programs::Programs;

/// Set for the process inside of the namespaces.
const INSIDE: &str = "SEALWAVE_E2E_INSIDE";

/// Gives the run its own `/run` and `/dev/shm`.
const MOUNTS: &str = "mount -t tmpfs -o mode=0755 tmpfs /run; mount -t tmpfs -o mode=1777 tmpfs /dev/shm";

/// The state of what the tests need.
pub enum Availability {
    /// They were not asked for, or something is missing and they are not required.
    Skipped(String),
    /// They are required, and something is missing.
    Missing(String),
    /// They can run, after [`run_isolated`].
    Outside,
    /// They can run here.
    Inside(Programs),
}

/// Reads `SEALWAVE_E2E` (`required`, `auto`, or unset) and looks for the programs.
pub fn availability() -> Availability {
    let required = match std::env::var("SEALWAVE_E2E").as_deref() {
        Ok("required") => true,
        Ok("auto") => false,
        Ok("") | Err(_) => {
            return Availability::Skipped("they start a control plane; run scripts/e2e".to_owned());
        }
        Ok(other) => {
            return Availability::Missing(format!("SEALWAVE_E2E is `{other}`, not `required` or `auto`"));
        }
    };
    let missing = if required { Availability::Missing } else { Availability::Skipped };
    match Programs::find() {
        Err(why) => missing(why),
        Ok(programs) if std::env::var_os(INSIDE).is_some() => Availability::Inside(programs),
        Ok(_) => can_isolate().map_or_else(missing, |()| Availability::Outside),
    }
}

/// Runs this program again in namespaces of its own, and returns its exit code.
///
/// `setpriv` lets the kernel kill `unshare` with this process, and `--kill-child` the namespaces with `unshare`.
pub fn run_isolated() -> ExitCode {
    let program = std::env::current_exe().expect("the path of this program");
    let mut command = isolated(&format!("{MOUNTS}; exec \"$0\" \"$@\""));
    command.arg(program).args(std::env::args_os().skip(1)).env(INSIDE, "1");
    let status = command.status().expect("setpriv starts");
    ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(101))
}

fn can_isolate() -> Result<(), String> {
    let output = isolated(MOUNTS).output();
    let output = output.map_err(|error| format!("`setpriv` of util-linux does not start: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("namespaces for processes and mounts are not allowed here: {}", said.trim()))
}

fn isolated(script: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args([
        "--pdeathsig",
        "KILL",
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
    ]);
    if !is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["/bin/sh", "-ec", script]);
    command
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs_err::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// Returns the directory for all that outlives a run: built programs, and the logs of the last run.
pub fn state_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/e2e")
}
