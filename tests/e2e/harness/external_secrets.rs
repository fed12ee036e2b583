//! The External Secrets Operator, with its provider `fake`: the store object itself holds the values.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::cluster::{Cluster, Kind};
use super::control_plane::ControlPlane;
use super::locked;
use super::ports::free_port;
use super::process::{Launch, Process};
use super::programs::Programs;

pub const CLUSTER_SECRET_STORE: Kind = Kind("external-secrets.io/v1", "ClusterSecretStore");

/// The controller. It starts when the first test creates a store.
pub struct ExternalSecretsOperator {
    cluster: Arc<Cluster>,
    directory: PathBuf,
    kubeconfig: PathBuf,
    process: Mutex<Option<Process>>,
    program: PathBuf,
}

impl ExternalSecretsOperator {
    pub fn new(programs: &Programs, directory: &Path, control_plane: &ControlPlane) -> Self {
        Self {
            cluster: control_plane.cluster(),
            directory: directory.to_owned(),
            kubeconfig: control_plane.kubeconfig("external-secrets"),
            process: Mutex::new(None),
            program: programs.built("external-secrets"),
        }
    }

    /// Creates or replaces a store of the whole cluster with these secrets, and starts the controller if it does not run.
    pub fn create_store(&self, name: &str, secrets: &[(&str, &str)]) {
        let data: Vec<_> = secrets.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
        self.cluster.apply(&json!({
            "apiVersion": CLUSTER_SECRET_STORE.0, "kind": CLUSTER_SECRET_STORE.1, "metadata": {"name": name},
            "spec": {"provider": {"fake": {"data": data}}},
        }));
        locked(&self.process).get_or_insert_with(|| self.launch().start()).check_running();
    }

    pub fn stop(&self) {
        locked(&self.process).take();
    }

    fn launch(&self) -> Launch {
        Launch::new("external-secrets", &self.program, &self.directory)
            .env("KUBECONFIG", &self.kubeconfig)
            .arg(format!("--metrics-addr=127.0.0.1:{}", free_port()))
            .args(
                ["cluster-external-secret", "cluster-push-secret", "push-secret"]
                    .map(|kind| format!("--enable-{kind}-reconciler=false")),
            )
    }
}
