//! The start of the guard, and the reading of its report.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use sealwave_core::diagnostic::io_reason;

use super::{Argument, ProgramOutput, ProgramRun, RunHost};
use crate::confine::NOT_STARTED;
use crate::environment::{self, FILES};
use crate::error_text::TextReplacements;
use crate::guard::{ALLOCATOR, EndReason, GuardReport, THIS_BINARY};
use crate::orders::{FileAccess, Role, RunOrders};
use crate::private_directory::{INPUT_FILE, PrivateDirectory};
use crate::relay::{RelayedRun, relay};
use crate::{ErrorText, ProgramError, ReachedLimit, time_zone};

/// The extra time of the guard after the deadline, in which it ends the descendants.
const GRACE: Duration = Duration::from_secs(10);
/// The file of the shifted time zone, in the private directory.
const ZONE_FILE: &str = "zone";
/// Added to the number of a signal by shells, for their exit code.
const SHELL_SIGNAL: i32 = 128;
/// Parts of what programs write that do not end when they reach the limit of a file's size.
const FILE_SIZE: &[&str] = &["file too large", "sigxfsz: file size limit exceeded"];
/// Parts of what programs write when they get no memory.
const NO_MEMORY: &[&str] =
    &["cannot allocate memory", "memory allocation of ", "memory exhausted", "memoryerror", "out of memory"];

impl ProgramRun {
    /// Runs the program to its end. Afterwards nothing of it is running, and its private directory is gone.
    ///
    /// # Errors
    /// The program cannot be started, reaches a limit, fails, or leaves processes running.
    pub fn run(&self, host: &RunHost) -> Result<ProgramOutput, ProgramError> {
        let private = PrivateDirectory::new(&host.temporary).and_then(|private| {
            self.write_input(&private)?;
            self.write_files(&private)?;
            if self.has_shifted_time {
                fs_err::write(private.path().join(ZONE_FILE), time_zone::shifted())?;
            }
            let args = self.arguments(&private)?;
            Ok((private, args))
        });
        let (private, args) =
            private.map_err(|error| ProgramError::Private { program: self.name(), reason: error.kind() })?;
        let started = Instant::now();
        let backstop = started.checked_add(self.limits.wall_time + GRACE).unwrap_or(started);
        let run = self
            .start(host, &private, args)
            .and_then(|(mut guard, control)| relay(&mut guard, control, &self.limits, backstop))
            .map_err(|error| self.start_error(io_reason(error.kind())))?;
        let replacements = self.replacements(&private);
        let stderr = ErrorText::new(&run.stderr, &replacements);
        let shown = if self.has_errors_in_output {
            ErrorText::new(&[run.stdout.as_slice(), b"\n", &run.stderr].concat(), &replacements)
        } else {
            stderr.clone()
        };
        self.judge(&run, &shown)?;
        Ok(ProgramOutput { stdout: run.stdout, stderr })
    }

    fn write_files(&self, private: &PrivateDirectory) -> io::Result<()> {
        for file in &self.files {
            let path = private.path().join(file.path);
            path.parent().map_or(Ok(()), fs_err::create_dir_all)?;
            fs_err::write(path, &file.content)?;
        }
        Ok(())
    }

    fn write_input(&self, private: &PrivateDirectory) -> io::Result<()> {
        if self.input.is_empty() {
            return Ok(());
        }
        fs_err::write(private.path().join(INPUT_FILE), &self.input)
    }

    /// Returns the arguments, after writing the files that they name.
    fn arguments(&self, private: &PrivateDirectory) -> io::Result<Vec<OsString>> {
        let argument = |(index, argument): (usize, &Argument)| match argument {
            Argument::Text(text) => Ok(text.clone()),
            Argument::File { prefix, content } => {
                let path = private.path().join(FILES).join(index.to_string());
                fs_err::write(&path, content)?;
                let mut text = OsString::from(prefix);
                text.push(path);
                Ok(text)
            }
            Argument::Directory { file, content } => {
                let path = private.path().join(FILES).join(index.to_string());
                fs_err::create_dir(&path)?;
                fs_err::write(path.join(file), content)?;
                Ok(path.into_os_string())
            }
        };
        self.args.iter().enumerate().map(argument).collect()
    }

