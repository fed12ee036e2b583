//! Reads what a program writes, within limits, until the guard reports that nothing is left running.

use std::io::{self, Read};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::Child;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::guard::GuardReport;
use crate::{ReachedLimit, RunLimits};

/// More than a report needs.
const MAX_REPORT: u64 = 256;

/// The result of a run.
pub(crate) struct RelayedRun {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// The limit of an output that was reached.
    pub(crate) reached: Option<ReachedLimit>,
    /// `None` if the guard ended without a report, or not in time.
    pub(crate) report: Option<GuardReport>,
}

/// A source of bytes, and what was read of it.
struct BoundedSource<S> {
    source: Option<S>,
    read: Vec<u8>,
    limit: u64,
    is_exceeded: bool,
}

impl<S: Read + AsFd> BoundedSource<S> {
    const fn new(source: Option<S>, limit: u64) -> Self {
        Self { source, read: Vec::new(), limit, is_exceeded: false }
    }

    fn event(&self) -> Option<PollFd<'_>> {
        self.source.as_ref().map(|source| PollFd::from_borrowed_fd(source.as_fd(), PollFlags::IN))
    }

    /// Reads once, which does not wait after an event. Bytes beyond the limit are dropped.
    fn read(&mut self, buffer: &mut [u8]) {
        let Some(source) = &mut self.source else { return };
        match source.read(buffer) {
            Ok(0) => self.source = None,
            Ok(count) => {
                let room = usize::try_from(self.limit).unwrap_or(usize::MAX).saturating_sub(self.read.len());
                self.is_exceeded |= count > room;
                self.read.extend_from_slice(&buffer[..count.min(room)]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => self.source = None,
        }
    }
}

/// Reads the output of a guard and its program, and waits for the guard. A guard that does not end in time is killed.
///
/// # Errors
/// The system refuses to wait.
pub(crate) fn relay(
    guard: &mut Child,
    control: UnixStream,
    limits: &RunLimits,
    backstop: Instant,
) -> io::Result<RelayedRun> {
    let stop = control.try_clone()?;
    let mut stdout = BoundedSource::new(guard.stdout.take(), limits.output);
    let mut stderr = BoundedSource::new(guard.stderr.take(), limits.error_output);
    let mut report = BoundedSource::new(Some(control), MAX_REPORT);
    let mut reached = None;
    let mut buffer = vec![0; 64 << 10];
    while stdout.source.is_some() || stderr.source.is_some() || report.source.is_some() {
        let left = backstop.saturating_duration_since(Instant::now());
        if left.is_zero() {
            guard.kill()?;
            break;
        }
        let [has_output, has_errors, has_report] = wait_for(&stdout, &stderr, &report, left);
        if has_output {
            stdout.read(&mut buffer);
        }
        if has_errors {
            stderr.read(&mut buffer);
        }
        if has_report {
            report.read(&mut buffer);
        }
        let exceeded = match (stdout.is_exceeded, stderr.is_exceeded) {
            (true, _) => Some(ReachedLimit::Output(limits.output)),
            (false, true) => Some(ReachedLimit::ErrorOutput(limits.error_output)),
            (false, false) => None,
        };
        if reached.is_none() && exceeded.is_some() {
            reached = exceeded;
            // The guard then ends the program.
            let _ = stop.shutdown(Shutdown::Write);
        }
    }
    guard.wait()?;
    let report = GuardReport::parse(&report.read);
    Ok(RelayedRun { stdout: stdout.read, stderr: stderr.read, reached, report })
}

/// Waits until one of these can be read, and returns which.
fn wait_for<A: Read + AsFd, B: Read + AsFd, C: Read + AsFd>(
    stdout: &BoundedSource<A>,
    stderr: &BoundedSource<B>,
    report: &BoundedSource<C>,
    left: std::time::Duration,
) -> [bool; 3] {
    let sources = [stdout.event(), stderr.event(), report.event()];
    let is_open = sources.each_ref().map(Option::is_some);
    let mut events: Vec<PollFd<'_>> = sources.into_iter().flatten().collect();
    // If interrupted, nothing can be read, and the caller calls again.
    if poll(&mut events, Timespec::try_from(left).ok().as_ref()).is_err() {
        return [false; 3];
    }
    let mut events = events.iter();
    is_open.map(|is_open| is_open && events.next().is_some_and(|event| !event.revents().is_empty()))
}
