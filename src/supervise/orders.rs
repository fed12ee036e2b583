//! The parent's orders to the child: one argument before those of the command. Only the process that starts the binary
//! can set it; any other form is an unknown subcommand.

use std::ffi::{OsStr, OsString};
use std::io;
use std::time::Duration;

use anstream::ColorChoice;
use rustix::process::{Pid, getpid};

use crate::shell;
use sealwave_core::workers;
use sealwave_programs::process_limits;
use sealwave_secrets::settings::MemoryLimit;

/// The prefix of the argument.
const MARK: &str = "supervised-run";

/// The part of the limit, in MiB, for each additional thread: its stack, and the allocator's reservation.
const THREAD_MIB: u64 = 96;

/// The limits and settings of a child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildOrders {
    memory: MemoryLimit,
    waited: Duration,
    parent: Pid,
    is_colored: bool,
}

/// The role of this process, determined from its arguments.
#[derive(Debug)]
pub enum ProcessRole {
    /// The process started by a user or Argo CD.
    Parent,
    /// A child that does the work, with the arguments of the command.
    Child(ChildOrders, Vec<OsString>),
}

impl ProcessRole {
    /// Determines the role from the arguments of this process, including its name.
    #[must_use]
    pub fn new(args: &[OsString]) -> Self {
        let [name, orders, command @ ..] = args else { return Self::Parent };
        ChildOrders::parse(orders).map_or(Self::Parent, |orders| {
            let args = std::iter::once(name).chain(command).cloned();
            Self::Child(orders, args.collect())
        })
    }
}

impl ChildOrders {
    /// Creates the orders for a child of this process.
    pub(super) fn new(memory: MemoryLimit, waited: Duration) -> Self {
        // The child writes to memory, so only the parent knows whether standard error is a terminal.
        let is_colored = anstream::AutoStream::choice(&std::io::stderr()) != ColorChoice::Never;
        Self { memory, waited, parent: getpid(), is_colored }
    }

    /// Returns the argument that [`ProcessRole::new`] parses.
    pub(super) fn argument(&self) -> OsString {
        let Self { memory, waited, parent, is_colored } = self;
        let (memory, waited) = (memory.mib(), waited.as_millis());
        format!("{MARK}:{memory}:{waited}:{}:{is_colored}", parent.as_raw_nonzero()).into()
    }

    fn parse(argument: &OsStr) -> Option<Self> {
        let mut parts = argument.to_str()?.split(':');
        if parts.next()? != MARK {
            return None;
        }
        let memory = MemoryLimit::new(parts.next()?.parse().ok()?)?;
        let waited = Duration::from_millis(parts.next()?.parse().ok()?);
        let parent = Pid::from_raw(parts.next()?.parse().ok().filter(|pid| *pid > 0)?)?;
        let is_colored = parts.next()?.parse().ok()?;
        parts.next().is_none().then_some(Self { memory, waited, parent, is_colored })
    }

    /// Returns how long the run waited before this process was started.
    #[must_use]
    pub const fn waited(&self) -> Duration {
        self.waited
    }

    /// Applies the limits to this process. Must be called first.
    ///
    /// # Errors
    /// The system refuses, or the parent has ended.
    pub fn apply(&self) -> io::Result<()> {
        process_limits::bound_memory(self.memory.bytes())?;
        shell::report_exhausted_memory(self.memory.bytes() / 8);
        workers::limit_threads(usize::try_from(self.memory.mib() / THREAD_MIB).unwrap_or(usize::MAX).max(1));
        process_limits::end_with_parent(self.parent)?;
        let choice = if self.is_colored { ColorChoice::AlwaysAnsi } else { ColorChoice::Never };
        choice.write_global();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_reads_what_its_parent_wrote() {
        let orders = ChildOrders::new(MemoryLimit::default(), Duration::from_millis(1234));
        let args = [OsString::from("sealwave"), orders.argument(), OsString::from("discover")];
        let ProcessRole::Child(read, command) = ProcessRole::new(&args) else { panic!("not a child") };
        assert_eq!((read, command.as_slice()), (orders, &["sealwave", "discover"].map(OsString::from)[..]));
    }

    #[test]
    fn other_arguments_are_not_orders() {
        for argument in [
            "generate",
            "supervised-run",
            "supervised-run:400:0:1",
            "supervised-run:1:0:1:true",
            "supervised-run:400:0:0:true",
            "supervised-run:400:0:-1:true",
            "supervised-run:400:0:1:true:more",
        ] {
            let role = ProcessRole::new(&[OsString::from("sealwave"), OsString::from(argument)]);
            assert!(matches!(role, ProcessRole::Parent), "{argument}");
        }
    }
}
