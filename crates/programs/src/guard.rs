//! The process between sealwave and a program. It starts the program, ends it at its limits or when sealwave ends, and
//! leaves no descendant of it running.
//!
//! It is a subreaper: descendants whose parents have ended become its children, even if they left their session. So it has
//! no child left exactly when nothing of the program is left. It has one thread and does no other work; sealwave itself may
//! run several programs at a time, and its other children are not affected.

use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use fs_err as fs;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, WaitOptions, getpid, pidfd_open, set_child_subreaper, wait};

use crate::descendants;
use crate::orders::{Role, RunOrders};
use crate::private_directory::{self, INPUT_FILE};
use crate::process_limits::deny_core_dumps;

/// This binary, even if its file was replaced.
pub(crate) const THIS_BINARY: &str = "/proc/self/exe";
/// A setting of the allocator of sealwave: without it, the allocator reserves a gibibyte of address space, which the limits
/// may not allow.
pub(crate) const ALLOCATOR: (&str, &str) = ("MIMALLOC_ARENA_RESERVE", "0");

/// The interval at which processes are counted.
const INTERVAL: Duration = Duration::from_millis(100);
/// The time that descendants have to end by themselves after the program has ended.
const SETTLING: Duration = Duration::from_millis(200);

/// The reason why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndReason {
    /// The program ended by itself.
    Ended,
    /// It could not be started; the status is an error of the system.
    NotStarted,
    /// The deadline passed.
    Deadline,
    /// There were too many processes.
    Processes,
    /// sealwave asked for it, or ended itself.
    Stopped,
}

impl EndReason {
    const ALL: [(Self, &str); 5] = [
        (Self::Ended, "ended"),
        (Self::NotStarted, "not-started"),
        (Self::Deadline, "deadline"),
        (Self::Processes, "processes"),
        (Self::Stopped, "stopped"),
    ];
}

/// The report of the guard, which it sends when nothing is left running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GuardReport {
    pub(crate) reason: EndReason,
    /// The status of the program, as the system encodes it.
    pub(crate) status: i32,
    /// The number of descendants that were still running after the program had ended.
    pub(crate) left_running: usize,
}

impl GuardReport {
    fn line(self) -> String {
        let name =
            EndReason::ALL.iter().find(|(reason, _)| *reason == self.reason).map_or("", |(_, name)| name);
        format!("{name} {} {}\n", self.status, self.left_running)
    }

    /// Parses a whole report; `None` if the guard ended before it had sent it.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(text).ok()?.strip_suffix('\n')?.split(' ');
        let name = parts.next()?;
        let (reason, _) = EndReason::ALL.into_iter().find(|(_, known)| *known == name)?;
        let status = parts.next()?.parse().ok()?;
        let left_running = parts.next()?.parse().ok()?;
        Some(Self { reason, status, left_running })
    }
}

/// Runs the program and reports to the process that started this one, through the socket that is standard input.
pub(crate) fn run(orders: &RunOrders) -> ExitCode {
    let Ok(control) = io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from) else {
        return ExitCode::FAILURE;
    };
    let report = supervise(orders, &control).unwrap_or_else(|error| GuardReport {
        reason: EndReason::NotStarted,
        status: error.raw_os_error().unwrap_or_default(),
        left_running: 0,
    });
    // Also done by sealwave, unless it was killed.
    private_directory::remove(&orders.private);
    if report.reason == EndReason::Stopped {
        orders.access.temporary.iter().for_each(|directory| private_directory::remove(directory));
    }
    match (&control).write_all(report.line().as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn supervise(orders: &RunOrders, control: &UnixStream) -> io::Result<GuardReport> {
    deny_core_dumps();
    set_child_subreaper(Some(getpid()))?;
    let mut children = Children { program: start(orders)?, status: None };
    let watched = watch(orders, control, &mut children);
    let settling = match watched {
        Ok(EndReason::Ended) => SETTLING,
        _ => Duration::ZERO,
    };
    let left_running = end_all(&mut children, settling);
    let status = children.status.unwrap_or_default();
    Ok(GuardReport { reason: watched?, status, left_running })
}

fn start(orders: &RunOrders) -> io::Result<Pid> {
    let input = input_file(&orders.private)?;
    let child = Command::new(THIS_BINARY).args(orders.arguments(Role::Confine)).stdin(input).spawn()?;
    // Waited for together with the other children.
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    id.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn input_file(private: &Path) -> io::Result<Stdio> {
    match fs::File::open(private.join(INPUT_FILE)) {
        Ok(file) => Ok(file.into_file().into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Stdio::null()),
        Err(error) => Err(error),
    }
}

/// The children of this process: the program, and descendants without another parent.
struct Children {
    program: Pid,
    status: Option<i32>,
}

impl Children {
    /// Reaps those that have ended, and returns whether others are left.
    fn reap(&mut self) -> bool {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((child, status))) => {
                    if child == self.program {
                        self.status = Some(status.as_raw());
                    }
                }
                Ok(None) => return true,
                Err(Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }
}

/// Waits until the run is over.
fn watch(orders: &RunOrders, control: &UnixStream, children: &mut Children) -> io::Result<EndReason> {
    let started = Instant::now();
    let until = started.checked_add(orders.limits.wall_time).unwrap_or(started);
    let program = pidfd_open(children.program, PidfdFlags::empty())?;
    let mut counted = started;
    loop {
        children.reap();
        if children.status.is_some() {
            return Ok(EndReason::Ended);
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(EndReason::Deadline);
        }
        if counted.elapsed() >= INTERVAL {
            counted = Instant::now();
            if descendants::living().len() as u64 > orders.limits.processes {
                return Ok(EndReason::Processes);
            }
        }
        let pause = Timespec::try_from(left.min(INTERVAL)).ok();
        let mut events = [
            PollFd::from_borrowed_fd(program.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(control.as_fd(), PollFlags::IN),
        ];
        // If interrupted, the loop checks again.
        let _ = poll(&mut events, pause.as_ref());
        // sealwave sends nothing: the socket is readable when it was closed.
        if !events[1].revents().is_empty() {
            return Ok(EndReason::Stopped);
        }
    }
}

/// Ends what is still running after a time to settle. Returns how many processes there were.
fn end_all(children: &mut Children, settling: Duration) -> usize {
    /// More than any process needs to end after it was killed.
    const PATIENCE: Duration = Duration::from_secs(5);
    const PAUSE: Duration = Duration::from_millis(2);

    let started = Instant::now();
    while children.reap() && started.elapsed() < settling {
        std::thread::sleep(PAUSE);
    }
    if !children.reap() {
        return 0;
    }
    let found = descendants::living().len();
    while children.reap() && started.elapsed() < settling + PATIENCE {
        descendants::kill_all();
        std::thread::sleep(PAUSE);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_as_written() {
        for (reason, _) in EndReason::ALL {
            let report = GuardReport { reason, status: 31744, left_running: 3 };
            assert_eq!(GuardReport::parse(report.line().as_bytes()), Some(report));
        }
    }

    #[test]
    fn a_part_of_a_report_is_none() {
        for text in ["", "ended 0 0", "ended 0\n", "other 0 0\n", "ended x 0\n"] {
            assert_eq!(GuardReport::parse(text.as_bytes()), None, "{text}");
        }
    }
}
