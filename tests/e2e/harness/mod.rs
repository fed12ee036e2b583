//! Starts and stops the programs, and gives tests what they need to drive them and to look at what happened.
//!
//! Nothing here knows a test. The stand-ins ([`kubelet`], [`csi`]) do only what needs a container runtime, a disk, a load
//! balancer or a cloud; everything else is the real program.

mod app;
mod app_files;
mod argocd;
mod audit;
mod availability;
mod broken_program;
mod cluster;
mod control_plane;
mod cpu;
mod csi;
mod external_secrets;
mod git;
mod kubelet;
pub mod leaks;
mod operator_files;
mod pod_inputs;
mod ports;
mod process;
mod programs;
mod redis;
mod round_robin;
mod sealed_secrets;
mod sidecar;
mod small_app;
mod snapshot;
mod stack;
mod wait;
mod yaml;

pub use app::{Refresh, Secrets, TestApp, condition, out_of_sync, summary};
pub use app_files::{APP_FILE, SECRET_FILE};
pub use argocd::{ARGOCD, RepoServerOptions};
pub use availability::{Availability, availability, run_isolated, state_directory};
pub use broken_program::{Break, run_broken_program};
pub use cluster::{APPLICATION, Answer, CONFIG_MAP, DEPLOYMENT, Kind, NAMESPACE, POD, SEALED_SECRET, SECRET};
pub use cpu::CpuTime;
pub use git::{Repository, copy_tree};
pub use operator_files::{OPERATOR_KEYS, operator_file};
pub use programs::Programs;
pub use round_robin::RoundRobin;
pub use sealed_secrets::{KEYS, SERVICE, SealedSecretsController};
pub use sidecar::{Sidecar, SidecarOptions};
pub use small_app::{SmallApp, WRONG_CERTIFICATE};
pub use stack::Stack;
pub use wait::{until, until_within};
pub use yaml::documents;

/// Locks, also after a panic of another test.
fn locked<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
