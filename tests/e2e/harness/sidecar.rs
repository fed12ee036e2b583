//! A sidecar: argocd-cmp-server with sealwave and an operator file.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::broken_program::Break;
use super::cpu::CpuTime;
use super::process::Process;
use super::programs::Programs;
use super::stack::Stack;
use super::wait::until;

/// A sidecar under a plugin name of its own, so that tests do not share an operator file.
pub struct Sidecar {
    home: PathBuf,
    process: Process,
    socket: PathBuf,
}

/// The differences between a sidecar and that of `manifests/`.
pub struct SidecarOptions<'a> {
    /// Arguments after `generate` in `plugin.yaml`.
    pub generate_arguments: &'a [&'a str],
    /// The name of its directory and of its log.
    pub home: &'a str,
    /// The plugin file, relative to the root of the repository.
    pub plugin_file: &'a str,
    /// The program in place of `/usr/local/bin/sealwave`.
    pub program: PathBuf,
    /// The directory for its socket.
    pub sockets: PathBuf,
    /// The variables of the container.
    pub variables: &'a [(&'a str, &'a str)],
}

impl<'a> SidecarOptions<'a> {
    /// Returns the options of an ordinary sidecar.
    pub fn new(stack: &Stack, name: &'a str) -> Self {
        Self {
            generate_arguments: &[],
            home: name,
            plugin_file: "plugin.yaml",
            program: Programs::sealwave(),
            sockets: stack.argocd.sockets(),
            variables: &[],
        }
    }
}

impl Sidecar {
    /// Starts a sidecar with the repository's `plugin.yaml` and waits for its socket. `variables` are those of the container.
    pub fn start(stack: &Stack, name: &str, variables: &[(&str, &str)]) -> Self {
        Self::start_with(stack, name, &SidecarOptions { variables, ..SidecarOptions::new(stack, name) })
    }

    /// Starts a sidecar with a sealwave that breaks a promise.
    pub fn start_broken(stack: &Stack, name: &str, fault: Break) -> Self {
        let script = stack.memory().join("broken-programs").join(name);
        fault.install(&script);
        Self::start_with(stack, name, &SidecarOptions { program: script, ..SidecarOptions::new(stack, name) })
    }

    /// Like [`Self::start`], with options.
    pub fn start_with(stack: &Stack, name: &str, options: &SidecarOptions<'_>) -> Self {
        let home = stack.memory().join("sidecars").join(options.home);
        for directory in ["config", "tmp", "work"] {
            fs_err::create_dir_all(home.join(directory)).expect("a directory");
        }
        fs_err::write(home.join("config/plugin.yaml"), plugin_file(name, options)).expect("writable");
        let launch = stack
            .argocd
            .plugin_server(options.home, &home)
            .env("ARGOCD_PLUGINSOCKFILEPATH", &options.sockets)
            .env("ARGOCD_CMP_WORKDIR", home.join("work"))
            .env("TMPDIR", home.join("tmp"))
            .env("SEALWAVE_OPERATOR", home.join("operator/operator.yaml"))
            .arg(format!("--config-dir-path={}", home.join("config").display()));
        let launch = options.variables.iter().fold(launch, |launch, (name, value)| launch.env(name, value));
        let socket = options.sockets.join(format!("{name}.sock"));
        let this = Self { home, process: launch.start(), socket };
        until("the socket of a sidecar", || {
            this.process.check_running();
            if this.socket.exists() { Ok(()) } else { Err("it is missing".to_owned()) }
        });
        this
    }

    /// Returns each run of `sealwave generate` so far, as the directory in which it ran, relative to what Argo CD sent.
    pub fn generations(&self) -> Vec<PathBuf> {
        let log = self.log();
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

    /// Returns all that it wrote.
    pub fn log(&self) -> String {
        self.process.log()
    }

    pub fn cpu_time(&self) -> CpuTime {
        CpuTime::of(&self.process)
    }

    /// Returns all that runs left in its temporary directory. Empty files that count the runs stay there.
    pub fn temporary_files(&self) -> Vec<PathBuf> {
        let directory = self.home.join("tmp");
        let entries = walkdir::WalkDir::new(&directory).min_depth(1).into_iter().filter_map(Result::ok);
        let is_counter = |entry: &walkdir::DirEntry| {
            let path = entry.path().strip_prefix(&directory).expect("below it");
            let in_slots = path.to_string_lossy().starts_with("sealwave-slots-");
            in_slots && entry.metadata().is_ok_and(|data| data.is_dir() || data.len() == 0)
        };
        entries.filter(|entry| !is_counter(entry)).map(walkdir::DirEntry::into_path).collect()
    }

    /// Returns the directory of the operator's files.
    pub fn operator_directory(&self) -> PathBuf {
        self.home.join("operator")
    }
}

impl Drop for Sidecar {
    /// Discovery asks all sockets, also those that no program listens to.
    fn drop(&mut self) {
        self.process.kill();
        // It is missing if the sidecar failed at its start.
        let _ = fs_err::remove_file(&self.socket);
    }
}

/// Returns a plugin file of the repository with another name and program.
fn plugin_file(name: &str, options: &SidecarOptions<'_>) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(options.plugin_file);
    let text = fs_err::read_to_string(file).expect("readable");
    let program = options.program.display().to_string();
    let arguments = options.generate_arguments.iter().map(|argument| format!(", {argument}"));
    let arguments: String = arguments.collect();
    let changed = text
        .replace("name: sealwave", &format!("name: {name}"))
        .replace("sealwave, generate]", &format!("sealwave, generate{arguments}]"))
        .replace("/usr/local/bin/sealwave", &program);
    let command = format!("command: [{program}, generate{arguments}]");
    assert!(changed.contains(&command) && changed.contains(name), "the plugin file has another form now");
    changed
}
