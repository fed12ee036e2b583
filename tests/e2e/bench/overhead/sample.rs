//! One measurement: how long something took, and which program used the processor.

use std::sync::Arc;
use std::time::Instant;

use crate::harness::{CpuTime, Sidecar, Stack};

/// The cost of an action, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub wall: f64,
    pub controller: CpuTime,
    /// Its children are git and Kustomize.
    pub repo_server: CpuTime,
    /// Its children are sealwave.
    pub sidecar: CpuTime,
}

impl Sample {
    /// Measures what an action costs.
    pub fn take(stack: &Arc<Stack>, sidecar: &Sidecar, action: impl FnOnce()) -> Self {
        let before = Self::now(stack, sidecar);
        let start = Instant::now();
        action();
        let wall = start.elapsed().as_secs_f64();
        let after = Self::now(stack, sidecar);
        Self {
            wall,
            controller: after.controller - before.controller,
            repo_server: after.repo_server - before.repo_server,
            sidecar: after.sidecar - before.sidecar,
        }
    }

    fn now(stack: &Arc<Stack>, sidecar: &Sidecar) -> Self {
        Self {
            wall: 0.0,
            controller: stack.argocd.cpu_time("application-controller"),
            repo_server: stack.argocd.cpu_time("repo-server"),
            sidecar: sidecar.cpu_time(),
        }
    }

    /// Returns what rendering costs: all but the comparison.
    pub fn rendering(&self) -> f64 {
        self.repo_server.total() + self.sidecar.total()
    }
}
