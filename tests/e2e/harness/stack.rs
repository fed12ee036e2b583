//! All programs of a run, from the first start to the end.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::argocd::ArgoCd;
use super::audit::AuditLog;
use super::cluster::{Cluster, Kind};
use super::control_plane::ControlPlane;
use super::kubelet::Kubelet;
use super::programs::Programs;
use super::sealed_secrets::SealedSecretsController;
use super::state_directory;
use super::wait::until;

const DEFINITION: Kind = Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition");

/// The running programs.
pub struct Stack {
    pub argocd: ArgoCd,
    pub controller: SealedSecretsController,
    pub kubelet: Kubelet,
    control_plane: ControlPlane,
    directory: PathBuf,
    /// Held until the end, so that no other run uses the directory.
    _lock: File,
    /// A file system in memory, which only processes of this run see.
    memory: PathBuf,
    programs: Programs,
}

impl Stack {
    /// Starts all programs and waits until they are ready.
    ///
    /// # Panics
    /// If one does not become ready.
    pub fn start(programs: &Programs) -> Self {
        let (directory, lock) = run_directory();
        let memory = PathBuf::from("/run/sealwave-e2e");
        fs_err::create_dir_all(&memory).expect("a directory");
        let control_plane = ControlPlane::start(programs, &directory, &memory);
        let cluster = control_plane.cluster();
        install_definitions(&cluster, &programs.share());
        let kubelet = Kubelet::start(Arc::clone(&cluster));
        let controller = SealedSecretsController::start(programs, &directory, &control_plane);
        let argocd = ArgoCd::start(programs, &directory, &memory, &control_plane);
        Self {
            argocd,
            controller,
            kubelet,
            control_plane,
            directory,
            _lock: lock,
            memory,
            programs: programs.clone(),
        }
    }

    /// Stops all programs, and removes the directory unless a test failed.
    pub fn stop(&self, failed: bool) {
        self.argocd.stop();
        self.controller.stop();
        self.kubelet.stop();
        self.control_plane.stop();
        if failed {
            eprintln!("logs of all programs: {}", self.directory.display());
        } else {
            fs_err::remove_dir_all(&self.directory).expect("the directory of the run can be removed");
        }
    }

    pub fn cluster(&self) -> &Cluster {
        self.control_plane.cluster_ref()
    }

    pub fn audit_log(&self) -> AuditLog {
        AuditLog::read(&self.control_plane.audit_log())
    }

    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// Returns the directory of logs.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    pub fn memory(&self) -> &Path {
        &self.memory
    }
}

/// Makes the directory of this run, without what a killed run left. One run at a time uses it.
fn run_directory() -> (PathBuf, File) {
    let lock = File::create(state_directory().join("lock")).expect("a lock");
    if lock.try_lock().is_err() {
        eprintln!("waiting for the end of another run of the end-to-end tests");
        lock.lock().expect("a lock");
    }
    let run = state_directory().join("run");
    if run.exists() {
        fs_err::remove_dir_all(&run).expect("an old run can be removed");
    }
    fs_err::create_dir_all(&run).expect("a directory");
    (run, lock)
}

fn install_definitions(cluster: &Cluster, share: &Path) {
    let mut files: Vec<_> =
        walkdir::WalkDir::new(share).into_iter().map(|entry| entry.expect("readable")).collect();
    files.sort_by(|a, b| a.path().cmp(b.path()));
    let files = files.iter().filter(|file| file.file_type().is_file());
    let definitions: Vec<Value> = files
        .flat_map(|file| super::yaml::documents(&fs_err::read_to_string(file.path()).expect("readable")))
        .map(|document| cluster.apply(&document))
        .collect();
    for definition in &definitions {
        wait_established(cluster, definition);
    }
}

/// Waits until the API server accepts objects of a definition; on a busy machine, that takes a while.
fn wait_established(cluster: &Cluster, definition: &Value) {
    let name = definition["metadata"]["name"].as_str().expect("a name");
    until(&format!("{name} to be established"), || {
        let live = cluster.get(DEFINITION, None, name).ok_or("it is missing")?;
        let conditions = live["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let established = |it: &Value| it["type"] == "Established" && it["status"] == "True";
        if conditions.iter().any(established) { Ok(()) } else { Err(format!("{conditions:?}")) }
    });
}
