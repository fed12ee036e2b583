//! The sealed-secrets controller, with keys that it made itself.

use std::collections::BTreeMap;
use std::net::{IpAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use serde_json::json;

use super::cluster::{Cluster, NAMESPACE, POD, SECRET};
use super::control_plane::{ControlPlane, TOKEN};
use super::locked;
use super::ports::free_port;
use super::process::{Launch, Process};
use super::programs::Programs;
use super::wait::until;

/// The directory in which client-go looks for an account. The controller has no other way to find the API server.
const ACCOUNT: &str = "/run/secrets/kubernetes.io/serviceaccount";

/// The namespace of the controller and its keys.
pub const KEYS: &str = "sealed-secrets";

/// The name of its Service, as the Helm chart names it.
pub const SERVICE: &str = "sealed-secrets";

/// Makes the controller create a key at its start: all keys are older.
const RENEW: &str = "--key-cutoff-time=Fri, 01 Jan 2100 00:00:00 +0000";

/// The controller. It can be stopped, started again, and given another key.
pub struct SealedSecretsController {
    api_server_port: u16,
    cluster: Arc<Cluster>,
    directory: PathBuf,
    program: PathBuf,
    state: Mutex<State>,
}

struct State {
    /// The certificate of the newest key, in PEM.
    certificate: String,
    process: Option<Process>,
}

impl SealedSecretsController {
    /// Starts the controller and waits for its key.
    pub fn start(programs: &Programs, directory: &Path, control_plane: &ControlPlane) -> Self {
        let cluster = control_plane.cluster();
        cluster.apply(&json!({"apiVersion": NAMESPACE.0, "kind": NAMESPACE.1, "metadata": {"name": KEYS}}));
        fs_err::create_dir_all(ACCOUNT).expect("a directory");
        fs_err::write(format!("{ACCOUNT}/token"), TOKEN).expect("writable");
        fs_err::write(format!("{ACCOUNT}/namespace"), KEYS).expect("writable");
        fs_err::copy(control_plane.certificate(), format!("{ACCOUNT}/ca.crt")).expect("writable");
        cluster.apply(&committed_key());
        let this = Self {
            api_server_port: control_plane.port(),
            cluster,
            directory: directory.to_owned(),
            program: programs.built("sealed-secrets-controller"),
            state: Mutex::new(State { certificate: String::new(), process: None }),
        };
        this.renew_key();
        this
    }

    /// Returns the certificate of the newest key, in PEM.
    pub fn certificate(&self) -> String {
        locked(&self.state).certificate.clone()
    }

    /// Stops the controller, as if it failed.
    pub fn stop(&self) {
        locked(&self.state).process = None;
    }

    /// Starts the controller again.
    pub fn resume(&self) {
        let process = self.launch().start();
        locked(&self.state).process = Some(process);
    }

    /// Starts the controller again, so that it reads all its keys, and waits until it publishes the newest one.
    pub fn restart(&self) {
        self.stop();
        self.resume();
        let mut state = locked(&self.state);
        let keys = self.keys();
        state.certificate = until("the controller to publish a certificate", || {
            if let Some(process) = &state.process {
                process.check_running();
            }
            let published = self.cluster.service_get(KEYS, SERVICE, "v1/cert.pem")?;
            let is_known = keys.values().any(|pem| *pem == published);
            if is_known { Ok(published) } else { Err("it publishes another one".to_owned()) }
        });
    }

    /// Reports whether the API server can reach the controller: it needs an address of this machine that is not a loopback one.
    pub fn is_reachable() -> bool {
        own_address().is_some()
    }

    /// Lets the controller make one more key, as its renewal does every 30 days, and returns the new certificate.
    pub fn renew_key(&self) -> String {
        let mut state = locked(&self.state);
        let old = self.keys();
        state.process = None;
        let process = state.process.insert(self.launch().arg(RENEW).start());
        let certificate = until("a new key of the controller", || {
            process.check_running();
            let new = self.keys().into_iter().find(|(name, _)| !old.contains_key(name));
            new.map(|(_, certificate)| certificate).ok_or_else(|| "it is still missing".to_owned())
        });
        state.certificate.clone_from(&certificate);
        certificate
    }

    fn launch(&self) -> Launch {
        let (listen, metrics) = (free_port(), free_port());
        let address = own_address();
        if let Some(address) = address {
            self.publish_address(address, listen);
        }
        let address = address.map_or_else(|| "127.0.0.1".to_owned(), |address| address.to_string());
        Launch::new("sealed-secrets-controller", &self.program, &self.directory)
            .env("KUBERNETES_SERVICE_HOST", "127.0.0.1")
            .env("KUBERNETES_SERVICE_PORT", self.api_server_port.to_string())
            .env("POD_NAMESPACE", KEYS)
            .args(["--key-renew-period=0", "--kubeclient-qps=100", "--kubeclient-burst=200"])
            .args([
                format!("--listen-addr={address}:{listen}"),
                format!("--listen-metrics-addr=127.0.0.1:{metrics}"),
            ])
    }

    /// Writes the Service of the controller, and where it listens. The API server sends requests only to addresses of pods,
    /// and not to loopback addresses, so there is a pod with the address of this machine.
    fn publish_address(&self, address: IpAddr, port: u16) {
        let labels = json!({"app.kubernetes.io/name": "sealed-secrets"});
        self.cluster.apply(&json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": SERVICE, "namespace": KEYS, "labels": labels},
            "spec": {"ports": [{"name": "http", "port": 8080, "targetPort": 8080}]},
        }));
        let pod = json!({
            "apiVersion": POD.0, "kind": POD.1, "metadata": {"name": SERVICE, "namespace": KEYS},
            "spec": {
                "automountServiceAccountToken": false,
                "containers": [{"name": "controller", "image": "registry.example.internal/controller:1"}],
            },
        });
        // A new namespace has no service account for a moment.
        until("the pod of the controller", || {
            self.cluster.try_apply(&pod).map(drop).map_err(|error| error.to_string())
        });
        // The stand-in for nodes gives the pod an address of its own, once.
        until("the pod of the controller to run", || {
            let pod = self.cluster.get(POD, Some(KEYS), SERVICE).ok_or_else(|| "it is gone".to_owned())?;
            let phase = pod["status"]["phase"].clone();
            if phase == "Running" { Ok(()) } else { Err(phase.to_string()) }
        });
        let status = json!({"podIP": address, "podIPs": [{"ip": address}]});
        self.cluster.patch_status(POD, Some(KEYS), SERVICE, &status);
        let pod = json!({"kind": POD.1, "name": SERVICE, "namespace": KEYS});
        self.cluster.apply(&json!({
            "apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": SERVICE, "namespace": KEYS},
            "subsets": [{
                "addresses": [{"ip": address, "targetRef": pod}], "ports": [{"name": "http", "port": port}],
            }],
        }));
    }

    /// Returns the certificates of all keys, by the name of the key.
    fn keys(&self) -> BTreeMap<String, String> {
        let secrets = self.cluster.list(SECRET, Some(KEYS)).into_iter();
        let keys = secrets.filter(|secret| secret["type"] == "kubernetes.io/tls");
        keys.map(|key| {
            let name = key["metadata"]["name"].as_str().expect("a name").to_owned();
            let pem = key["data"]["tls.crt"].as_str().expect("a certificate");
            let pem = base64::engine::general_purpose::STANDARD.decode(pem).expect("base64");
            (name, String::from_utf8(pem).expect("PEM"))
        })
        .collect()
    }
}

/// Returns the key for which the SealedSecrets in `testdata` are sealed, as one of the controller's older keys.
fn committed_key() -> serde_json::Value {
    let file = |name: &str| {
        let path = sealwave_testkit::repository_root().join("testdata/sealed-secrets").join(name);
        fs_err::read_to_string(path).expect("readable")
    };
    json!({
        "apiVersion": SECRET.0, "kind": SECRET.1, "type": "kubernetes.io/tls",
        "metadata": {
            "name": "committed-key", "namespace": KEYS,
            "labels": {"sealedsecrets.bitnami.com/sealed-secrets-key": "active"},
        },
        "stringData": {"tls.crt": file("rsa2048.crt"), "tls.key": file("rsa2048.key")},
    })
}

/// Returns an IPv4 address of this machine besides the loopback ones, if it has one. Nothing is sent.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // An address for documentation: the system only looks up the route.
    socket.connect("198.51.100.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|address| !address.is_loopback() && !address.is_unspecified())
}
