//! Starts the child and waits until it ends.
//!
//! The child writes to anonymous files in memory. They need not be read while it runs, and are not in the memory of the
//! parent.

use std::ffi::OsString;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{io, thread};

use fs_err::File;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::ChildOrders;

/// This binary, even if its file was replaced or the working directory is hostile.
const THIS_BINARY: &str = "/proc/self/exe";
/// A setting of the allocator. By default, it reserves a gibibyte of address space at once, before a limit is set. With
/// this setting, it reserves 32 MiB for the first thread, and for other threads only what they use.
const ALLOCATOR: (&str, &str) = ("MIMALLOC_ARENA_RESERVE", "0");
/// The polling interval on systems that cannot wait for a child.
const PAUSE: Duration = Duration::from_millis(5);

/// A child that ended, and its output.
pub(super) struct ExitedChild {
    pub(super) status: ExitStatus,
    pub(super) stdout: File,
    pub(super) stderr: File,
}

/// Runs this binary with these arguments. Returns `None` if it had to be killed at `backstop`.
///
/// # Errors
/// The child cannot be started.
pub(super) fn run(
    args: &[OsString],
    orders: &ChildOrders,
    reads_stdin: bool,
    backstop: Instant,
) -> io::Result<Option<ExitedChild>> {
    let (stdout, for_child) = in_memory("sealwave-stdout")?;
    let (stderr, errors_for_child) = in_memory("sealwave-stderr")?;
    let mut command = Command::new(THIS_BINARY);
    if let Some((name, _)) = args.split_first() {
        command.arg0(name);
    }
    let mut child = command
        .arg(orders.argument())
        .args(args.iter().skip(1))
        .env(ALLOCATOR.0, ALLOCATOR.1)
        .stdin(if reads_stdin { Stdio::inherit() } else { Stdio::null() })
        .stdout(for_child)
        .stderr(errors_for_child)
        .spawn()?;
    let status = wait(&mut child, backstop)?;
    Ok(status.map(|status| ExitedChild { status, stdout, stderr }))
}

fn in_memory(name: &str) -> io::Result<(File, Stdio)> {
    // Before kernel 6.3, files cannot be sealed against execution.
    let file = memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::NOEXEC_SEAL)
        .or_else(|_| memfd_create(name, MemfdFlags::CLOEXEC))?;
    let ours: OwnedFd = file.try_clone()?;
    Ok((File::from_parts(ours.into(), name), file.into()))
}

/// Waits for a child and kills it at `backstop`.
fn wait(child: &mut Child, backstop: Instant) -> io::Result<Option<ExitStatus>> {
    let watched = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let watched = watched.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let left = backstop.saturating_duration_since(Instant::now());
        if left.is_zero() {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        match &watched {
            Some(watched) => {
                let mut events = [PollFd::from_borrowed_fd(watched.as_fd(), PollFlags::IN)];
                // If interrupted, the loop checks again.
                let _ = poll(&mut events, Timespec::try_from(left).ok().as_ref());
            }
            None => thread::sleep(left.min(PAUSE)),
        }
    }
}
