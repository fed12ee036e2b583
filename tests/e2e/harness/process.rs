//! A program of the stack: its log, and its end.

use super::locked;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

/// A running program. It starts with no variable but those it is given, and writes to a log of its own.
pub struct Process {
    name: String,
    log: PathBuf,
    child: Mutex<Child>,
}

/// The command line, environment and log of a program to start.
pub struct Launch {
    command: Command,
    name: String,
    log: PathBuf,
}

impl Launch {
    /// Prepares a program with an empty environment, besides `PATH`, `HOME` and `TMPDIR`.
    pub fn new(name: &str, program: &Path, directory: &Path) -> Self {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", directory).env("TMPDIR", directory);
        command.current_dir(directory).stdin(Stdio::null());
        let log = directory.join(format!("{name}.log"));
        Self { command, name: name.to_owned(), log }
    }

    /// Puts the log into another directory.
    pub fn logs_in(mut self, directory: &Path) -> Self {
        self.log = directory.join(format!("{}.log", self.name));
        self
    }

    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(arguments);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Starts the program. A program that is started again continues its log.
    pub fn start(mut self) -> Process {
        let log = fs_err::OpenOptions::new().create(true).append(true).open(&self.log).expect("a log");
        let log = log.into_parts().0;
        self.command.stdout(log.try_clone().expect("a second handle")).stderr(log);
        let child =
            self.command.spawn().unwrap_or_else(|error| panic!("{} does not start: {error}", self.name));
        Process { name: self.name, log: self.log, child: Mutex::new(child) }
    }
}

impl Process {
    /// Kills the program and waits for its end. A second call does nothing.
    ///
    /// None of them has anything to save, and argocd-cmp-server does not end on SIGTERM.
    pub fn kill(&self) {
        let mut child = locked(&self.child);
        // It fails if the program has ended already.
        let _ = child.kill();
        let _ = child.wait();
    }

    /// Returns the name under which the program was started.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the process ID.
    pub fn id(&self) -> u32 {
        locked(&self.child).id()
    }

    /// Fails with the end of the log if the program has ended.
    pub fn check_running(&self) {
        let mut child = locked(&self.child);
        if let Ok(Some(status)) = child.try_wait() {
            panic!("{} ended ({status}):\n{}", self.name, self.log_tail());
        }
    }

    /// Returns all that the program wrote.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs_err::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Returns the last lines of the log.
    pub fn log_tail(&self) -> String {
        let text = self.log();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
