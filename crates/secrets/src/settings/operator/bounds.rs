//! Memory limits of one run, and of all runs of a sidecar together.

use schemars::JsonSchema;
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};

/// Maximum output of a run in MiB; Argo CD accepts at most 100.
pub const MAX_OUTPUT_MIB: u64 = 90;

/// Maximum memory of one run in MiB, enforced by the kernel.
#[derive(Clone, Copy, Debug, JsonSchema, PartialEq, Eq)]
#[schemars(with = "u64", extend("minimum" = Self::MIN.0, "maximum" = Self::MAX, "default" = Self::default().0))]
pub struct MemoryLimit(u64);

impl MemoryLimit {
    /// The lowest limit. The allocator reserves 32 MiB for each of a few threads; a run of a small app fits.
    pub const MIN: Self = Self(192);
    const MAX: u64 = 16_384;

    /// Creates a limit in MiB; `None` if it is too low for a run or exceeds any container's memory.
    #[must_use]
    pub fn new(mib: u64) -> Option<Self> {
        (Self::MIN.0..=Self::MAX).contains(&mib).then_some(Self(mib))
    }

    /// Returns the limit in MiB.
    #[must_use]
    pub const fn mib(self) -> u64 {
        self.0
    }

    /// Returns the limit in bytes.
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
        Self::new(mib).ok_or_else(|| out_of_bounds(mib, Self::MIN.0, Self::MAX))
    }
}

/// Returns the error for a number out of bounds.
fn out_of_bounds<E: Error>(number: u64, min: u64, max: u64) -> E {
    E::invalid_value(Unexpected::Unsigned(number), &format!("a whole number from {min} to {max}").as_str())
}

/// Maximum number of concurrent runs in one sidecar.
#[derive(Clone, Copy, Debug, JsonSchema, PartialEq, Eq)]
#[schemars(with = "u64", extend("minimum" = 1, "maximum" = Self::MAX, "default" = Self::default().0))]
pub struct Concurrency(u64);

impl Concurrency {
    const MAX: u64 = 64;

    /// Creates a number of runs; `None` for zero, and for more than any sidecar has memory for.
    #[must_use]
    pub fn new(runs: u64) -> Option<Self> {
        (1..=Self::MAX).contains(&runs).then_some(Self(runs))
    }

    /// Returns the number of runs of all projects.
    #[must_use]
    pub const fn runs(self) -> u64 {
        self.0
    }

    /// Returns the number of runs of one project: half of all, so that a project cannot block the others, but at least
    /// one.
    #[must_use]
    pub const fn runs_per_project(self) -> u64 {
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
        Self::new(runs).ok_or_else(|| out_of_bounds(runs, 1, Self::MAX))
    }
}

/// The memory that a sidecar needs so that no app can cause the kernel to kill it. `docs/install/sizing.md` explains the terms.
#[derive(Clone, Copy, Debug)]
pub struct SidecarMemory {
    /// Maximum number of concurrent runs.
    pub concurrency: Concurrency,
    /// Memory limit of one run.
    pub limit: MemoryLimit,
}

impl SidecarMemory {
    /// argocd-cmp-server itself, including its buffers for waiting and active requests.
    const SERVER_MIB: u64 = 192;
    /// A process that waits for its turn, or holds the output of its child.
    const WAITING_MIB: u64 = 6;
    /// Number of waiting processes.
    const WAITING: u64 = 32;
    /// The output is held by the run's parent, and twice by argocd-cmp-server: as received and as passed on.
    const COPIES_OF_OUTPUT: u64 = 3;

    /// Returns `limits.memory` of the container, in MiB.
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
            assert_eq!(Concurrency::new(runs).map(Concurrency::runs_per_project), Some(share));
        }
    }
}
