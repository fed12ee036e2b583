//! The limits of a run.

use std::time::Duration;

/// The limits of a run. A program that reaches one of them is ended with all its descendants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunLimits {
    /// Time until the end, enforced by the guard.
    pub wall_time: Duration,
    /// Seconds of the processor for each process, enforced by the kernel.
    pub cpu_seconds: u64,
    /// Bytes of heap, stacks and anonymous mappings for each process, enforced by the kernel.
    pub memory: u64,
    /// Bytes of each written file, enforced by the kernel.
    pub file_size: u64,
    /// Number of processes at the same time, checked by the guard ten times per second.
    pub processes: u64,
    /// Bytes of standard output.
    pub output: u64,
    /// Bytes of standard error.
    pub error_output: u64,
}

impl Default for RunLimits {
    fn default() -> Self {
        Self {
            wall_time: Duration::from_secs(30),
            cpu_seconds: 30,
            memory: 512 << 20,
            file_size: 64 << 20,
            processes: 32,
            output: 64 << 20,
            error_output: 1 << 20,
        }
    }
}

/// The network that a program can use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NetworkAccess {
    /// None: no socket can be created.
    #[default]
    None,
    /// TCP connections to these ports of any host, and requests to name servers. The kernel does not know names of hosts, so
    /// the caller checks them before the run.
    Ports(Vec<u16>),
}
