//! A running Git: its output within a deadline and a size, and its end with all its children.

use std::io::{self, Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use sealwave_core::diagnostic::io_reason;

use super::call::{GitLimits, GitRunError, NO_GIT_MESSAGE};

/// Size of one read.
const CHUNK: usize = 64 << 10;
/// The reads that may wait to be used.
const WAITING_CHUNKS: usize = 4;
/// Size limit of the messages that are kept.
const MAX_MESSAGES: usize = 16 << 10;
/// The time in which Git removes its locks when it is ended.
const GRACE: Duration = Duration::from_secs(2);
/// The time between two looks at a process whose output did not end.
const LOOK: Duration = Duration::from_millis(100);
/// The longest pause between two looks at a process whose output ended.
const MAX_PAUSE: Duration = Duration::from_millis(20);

/// A running Git. It is ended with its children when this is dropped.
pub(super) struct GitProcess {
    child: Child,
    output: Receiver<Vec<u8>>,
    messages: Receiver<Vec<u8>>,
    limits: GitLimits,
    started: Instant,
    size: u64,
}

impl GitProcess {
    /// Starts a command. Its standard input is empty.
    pub(super) fn start(command: &mut Command, limits: GitLimits) -> io::Result<Self> {
        Self::spawn(command.stdin(Stdio::null()), limits)
    }

    /// Starts a command with an input.
    pub(super) fn start_with_input(
        command: &mut Command,
        limits: GitLimits,
    ) -> io::Result<(Self, Option<ChildStdin>)> {
        let mut process = Self::spawn(command.stdin(Stdio::piped()), limits)?;
        let input = process.child.stdin.take();
        Ok((process, input))
    }

    fn spawn(command: &mut Command, limits: GitLimits) -> io::Result<Self> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (sender, output) = sync_channel(WAITING_CHUNKS);
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || pass_on(stdout, &sender));
        }
        let (sender, messages) = sync_channel(1);
        if let Some(stderr) = child.stderr.take() {
            thread::spawn(move || drop(sender.send(beginning(stderr))));
        }
        Ok(Self { child, output, messages, limits, started: Instant::now(), size: 0 })
    }

    /// Returns the next part of the output, or `None` at its end.
    pub(super) fn chunk(&mut self) -> Result<Option<Vec<u8>>, GitRunError> {
        loop {
            match self.output.recv_timeout(LOOK.min(self.left()?)) {
                Ok(chunk) => {
                    self.size += chunk.len() as u64;
                    if self.size > self.limits.output {
                        return Err(GitRunError::TooMuchOutput(self.limits.output));
                    }
                    return Ok(Some(chunk));
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                // A process that Git left in the background may hold the pipe open.
                Err(RecvTimeoutError::Timeout) if self.has_ended() => return Ok(self.output.try_recv().ok()),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Waits for the end after the output.
    pub(super) fn finish(mut self) -> Result<(), GitRunError> {
        let mut pause = Duration::from_micros(200);
        let status = loop {
            if let Some(status) = self.status()? {
                break status;
            }
            thread::sleep(pause.min(self.left()?));
            pause = (pause * 2).min(MAX_PAUSE);
        };
        if status.success() {
            return Ok(());
        }
        let messages = self.messages.recv_timeout(GRACE).unwrap_or_default();
        Err(GitRunError::Failed(reason(&String::from_utf8_lossy(&messages)).to_owned()))
    }

    fn status(&mut self) -> Result<Option<ExitStatus>, GitRunError> {
        self.child.try_wait().map_err(|error| GitRunError::Failed(io_reason(error.kind())))
    }

    fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }

    /// Returns the time until the deadline.
    fn left(&self) -> Result<Duration, GitRunError> {
        let left = self.limits.time.checked_sub(self.started.elapsed());
        left.filter(|left| !left.is_zero()).ok_or(GitRunError::TimedOut(self.limits.time))
    }

    fn wait_briefly(&mut self) {
        let started = Instant::now();
        while !self.has_ended() && started.elapsed() < GRACE {
            thread::sleep(MAX_PAUSE);
        }
    }
}

impl Drop for GitProcess {
    /// Ends the children, and Git, which first removes its locks. It is stopped before, so that it does not go on without them.
    fn drop(&mut self) {
        if self.has_ended() {
            return;
        }
        end_with_children(&self.child);
        self.wait_briefly();
        if !self.has_ended() {
            let _ = self.child.kill();
            self.wait_briefly();
        }
    }
}

#[cfg(target_os = "linux")]
fn end_with_children(child: &Child) {
    use rustix::process::{Pid, Signal, kill_process};
    let id = Pid::from_child(child);
    let _ = kill_process(id, Signal::STOP);
    crate::descendants::kill_below(id.as_raw_pid());
    // When it continues, the signal to end comes first.
    for signal in [Signal::TERM, Signal::CONT] {
        let _ = kill_process(id, signal);
    }
}

#[cfg(not(target_os = "linux"))]
fn end_with_children(_: &Child) {}

/// Returns the first message that is not an advice or a warning.
fn reason(messages: &str) -> &str {
    let is_aside = |line: &&str| line.starts_with("hint:") || line.starts_with("warning:");
    let reason = messages.lines().find(|line| !is_aside(line)).or_else(|| messages.lines().next());
    reason.unwrap_or(NO_GIT_MESSAGE)
}

/// Sends the bytes of a pipe, until its end or until the receiver is gone.
fn pass_on(mut pipe: impl io::Read, sender: &SyncSender<Vec<u8>>) {
    loop {
        let mut chunk = vec![0; CHUNK];
        match pipe.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => return,
            Ok(size) => {
                chunk.truncate(size);
                if sender.send(chunk).is_err() {
                    return;
                }
            }
        }
    }
}

/// Reads a pipe to its end, and returns its beginning.
fn beginning(mut pipe: impl io::Read) -> Vec<u8> {
    let mut kept = Vec::new();
    let _ = pipe.by_ref().take(MAX_MESSAGES as u64).read_to_end(&mut kept);
    let _ = io::copy(&mut pipe, &mut io::sink());
    kept
}

/// Writes an input in the background: Git may print before it reads everything.
pub(super) fn write_input(input: &[u8], pipe: Option<ChildStdin>) {
    let input = input.to_owned();
    thread::spawn(move || {
        if let Some(mut pipe) = pipe {
            // A Git that ends before it reads everything says why.
            let _ = pipe.write_all(&input);
        }
    });
}
