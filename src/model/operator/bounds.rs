//! What one run, and all runs of a sidecar together, may take of its memory.

use serde::Deserialize;

/// MiB of output that a run may have; Argo CD takes no more than 100.
pub const MAX_OUTPUT_MIB: u64 = 90;

/// MiB of memory that one run may allocate. The kernel holds it to that.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "u64")]
pub struct MemoryLimit(u64);

impl MemoryLimit {
    /// A run of the smallest app needs about a third of this, stacks included.
    const LEAST: u64 = 128;
    const MOST: u64 = 16_384;

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

/// A number that an operator file may not have in this place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` must be {least} to {most}")]
pub struct OutOfBounds {
    field: &'static str,
    least: u64,
    most: u64,
}

impl TryFrom<u64> for MemoryLimit {
    type Error = OutOfBounds;

    fn try_from(mib: u64) -> Result<Self, OutOfBounds> {
        let (least, most) = (Self::LEAST, Self::MOST);
        let wrong = OutOfBounds { field: "memoryLimitMiB", least, most };
        if (least..=most).contains(&mib) { Ok(Self(mib)) } else { Err(wrong) }
    }
}

/// Runs that work at once in one sidecar.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "u64")]
pub struct Concurrency(u64);

impl Concurrency {
    const MOST: u64 = 64;

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

impl TryFrom<u64> for Concurrency {
    type Error = OutOfBounds;

    fn try_from(runs: u64) -> Result<Self, OutOfBounds> {
        let wrong = OutOfBounds { field: "concurrency", least: 1, most: Self::MOST };
        if (1..=Self::MOST).contains(&runs) { Ok(Self(runs)) } else { Err(wrong) }
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
        assert_eq!(MemoryLimit::try_from(400), Ok(MemoryLimit::default()));
        for mib in [0, 127, 16_385, u64::MAX] {
            assert!(MemoryLimit::try_from(mib).is_err(), "{mib}");
        }
        for runs in [0, 65, u64::MAX] {
            assert!(Concurrency::try_from(runs).is_err(), "{runs}");
        }
    }

    #[test]
    fn a_project_gets_at_most_half_of_the_runs_and_at_least_one() {
        for (runs, share) in [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (64, 32)] {
            assert_eq!(Concurrency::try_from(runs).map(Concurrency::runs_of_one_project), Ok(share));
        }
    }
}
