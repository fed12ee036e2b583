//! All programs of a run, from the first start to the end.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::argocd::ArgoCd;
use super::audit::AuditLog;
use super::cluster::Cluster;
use super::control_plane::ControlPlane;
use super::external_secrets::ExternalSecretsOperator;
use super::kubelet::Kubelet;
use super::programs::Programs;
use super::sealed_secrets::SealedSecretsController;
use super::state_directory;
use super::wait::until;

/// The running programs.
pub struct Stack {
    pub argocd: ArgoCd,
    pub controller: SealedSecretsController,
    pub external_secrets: ExternalSecretsOperator,
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
        let definitions = install_definitions(&cluster, &programs.share());
        let kubelet = Kubelet::start(Arc::clone(&cluster));
        let controller = SealedSecretsController::start(programs, &directory, &control_plane);
        wait_for_schemas(&cluster, &definitions);
        let external_secrets = ExternalSecretsOperator::new(programs, &directory, &control_plane);
        let argocd = ArgoCd::start(programs, &directory, &memory, &control_plane);
        Self {
            argocd,
            controller,
            external_secrets,
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
        self.external_secrets.stop();
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

    /// Returns a kubeconfig for the programs of a test.
    pub fn kubeconfig(&self) -> PathBuf {
        self.control_plane.kubeconfig("default")
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

/// Creates all definitions of custom resources, waits until each is served, and returns them. A controller that asks too
/// early ends, or never sees the kind.
fn install_definitions(cluster: &Cluster, share: &Path) -> Vec<Value> {
    let mut files: Vec<_> =
        walkdir::WalkDir::new(share).into_iter().map(|entry| entry.expect("readable")).collect();
    files.sort_by(|a, b| a.path().cmp(b.path()));
    let files = files.iter().filter(|file| file.file_type().is_file());
    let texts = files.map(|file| fs_err::read_to_string(file.path()).expect("readable"));
    let mut definitions: Vec<_> = texts.flat_map(|text| super::yaml::documents(&text)).collect();
    definitions.push(super::csi::definition());
    for definition in &definitions {
        cluster.apply(definition);
    }
    until("the definitions to be served", || {
        definitions.iter().try_for_each(|definition| cluster.serves(definition))
    });
    definitions
}

/// Waits until the API server has published the schemas of all custom resources.
///
/// Argo CD reads the schemas at its start. It cannot compute server-side diffs of kinds whose schemas come later.
fn wait_for_schemas(cluster: &Cluster, definitions: &[Value]) {
    let path = |definition: &Value| {
        let spec = &definition["spec"];
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let (group, plural) = (text(&spec["group"]), text(&spec["names"]["plural"]));
        format!("\"/apis/{group}/{}/{plural}\"", text(&spec["versions"][0]["name"]))
    };
    let paths: Vec<String> = definitions.iter().map(path).collect();
    until("the schemas of custom resources", || {
        let schemas = cluster.schemas()?;
        let missing = paths.iter().find(|path| !schemas.contains(path.as_str()));
        missing.map_or(Ok(()), |path| Err(format!("{path} is missing")))
    });
}
