//! What one run, and all runs of a sidecar together, may take of its memory.

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};

/// MiB of output that a run may have; Argo CD takes no more than 100.
pub const MAX_OUTPUT_MIB: u64 = 90;

/// MiB of memory that one run may allocate. The kernel holds it to that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimit(u64);

impl MemoryLimit {
    /// The lowest limit. The allocator takes 32 MiB at once for each of a few threads; a run of a small app gets by with it.
    pub const MIN: Self = Self(192);
    const MOST: u64 = 16_384;

    /// A limit in MiB; `None` if a run could not work within it, or no container has so much.
    #[must_use]
    pub fn new(mib: u64) -> Option<Self> {
        (Self::MIN.0..=Self::MOST).contains(&mib).then_some(Self(mib))
    }

    /// In MiB.
    #[must_use]
    pub const fn mib(self) -> u64 {
        self.0
    }

    /// In bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0 << 20
    }
}

impl Default for MemoryLimit {
    fn default() -> Self {
        Self(400)
    }
}

impl<'de> Deserialize<'de> for MemoryLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mib = u64::deserialize(deserializer)?;
        Self::new(mib).ok_or_else(|| out_of_bounds("memoryLimitMiB", mib, Self::MIN.0, Self::MOST))
    }
}

/// The parser does not name the field of such an error.
fn out_of_bounds<E: Error>(field: &str, number: u64, least: u64, most: u64) -> E {
    E::invalid_value(Unexpected::Unsigned(number), &format!("`{field}` of {least} to {most}").as_str())
}

/// Runs that work at once in one sidecar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concurrency(u64);

impl Concurrency {
    const MOST: u64 = 64;

    /// A number of runs; `None` for none, and for more than any sidecar has memory for.
    #[must_use]
    pub fn new(runs: u64) -> Option<Self> {
        (1..=Self::MOST).contains(&runs).then_some(Self(runs))
    }

    /// Runs of all projects.
    #[must_use]
    pub const fn runs(self) -> u64 {
        self.0
    }

    /// Runs of one project: half of them, so that no project keeps the others waiting. At least one.
    #[must_use]
    pub const fn runs_of_one_project(self) -> u64 {
        if self.0 < 2 { 1 } else { self.0 / 2 }
    }
}

impl Default for Concurrency {
    fn default() -> Self {
        Self(4)
    }
}

impl<'de> Deserialize<'de> for Concurrency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let runs = u64::deserialize(deserializer)?;
        Self::new(runs).ok_or_else(|| out_of_bounds("concurrency", runs, 1, Self::MOST))
    }
}

/// The memory that a sidecar needs, so that no app can have the kernel end it. `docs/sizing.md` explains the terms.
#[derive(Clone, Copy, Debug)]
pub struct SidecarMemory {
    /// Runs that work at once.
    pub concurrency: Concurrency,
    /// Memory of one of them.
    pub limit: MemoryLimit,
}

impl SidecarMemory {
    /// argocd-cmp-server itself, and what it has buffered of requests that wait or are being answered.
    const SERVER_MIB: u64 = 192;
    /// A process that waits for its turn, or holds the output of its child.
    const WAITING_MIB: u64 = 6;
    /// Processes that wait at once.
    const WAITING: u64 = 32;
    /// The output is held by the run's parent, and twice by argocd-cmp-server: as it arrives, and as it is passed on.
    const COPIES_OF_OUTPUT: u64 = 3;

    /// `limits.memory` of the container, in MiB.
    #[must_use]
    pub const fn mib(self) -> u64 {
        let run = self.limit.mib() + Self::COPIES_OF_OUTPUT * MAX_OUTPUT_MIB;
        Self::SERVER_MIB + Self::WAITING * Self::WAITING_MIB + self.concurrency.runs() * run
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_bounds_are_refused() {
        assert_eq!(MemoryLimit::new(400), Some(MemoryLimit::default()));
        assert_eq!(Concurrency::new(4), Some(Concurrency::default()));
        for mib in [0, 191, 16_385, u64::MAX] {
            assert_eq!(MemoryLimit::new(mib), None);
        }
        for runs in [0, 65, u64::MAX] {
            assert_eq!(Concurrency::new(runs), None);
        }
    }

    #[test]
    fn a_project_gets_at_most_half_of_the_runs_and_at_least_one() {
        for (runs, share) in [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (64, 32)] {
            assert_eq!(Concurrency::new(runs).map(Concurrency::runs_of_one_project), Some(share));
        }
    }
}
