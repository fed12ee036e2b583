//! What a process forbids itself, for good.

use std::io;

use rustix::process::{
    DumpableBehavior, Pid, Resource, Rlimit, Signal, getppid, getrlimit, set_dumpable_behavior,
    set_parent_process_death_signal, setrlimit,
};

use sealwave_secrets::settings::MemoryLimit;

/// Keeps the memory of this process, which may hold secret values, out of core files, and out of reach of a debugger of the
/// same user. A core file that a program collects ignores its limit, so the process also says that it may not be dumped.
pub fn deny_core_dumps() {
    // Where the system refuses, there is nothing that it would have to be asked for instead.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Bounds the memory of this process: heap, anonymous mappings and stacks of threads. An allocation beyond it fails, which
/// ends the process.
///
/// # Errors
/// The system refuses.
pub(super) fn bound_memory(limit: MemoryLimit) -> io::Result<()> {
    // A lower limit that is there already stays.
    let there = getrlimit(Resource::Data).maximum;
    let bytes = there.map_or(limit.bytes(), |there| there.min(limit.bytes()));
    Ok(setrlimit(Resource::Data, Rlimit { current: Some(bytes), maximum: Some(bytes) })?)
}

/// Has the kernel kill this process when its parent ends.
///
/// # Errors
/// The system refuses, or the parent ended already.
pub(super) fn end_with(parent: Pid) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
}
