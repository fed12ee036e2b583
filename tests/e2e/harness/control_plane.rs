//! etcd, the API server and the controller manager.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};

use super::cluster::Cluster;
use super::ports::free_port;
use super::process::{Launch, Process};
use super::programs::Programs;
use super::wait::until;

/// The token of the only user, who may do everything.
pub const TOKEN: &str = "e2e-token-that-protects-nothing";

/// Records who wrote what, without the content.
const AUDIT_POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: None
    verbs: [get, list, watch]
  - level: None
    resources: [{group: coordination.k8s.io}, {group: '', resources: [events]}, {group: events.k8s.io}]
  - level: Metadata
";

/// The programs that make a cluster without nodes.
pub struct ControlPlane {
    cluster: Arc<Cluster>,
    directory: PathBuf,
    port: u16,
    processes: Vec<Process>,
}

impl ControlPlane {
    /// Starts them and waits until objects can be written.
    pub fn start(programs: &Programs, directory: &Path, memory: &Path) -> Self {
        let directory = directory.join("control-plane");
        fs_err::create_dir_all(&directory).expect("a directory");
        write_credentials(&directory);
        let (etcd_port, port) = (free_port(), free_port());
        let etcd = start_etcd(&directory, memory, etcd_port);
        let api_server = start_api_server(programs, &directory, etcd_port, port);
        let this = Self {
            cluster: Arc::new(Cluster::connect(&write_kubeconfig(&directory, port, "default"))),
            directory,
            port,
            processes: vec![etcd, api_server],
        };
        until("the API server", || {
            this.processes.iter().for_each(Process::check_running);
            this.cluster.is_ready()
        });
        this.with_controller_manager(programs)
    }

    fn with_controller_manager(mut self, programs: &Programs) -> Self {
        let kubeconfig = self.kubeconfig("kube-system");
        let file = |name: &str| self.directory.join(name);
        let launch = Launch::new(
            "kube-controller-manager",
            &programs.built("kube-controller-manager"),
            &self.directory,
        )
        .arg(option("kubeconfig", &kubeconfig))
        .arg(option("service-account-private-key-file", file("accounts.key")))
        .arg(option("root-ca-file", file("server.pem")))
        .arg(option("cert-dir", file("controller-manager")))
        .arg(format!("--secure-port={}", free_port()))
        .args([
            "--bind-address=127.0.0.1",
            "--leader-elect=false",
            "--kube-api-qps=200",
            "--kube-api-burst=400",
        ])
        // There are no nodes that could fail.
        .arg("--controllers=*,-node-lifecycle-controller,-taint-eviction-controller,-node-ipam-controller");
        self.processes.push(launch.start());
        self
    }

    /// Writes a kubeconfig whose context has a namespace, and returns its path.
    pub fn kubeconfig(&self, namespace: &str) -> PathBuf {
        write_kubeconfig(&self.directory, self.port, namespace)
    }

    pub fn cluster(&self) -> Arc<Cluster> {
        Arc::clone(&self.cluster)
    }

    pub fn cluster_ref(&self) -> &Cluster {
        &self.cluster
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the certificate of the API server.
    pub fn certificate(&self) -> PathBuf {
        self.directory.join("server.pem")
    }

    pub fn audit_log(&self) -> PathBuf {
        self.directory.join("audit.log")
    }

    pub fn stop(&self) {
        self.processes.iter().rev().for_each(Process::kill);
    }
}

fn start_etcd(directory: &Path, memory: &Path, port: u16) -> Process {
    let url = format!("http://127.0.0.1:{port}");
    let peer = format!("http://127.0.0.1:{}", free_port());
    Launch::new("etcd", &Programs::system("etcd"), directory)
        .arg(option("data-dir", memory.join("etcd")))
        .args([format!("--listen-client-urls={url}"), format!("--advertise-client-urls={url}")])
        .args([format!("--listen-peer-urls={peer}"), format!("--initial-advertise-peer-urls={peer}")])
        .arg(format!("--initial-cluster=default={peer}"))
        .args(["--unsafe-no-fsync", "--quota-backend-bytes=4294967296", "--log-level=warn"])
        .start()
}

fn start_api_server(programs: &Programs, directory: &Path, etcd: u16, port: u16) -> Process {
    let file = |name: &str| directory.join(name);
    Launch::new("kube-apiserver", &programs.built("kube-apiserver"), directory)
        .arg(format!("--etcd-servers=http://127.0.0.1:{etcd}"))
        .args([
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--service-cluster-ip-range=10.96.0.0/16",
        ])
        .arg(format!("--secure-port={port}"))
        .arg(option("tls-cert-file", file("server.pem")))
        .arg(option("tls-private-key-file", file("server.key")))
        .arg(option("cert-dir", file("api-server")))
        .arg("--service-account-issuer=https://kubernetes.default.svc")
        .arg(option("service-account-signing-key-file", file("accounts.key")))
        .arg(option("service-account-key-file", file("accounts.pub")))
        .arg(option("token-auth-file", file("tokens.csv")))
        .args(["--authorization-mode=RBAC", "--allow-privileged", "--endpoint-reconciler-type=none"])
        .arg(option("audit-log-path", file("audit.log")))
        .arg(option("audit-policy-file", file("audit-policy.yaml")))
        .start()
}

fn write_credentials(directory: &Path) {
    let names = ["127.0.0.1", "localhost", "kubernetes", "kubernetes.default.svc", "10.96.0.1"];
    let key = KeyPair::generate().expect("a key");
    let parameters = CertificateParams::new(names.map(str::to_owned)).expect("valid names");
    let certificate = parameters.self_signed(&key).expect("a certificate");
    let accounts = KeyPair::generate().expect("a key");
    let files = [
        ("server.pem", certificate.pem()),
        ("server.key", key.serialize_pem()),
        ("accounts.key", accounts.serialize_pem()),
        ("accounts.pub", accounts.public_key_pem()),
        ("tokens.csv", format!("{TOKEN},admin,admin,\"system:masters\"\n")),
        ("audit-policy.yaml", AUDIT_POLICY.to_owned()),
    ];
    for (name, text) in files {
        fs_err::write(directory.join(name), text).expect("writable");
    }
}

/// Argo CD takes its own namespace from the context, so that it needs another file than the tests.
fn write_kubeconfig(directory: &Path, port: u16, namespace: &str) -> PathBuf {
    let path = directory.join(format!("kubeconfig-{namespace}"));
    let text = format!(
        "\
apiVersion: v1
kind: Config
current-context: e2e
contexts: [{{name: e2e, context: {{cluster: e2e, user: admin, namespace: {namespace}}}}}]
clusters: [{{name: e2e, cluster: {{server: 'https://127.0.0.1:{port}', certificate-authority: {ca}}}}}]
users: [{{name: admin, user: {{token: {TOKEN}}}}}]
",
        ca = directory.join("server.pem").display(),
    );
    // Tests that run at the same time ask for the same file.
    let new = tempfile::NamedTempFile::new_in(directory).expect("a file");
    fs_err::write(new.path(), text).expect("writable");
    new.persist(&path).expect("the file is replaced");
    path
}

/// Returns `--name=value` for a path.
pub fn option(name: &str, value: impl AsRef<Path>) -> String {
    format!("--{name}={}", value.as_ref().display())
}
