//! A sidecar: argocd-cmp-server with sealwave and an operator file.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::broken_program::Break;
use super::process::Process;
use super::programs::Programs;
use super::stack::Stack;
use super::wait::until;

/// A sidecar under a plugin name of its own, so that tests do not share an operator file.
pub struct Sidecar {
    home: PathBuf,
    process: Process,
}

impl Sidecar {
    /// Starts a sidecar with the repository's `plugin.yaml` and waits for its socket. `variables` are those of the container.
    pub fn start(stack: &Stack, name: &str, variables: &[(&str, &str)]) -> Self {
        Self::start_program(stack, name, variables, Programs::sealwave())
    }

    /// Starts a sidecar with a sealwave that breaks a promise.
    pub fn start_broken(stack: &Stack, name: &str, fault: Break) -> Self {
        let script = stack.memory().join("broken-programs").join(name);
        fault.install(&script);
        Self::start_program(stack, name, &[], &script)
    }

    fn start_program(stack: &Stack, name: &str, variables: &[(&str, &str)], program: &Path) -> Self {
        let home = stack.memory().join("sidecars").join(name);
        for directory in ["config", "work"] {
            fs_err::create_dir_all(home.join(directory)).expect("a directory");
        }
        fs_err::write(home.join("config/plugin.yaml"), plugin_file(name, program)).expect("writable");
        let launch = stack
            .argocd
            .plugin_server(name, &home)
            .env("ARGOCD_CMP_WORKDIR", home.join("work"))
            .env("SEALWAVE_OPERATOR", home.join("operator/operator.yaml"))
            .arg(format!("--config-dir-path={}", home.join("config").display()));
        let launch = variables.iter().fold(launch, |launch, (name, value)| launch.env(name, value));
        let this = Self { home, process: launch.start() };
        let socket = stack.argocd.sockets().join(format!("{name}.sock"));
        until("the socket of a sidecar", || {
            this.process.check_running();
            if socket.exists() { Ok(()) } else { Err("it is missing".to_owned()) }
        });
        this
    }

    /// Returns each run of `sealwave generate` so far, as the directory in which it ran, relative to what Argo CD sent.
    pub fn generations(&self) -> Vec<PathBuf> {
        let log = self.process.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let runs = lines.filter(|line| line["msg"].as_str().is_some_and(|text| text.ends_with(" generate")));
        let requests = self.home.join("work/_cmp_server");
        runs.map(|run| {
            let directory = Path::new(run["dir"].as_str().expect("a directory"));
            let in_requests = directory.strip_prefix(&requests).expect("the directory of a request");
            in_requests.components().skip(1).collect()
        })
        .collect()
    }

    /// Returns the directory of the operator's files.
    pub fn operator_directory(&self) -> PathBuf {
        self.home.join("operator")
    }
}

/// Returns the repository's `plugin.yaml` with another name and another program.
fn plugin_file(name: &str, program: &Path) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugin.yaml");
    let text = fs_err::read_to_string(file).expect("readable");
    let program = program.display().to_string();
    let changed =
        text.replace("name: sealwave", &format!("name: {name}")).replace("/usr/local/bin/sealwave", &program);
    assert!(changed.contains(&program) && changed.contains(name), "plugin.yaml has another form now");
    changed
}
