//! Limits how many runs work at once in one sidecar.
//!
//! Argo CD starts as many as there are requests. Each run locks one file shared by all projects and one for its own
//! project, which has fewer; the kernel releases both, however the run ends. A run locks its project's file first and
//! holds it while waiting for the other. A run that holds both waits for nothing, so deadlocks are impossible.
//!
//! The files are empty, are never removed, and have fixed names: nothing in them comes from a repository. Their
//! directory is private to this user.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{io, thread};

use rustix::fs::{FlockOperation, Mode, OFlags, flock, fstat, mkdir, open, openat};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::config::SlotRequest;
use sealwave_core::sha256_hex;
use sealwave_secrets::settings::Concurrency;

/// The pauses between two attempts: the first one, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(100));

/// A slot among the runs of a sidecar; released when dropped.
pub(super) struct RunSlot {
    _of_project: OwnedFd,
    _of_all: OwnedFd,
}

/// The reason why no slot is available.
#[derive(Debug)]
pub(super) enum SlotError {
    /// All slots were in use until the deadline.
    Busy(Concurrency),
    /// Another user created the directory, or can access it.
    NotOurs(PathBuf),
    /// The files cannot be created or locked.
    Unusable(PathBuf, io::ErrorKind),
}

/// Waits for a slot.
///
/// # Errors
/// No slot became free in time, or the lock files cannot be used.
pub(super) fn wait(turn: &SlotRequest, until: Instant) -> Result<RunSlot, SlotError> {
    let path = turn.directory.join(format!("sealwave-slots-{}", geteuid().as_raw()));
    let unusable = |error: io::Error| SlotError::Unusable(path.clone(), error.kind());
    let directory = private_directory(&path)?;
    // Project names are not valid file names.
    let project = turn.project.as_ref().map_or_else(
        || "no-project".to_owned(),
        |project| format!("project-{}", sha256_hex(project.as_bytes())),
    );
    let of_project = files(&directory, &project, turn.concurrency.runs_per_project()).map_err(unusable)?;
    let of_project = lock_one(of_project, until).map_err(unusable)?;
    let of_project = of_project.ok_or(SlotError::Busy(turn.concurrency))?;
    let of_all = files(&directory, "run", turn.concurrency.runs()).map_err(unusable)?;
    let of_all = lock_one(of_all, until).map_err(unusable)?.ok_or(SlotError::Busy(turn.concurrency))?;
    Ok(RunSlot { _of_project: of_project, _of_all: of_all })
}

/// Creates the directory if it is missing, and checks that no other user can access it.
fn private_directory(path: &Path) -> Result<OwnedFd, SlotError> {
    let unusable = |error: io::Error| SlotError::Unusable(path.to_owned(), error.kind());
    match mkdir(path, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(unusable(error.into())),
    }
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
    // A symbolic link is not followed, and so is treated as another user's.
    let directory = open(path, flags, Mode::empty()).map_err(|_| SlotError::NotOurs(path.to_owned()))?;
    let about = fstat(&directory).map_err(|error| unusable(error.into()))?;
    let others = Mode::from_raw_mode(about.st_mode) & (Mode::RWXG | Mode::RWXO);
    let is_private = about.st_uid == geteuid().as_raw() && others.is_empty();
    if is_private { Ok(directory) } else { Err(SlotError::NotOurs(path.to_owned())) }
}

fn files(directory: &OwnedFd, name: &str, count: u64) -> io::Result<Vec<OwnedFd>> {
    let flags = OFlags::CREATE | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = |index| Ok(openat(directory, format!("{name}-{index}"), flags, Mode::RUSR | Mode::WUSR)?);
    (0..count).map(file).collect()
}

/// Locks one of these files. Returns `None` if all of them stay locked until the deadline.
fn lock_one(files: Vec<OwnedFd>, until: Instant) -> io::Result<Option<OwnedFd>> {
    let (mut pause, longest) = PAUSES;
    loop {
        if let Some(index) = first_free(&files)? {
            return Ok(files.into_iter().nth(index));
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        thread::sleep(pause.min(left));
        pause = pause.saturating_mul(2).min(longest);
    }
}

fn first_free(files: &[OwnedFd]) -> io::Result<Option<usize>> {
    for (index, file) in files.iter().enumerate() {
        match flock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Some(index)),
            Err(Errno::WOULDBLOCK | Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}