    fn start(
        &self,
        host: &RunHost,
        private: &PrivateDirectory,
        args: Vec<OsString>,
    ) -> io::Result<(Child, UnixStream)> {
        let orders = RunOrders {
            limits: self.limits.clone(),
            network: self.network.clone(),
            parent: rustix::process::getpid(),
            private: private.path().to_owned(),
            access: FileAccess {
                readable: self.readable.clone(),
                executable: self.executable.clone(),
                writable: self.writable.clone(),
                temporary: self.temporary.clone(),
            },
            program: self.program.clone(),
            args,
        };
        let (control, for_guard) = UnixStream::pair()?;
        let mut command = Command::new(host.guard.as_deref().unwrap_or(THIS_BINARY.as_ref()));
        command
            .args(orders.arguments(Role::Guard))
            .env_clear()
            .envs(environment::variables(private.path(), &self.limits, &self.network))
            .envs(self.has_shifted_time.then(|| ("TZ", private.path().join(ZONE_FILE))))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .env(ALLOCATOR.0, ALLOCATOR.1)
            .current_dir(&self.directory)
            // An interrupt on a terminal ends sealwave only; the guard notices, and ends the program.
            .process_group(0)
            .stdin(OwnedFd::from(for_guard))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Ok((command.spawn()?, control))
    }

    fn replacements(&self, private: &PrivateDirectory) -> TextReplacements {
        let mut all = TextReplacements::new(private.path(), &self.directory, &self.readable);
        for directory in &self.temporary {
            all.add(directory.display().to_string(), "$TMPDIR");
        }
        for text in &self.hidden {
            all.add(text.clone(), "[hidden]");
        }
        for (name, value) in &self.variables {
            all.add(value.clone(), format!("[value of `{name}`]"));
        }
        all
    }

    /// Returns an error unless the program succeeded and left nothing.
    fn judge(&self, run: &RelayedRun, stderr: &ErrorText) -> Result<(), ProgramError> {
        let program = self.name();
        if let Some(limit) = run.reached {
            return Err(ProgramError::Limit { program, limit });
        }
        let Some(GuardReport { reason, status, left_running }) = run.report else {
            return Err(ProgramError::Lost { program });
        };
        match reason {
            EndReason::NotStarted => {
                return Err(self.start_error(io_reason(io::Error::from_raw_os_error(status).kind())));
            }
            EndReason::Deadline => {
                let limit = ReachedLimit::WallTime(self.limits.wall_time);
                return Err(ProgramError::Limit { program, limit });
            }
            EndReason::Processes => {
                let limit = ReachedLimit::Processes(self.limits.processes);
                return Err(ProgramError::Limit { program, limit });
            }
            EndReason::Stopped => return Err(ProgramError::Lost { program }),
            EndReason::Ended => {}
        }
        let status = ExitStatus::from_raw(status);
        if status.code() == Some(i32::from(NOT_STARTED)) {
            return Err(self.start_error(stderr.as_str().lines().last().unwrap_or_default().to_owned()));
        }
        if let Some(limit) = self.limit_of(status, &run.stderr) {
            return Err(ProgramError::Limit { program, limit });
        }
        if !status.success() {
            let status = status.to_string();
            return Err(ProgramError::Failed { program, status, text: stderr.clone() });
        }
        match left_running {
            0 => Ok(()),
            count => Err(ProgramError::LeftRunning { program, count }),
        }
    }

    /// Returns the limit of the kernel that a program reached, judging by how it ended.
    fn limit_of(&self, status: ExitStatus, stderr: &[u8]) -> Option<ReachedLimit> {
        let ended_by =
            |signal: i32| status.signal() == Some(signal) || status.code() == Some(SHELL_SIGNAL + signal);
        if ended_by(libc::SIGXCPU) {
            return Some(ReachedLimit::CpuTime(self.limits.cpu_seconds));
        }
        let text =
            if status.success() { String::new() } else { String::from_utf8_lossy(stderr).to_lowercase() };
        if ended_by(libc::SIGXFSZ) || FILE_SIZE.iter().any(|part| text.contains(part)) {
            return Some(ReachedLimit::FileSize(self.limits.file_size));
        }
        let is_memory = NO_MEMORY.iter().any(|part| text.contains(part));
        is_memory.then_some(ReachedLimit::Memory(self.limits.memory))
    }

    fn start_error(&self, reason: String) -> ProgramError {
        let reason = if reason.is_empty() { io_reason(ErrorKind::Other) } else { reason };
        ProgramError::Start { program: self.name(), reason }
    }
}
