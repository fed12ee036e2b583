//! Argo CD: Redis, the repo-server and the application controller.
//!
//! The programs that only some tests need are in [`optional`].

mod optional;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::cluster::{APPLICATION, CONFIG_MAP, Cluster, NAMESPACE, SECRET};
use super::control_plane::ControlPlane;
use super::cpu::CpuTime;
use super::locked;
use super::ports::free_port;
use super::process::{Launch, Process};
use super::programs::Programs;

/// The namespace of Argo CD's own objects.
pub const ARGOCD: &str = "argocd";

/// The running programs of Argo CD, without the sidecars, which tests start.
pub struct ArgoCd {
    cluster: Arc<Cluster>,
    directory: PathBuf,
    kubeconfig: PathBuf,
    memory: PathBuf,
    program: PathBuf,
    processes: Mutex<Vec<Process>>,
    redis_port: u16,
    repo_server_port: u16,
}

/// Options for the files that a repo-server sends to plugins. The default is that of `manifests/argocd-cmd-params-cm.yaml`.
#[derive(Clone, Copy, Debug)]
pub struct RepoServerOptions {
    /// Sends only the directories in the annotation `manifest-generate-paths`.
    pub generate_paths: bool,
    /// Patterns of files that are never sent.
    pub exclusions: &'static str,
}

impl Default for RepoServerOptions {
    fn default() -> Self {
        Self { generate_paths: true, exclusions: ".git/*" }
    }
}

impl ArgoCd {
    /// Starts the programs. They become ready while the first app is waited for.
    pub fn start(programs: &Programs, directory: &Path, memory: &Path, control_plane: &ControlPlane) -> Self {
        let this = Self {
            cluster: control_plane.cluster(),
            directory: directory.join("argocd"),
            kubeconfig: control_plane.kubeconfig(ARGOCD),
            memory: memory.join("argocd"),
            program: programs.built("argocd"),
            processes: Mutex::new(Vec::new()),
            redis_port: free_port(),
            repo_server_port: free_port(),
        };
        this.prepare(programs);
        this.apply_settings();
        let options = RepoServerOptions::default();
        let repo_server = this.repo_server(this.repo_server_port, &this.sockets(), options);
        let controller = this.application_controller(this.repo_server_port);
        let started = [this.redis(), repo_server, controller];
        this.processes.lock().expect("the lock of processes").extend(started.map(Launch::start));
        this
    }

    pub fn stop(&self) {
        locked(&self.processes).drain(..).rev().for_each(drop);
    }

    /// Fails if one of the programs has ended.
    pub fn check_running(&self) {
        locked(&self.processes).iter().for_each(Process::check_running);
    }

    pub fn redis_port(&self) -> u16 {
        self.redis_port
    }

    /// Returns the directory of the sidecars' sockets.
    pub fn sockets(&self) -> PathBuf {
        self.memory.join("plugins")
    }

    /// Prepares argocd-cmp-server, the program of a sidecar.
    pub fn plugin_server(&self, name: &str, home: &Path) -> Launch {
        Launch::new(&format!("sidecar-{name}"), &self.program, home)
            .logs_in(&self.directory)
            .env("ARGOCD_BINARY_NAME", "argocd-cmp-server")
            .env("ARGOCD_PLUGINSOCKFILEPATH", self.sockets())
            .arg("--loglevel=info")
    }

    /// Makes the directories and links that the programs expect.
    fn prepare(&self, programs: &Programs) {
        for name in ["bin", "gpg", "ssh", "tls"] {
            fs_err::create_dir_all(self.directory.join(name)).expect("a directory");
        }
        for name in ["plugins", "tmp"] {
            fs_err::create_dir_all(self.memory.join(name)).expect("a directory");
        }
        let built = ["git-verify-wrapper.sh", "gpg-wrapper.sh", "helm", "kustomize"];
        let built = built.map(|name| (name, programs.built(name)));
        let links = [("argocd-git-ask-pass", self.program.clone()), ("git", Programs::system("git"))];
        for (name, program) in links.into_iter().chain(built) {
            std::os::unix::fs::symlink(program, self.directory.join("bin").join(name)).expect("a new link");
        }
    }

