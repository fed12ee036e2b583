//! Irrevocable limits of this process, and its tie to the process that started it.

use std::io;

use rustix::process::{
    DumpableBehavior, Pid, Resource, Rlimit, Signal, getppid, getrlimit, set_dumpable_behavior,
    set_parent_process_death_signal, setrlimit,
};

/// Keeps the memory of this process, which may contain secret values, out of core files and away from debuggers of the
/// same user. Core files that are piped to a program ignore the size limit, so the process is also marked as not
/// dumpable.
pub fn deny_core_dumps() {
    // If the system refuses, there is no alternative.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Limits the memory of this process in bytes: heap, anonymous mappings and stacks of threads. Allocations beyond the limit
/// fail, which ends the process.
///
/// # Errors
/// The system refuses.
pub fn bound_memory(bytes: u64) -> io::Result<()> {
    lower_limit(Resource::Data, bytes, bytes)
}

/// Sets both limits of a resource, and keeps existing lower ones.
pub(crate) fn lower_limit(resource: Resource, current: u64, maximum: u64) -> io::Result<()> {
    let maximum = getrlimit(resource).maximum.map_or(maximum, |there| there.min(maximum));
    let limit = Rlimit { current: Some(current.min(maximum)), maximum: Some(maximum) };
    Ok(setrlimit(resource, limit)?)
}

/// Makes the kernel kill this process when its parent ends.
///
/// # Errors
/// The system refuses, or the parent has already ended.
pub fn end_with_parent(parent: Pid) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
}
