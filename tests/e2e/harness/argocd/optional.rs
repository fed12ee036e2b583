//! The programs of Argo CD that only some tests need: the API server, the ApplicationSet controller, a second repo-server.

use std::path::{Path, PathBuf};

use kube::{Client, Config};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::super::locked;
use super::super::ports::free_port;
use super::super::process::Process;
use super::super::wait::until;
use super::{ArgoCd, RepoServerOptions};

/// argocd-server without a login. It ends with this value.
pub struct ApiServer {
    client: Client,
    process: Process,
    runtime: Runtime,
}

/// One more repo-server, with a directory of sockets of its own. It ends with this value.
pub struct SecondRepoServer {
    port: u16,
    process: Process,
    sockets: PathBuf,
}

/// A time in which the application controller asks another address for manifests. It ends with this value.
pub struct Redirection<'a> {
    argocd: &'a ArgoCd,
}

impl ArgoCd {
    /// Returns the port of the repo-server that always runs.
    pub fn repo_server_port(&self) -> u16 {
        self.repo_server_port
    }

    /// Returns the log of a program.
    pub fn log(&self, program: &str) -> String {
        let file = self.directory.join(format!("{program}.log"));
        String::from_utf8_lossy(&fs_err::read(file).unwrap_or_default()).into_owned()
    }

    /// Starts argocd-server and waits until it answers.
    pub fn start_api_server(&self) -> ApiServer {
        let port = free_port();
        let launch = self
            .component("server")
            .args(["--insecure", "--disable-auth", "--repo-server-plaintext", "--address=127.0.0.1"])
            .args(["--metrics-address=127.0.0.1".to_owned(), format!("--metrics-port={}", free_port())])
            .args([format!("--port={port}"), format!("--repo-server=127.0.0.1:{}", self.repo_server_port)]);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let address = format!("http://127.0.0.1:{port}").parse().expect("an address");
        let client = runtime.block_on(async { Client::try_from(Config::new(address)).expect("a client") });
        let server = ApiServer { client, process: launch.start(), runtime };
        until("argocd-server", || {
            server.process.check_running();
            server.request(http::Request::get("/api/version"), Vec::new()).map(|_| ())
        });
        server
    }

    /// Starts the ApplicationSet controller, which ends with the returned value.
    pub fn start_application_sets(&self) -> Process {
        self.program("applicationset-controller")
            .arg(format!("--argocd-repo-server=127.0.0.1:{}", self.repo_server_port))
            .arg("--repo-server-plaintext")
            .args(
                ["metrics", "probe", "webhook"]
                    .map(|name| format!("--{name}-addr=127.0.0.1:{}", free_port())),
            )
            .start()
    }

    /// Starts a second repo-server, as if the Deployment had two replicas.
    pub fn start_second_repo_server(&self) -> SecondRepoServer {
        let directory = self.memory.join("second");
        let sockets = directory.join("plugins");
        let logs = self.directory.join("second");
        for path in [&sockets, &directory.join("tmp"), &logs] {
            fs_err::create_dir_all(path).expect("a directory");
        }
        let port = free_port();
        let launch = self
            .repo_server(port, &sockets, RepoServerOptions::default())
            .logs_in(&logs)
            .env("ARGOCD_ASK_PASS_SOCK", directory.join("ask-pass.sock"))
            .env("TMPDIR", directory.join("tmp"));
        SecondRepoServer { port, process: launch.start(), sockets }
    }

    /// Starts the application controller again, with another address of the repo-server.
    pub fn redirect_controller(&self, port: u16) -> Redirection<'_> {
        self.restart_controller(port);
        Redirection { argocd: self }
    }

    fn restart_controller(&self, repo_server_port: u16) {
        let mut processes = locked(&self.processes);
        // The controller is the last one that `start` started.
        drop(processes.pop());
        processes.push(self.application_controller(repo_server_port).start());
    }
}

impl ApiServer {
    /// Sends a JSON body as the user interface does; the error is the server's text.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        let request = http::Request::post(path).header("Content-Type", "application/json");
        self.request(request, serde_json::to_vec(body).expect("JSON"))
    }

    fn request(&self, request: http::request::Builder, body: Vec<u8>) -> Result<Value, String> {
        let request = request.body(body).expect("a request");
        self.runtime.block_on(self.client.request(request)).map_err(|error| error.to_string())
    }
}

impl SecondRepoServer {
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the directory of its sidecars' sockets.
    pub fn sockets(&self) -> &Path {
        &self.sockets
    }

    /// Fails if it has ended.
    pub fn check_running(&self) {
        self.process.check_running();
    }
}

impl Drop for Redirection<'_> {
    fn drop(&mut self) {
        self.argocd.restart_controller(self.argocd.repo_server_port);
    }
}
