//! Irrevocable limits of a process.

use std::io;

use rustix::process::{
    DumpableBehavior, Pid, Resource, Rlimit, Signal, getppid, getrlimit, set_dumpable_behavior,
    set_parent_process_death_signal, setrlimit,
};

use sealwave_secrets::settings::MemoryLimit;

/// Keeps the memory of this process, which may contain secret values, out of core files and away from debuggers of the
/// same user. Core files that are piped to a program ignore the size limit, so the process is also marked as not
/// dumpable.
pub fn deny_core_dumps() {
    // If the system refuses, there is no alternative.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Limits the memory of this process: heap, anonymous mappings and stacks of threads. Allocations beyond the limit
/// fail, which ends the process.
///
/// # Errors
/// The system refuses.
pub(super) fn bound_memory(limit: MemoryLimit) -> io::Result<()> {
    // Keep an existing lower limit.
    let there = getrlimit(Resource::Data).maximum;
    let bytes = there.map_or(limit.bytes(), |there| there.min(limit.bytes()));
    Ok(setrlimit(Resource::Data, Rlimit { current: Some(bytes), maximum: Some(bytes) })?)
}

/// Makes the kernel kill this process when its parent ends.
///
/// # Errors
/// The system refuses, or the parent has already ended.
pub(super) fn end_with_parent(parent: Pid) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
}
