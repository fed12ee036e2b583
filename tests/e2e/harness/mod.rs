//! Starts and stops the programs, and gives tests what they need to drive them and to look at what happened.
//!
//! Nothing here knows a test. The stand-in ([`kubelet`]) does only what needs a container runtime, a
//! disk or a load balancer; everything else is the real program.

mod app;
mod argocd;
mod audit;
mod availability;
mod cluster;
mod control_plane;
mod cpu;
mod git;
mod kubelet;
mod pod_inputs;
mod ports;
mod process;
mod programs;
mod sealed_secrets;
mod sidecar;
mod stack;
mod wait;
mod yaml;

pub use app::{Refresh, TestApp};
pub use argocd::{ARGOCD, RepoServerOptions};
pub use availability::{Availability, availability, run_isolated, state_directory};
pub use cluster::{APPLICATION, NAMESPACE};
pub use cpu::CpuTime;
pub use git::Repository;
pub use process::Process;
pub use programs::Programs;
pub use stack::Stack;
pub use wait::{until, until_within};
pub use yaml::documents;

/// Locks, also after a panic of another test.
fn locked<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