    /// Applies the settings that people apply with `manifests/`, and those that Argo CD cannot start without.
    fn apply_settings(&self) {
        let part_of = json!({"app.kubernetes.io/part-of": "argocd"});
        self.cluster
            .apply(&json!({"apiVersion": NAMESPACE.0, "kind": NAMESPACE.1, "metadata": {"name": ARGOCD}}));
        let settings = fs_err::read_to_string(manifests().join("argocd-cm.yaml")).expect("readable");
        let mut settings = super::yaml::documents(&settings).remove(0);
        settings["metadata"]["namespace"] = json!(ARGOCD);
        settings["metadata"]["labels"] = part_of.clone();
        self.cluster.apply(&settings);
        let empty = |kind: super::cluster::Kind, name: &str| json!({"apiVersion": kind.0, "kind": kind.1, "metadata": {"name": name, "namespace": ARGOCD, "labels": part_of}});
        for name in
            ["argocd-rbac-cm", "argocd-gpg-keys-cm", "argocd-ssh-known-hosts-cm", "argocd-tls-certs-cm"]
        {
            self.cluster.apply(&empty(CONFIG_MAP, name));
        }
        let mut secret = empty(SECRET, "argocd-secret");
        secret["stringData"] = json!({"server.secretkey": "e2e-key-that-protects-nothing"});
        self.cluster.apply(&secret);
    }

    fn redis(&self) -> Launch {
        Launch::new("redis", &Programs::system("redis-server"), &self.directory)
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--port", &self.redis_port.to_string()])
    }

    /// Stops the repo-server with its checkouts, and starts one with other options. It becomes ready while an app is waited for.
    pub fn restart_repo_server(&self, options: RepoServerOptions) {
        let mut processes = locked(&self.processes);
        let running = processes.iter_mut().find(|process| process.name() == "repo-server");
        let running = running.expect("a repo-server");
        running.kill();
        let checkouts = self.memory.join("tmp/_argocd-repo");
        if checkouts.exists() {
            fs_err::remove_dir_all(checkouts).expect("checkouts can be removed");
        }
        *running = self.repo_server(self.repo_server_port, &self.sockets(), options).start();
    }

    /// Returns the CPU time of one of the programs.
    pub fn cpu_time(&self, program: &str) -> CpuTime {
        let processes = locked(&self.processes);
        let process = processes.iter().find(|process| process.name() == program);
        CpuTime::of(process.expect("a program of Argo CD"))
    }

    fn repo_server(&self, port: u16, sockets: &Path, options: RepoServerOptions) -> Launch {
        self.component("repo-server")
            .env("ARGOCD_ASK_PASS_SOCK", self.memory.join("ask-pass.sock"))
            .env("ARGOCD_PLUGINSOCKFILEPATH", sockets)
            .env("ARGOCD_REPO_SERVER_PLUGIN_TAR_EXCLUSIONS", options.exclusions)
            .arg(format!("--plugin-use-manifest-generate-paths={}", options.generate_paths))
            .args([
                "--address=127.0.0.1",
                "--metrics-address=127.0.0.1",
                "--disable-tls",
                "--client-ca-path=",
            ])
            .arg(format!("--port={port}"))
            .arg(format!("--metrics-port={}", free_port()))
    }

    fn application_controller(&self, repo_server_port: u16) -> Launch {
        self.component("application-controller")
            .env("HOSTNAME", "argocd-application-controller-0")
            .arg(format!("--repo-server=127.0.0.1:{repo_server_port}"))
            .arg("--repo-server-plaintext")
            .arg(format!("--metrics-port={}", free_port()))
    }

    /// Prepares a program of Argo CD that uses Redis.
    fn component(&self, name: &str) -> Launch {
        self.program(name).arg(format!("--redis=127.0.0.1:{}", self.redis_port))
    }

    /// Prepares a program of Argo CD with what they have in common.
    fn program(&self, name: &str) -> Launch {
        let path = format!("{}:/usr/bin:/bin", self.directory.join("bin").display());
        let launch = Launch::new(name, &self.program, &self.directory)
            .env("PATH", path)
            .env("TMPDIR", self.memory.join("tmp"))
            .env("ARGOCD_BINARY_NAME", format!("argocd-{name}"))
            .env("ARGOCD_FAKE_IN_CLUSTER", "true")
            .env("ARGOCD_GPG_ENABLED", "false")
            // The default, 50 requests per second, is for clusters that many share.
            .env("ARGOCD_K8S_CLIENT_QPS", "500")
            .env("ARGOCD_K8S_CLIENT_BURST", "1000")
            // Refreshes happen when a test asks for one.
            .env("ARGOCD_RECONCILIATION_TIMEOUT", "0")
            .env("KUBECONFIG", &self.kubeconfig);
        let directories = [
            ("ARGOCD_GNUPGHOME", "gpg"),
            ("ARGOCD_GPG_DATA_PATH", "gpg"),
            ("ARGOCD_SSH_DATA_PATH", "ssh"),
            ("ARGOCD_TLS_DATA_PATH", "tls"),
        ];
        directories
            .into_iter()
            .fold(launch, |launch, (name, directory)| launch.env(name, self.directory.join(directory)))
    }

    /// Returns an Application, if it exists.
    pub fn application(&self, name: &str) -> Option<Value> {
        self.cluster.get(APPLICATION, Some(ARGOCD), name)
    }
}

/// Returns the directory of the manifests for operators.
fn manifests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests")
}
