//! Starting the child, and waiting until it ends.
//!
//! The child prints into anonymous files in memory. Nothing has to be read while it runs, and nothing of what it prints is in
//! the memory of the parent.

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

use super::Orders;

/// This very binary, also where its file was replaced or the working directory is hostile.
const THIS_BINARY: &str = "/proc/self/exe";
/// A setting of the allocator. By default it takes a gibibyte of address space at once, before any limit is set, which a
/// limit could not take back. Without that it takes 32 MiB for a thread, and counts for a further thread only what is used.
const ALLOCATOR: (&str, &str) = ("MIMALLOC_ARENA_RESERVE", "0");
/// Time between two looks at a child, where the system cannot wait for it.
const PAUSE: Duration = Duration::from_millis(5);

/// A child that ended, and what it printed.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) stdout: File,
    pub(super) stderr: File,
}

/// Runs this binary with these arguments; `None` when it had to be killed at `backstop`.
///
/// # Errors
/// The child cannot be started.
pub(super) fn run(args: &[OsString], orders: &Orders, backstop: Instant) -> io::Result<Option<Ended>> {
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
        .stdin(Stdio::null())
        .stdout(for_child)
        .stderr(errors_for_child)
        .spawn()?;
    let status = wait(&mut child, backstop)?;
    Ok(status.map(|status| Ended { status, stdout, stderr }))
}

fn in_memory(name: &str) -> io::Result<(File, Stdio)> {
    // A kernel before 6.3 does not know that such a file is never to be executed.
    let file = memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::NOEXEC_SEAL)
        .or_else(|_| memfd_create(name, MemfdFlags::CLOEXEC))?;
    let ours: OwnedFd = file.try_clone()?;
    Ok((File::from_parts(ours.into(), name), file.into()))
}

/// Waits for a child, and kills it at `backstop`.
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
                // Interrupted or not, the loop looks again.
                let _ = poll(&mut events, Timespec::try_from(left).ok().as_ref());
            }
            None => thread::sleep(left.min(PAUSE)),
        }
    }
}
