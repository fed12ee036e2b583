//! Charts and overlays that attack: the machine, files outside of their repository, the network, or the reader of a message.
//!
//! Each is built when a test needs it, because Git cannot hold links that lead out, fifos or large files.

mod charts;
mod overlays;

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::MARKER;

/// The directories around an attack.
///
/// ```text
/// repository/.git        so that the repository ends here
/// repository/app         sealwave.yaml, and the chart or the overlays
/// outside/               what the app must not read
/// home/                  the home directory of the user who runs sealwave
/// temporary/             TMPDIR of the run
/// started                exists if a program of the attack ran
/// ```
pub struct Ground {
    directory: TempDir,
}

/// The target of an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// Time, memory or disk without end.
    Exhausts,
    /// A file outside of the repository, whose text is in the output.
    Reads,
    /// A host.
    Connects,
    /// A program of the attacker.
    Starts,
    /// Control characters on a terminal.
    Shows,
}

/// An attack.
pub struct HostileSource {
    pub name: &'static str,
    pub harm: Harm,
    /// Writes the files.
    pub build: fn(&Ground),
    /// The command that does the harm without sealwave, if a test can let it.
    pub alone: Option<&'static str>,
}

impl HostileSource {
    /// Returns all attacks: charts, then overlays.
    pub fn all() -> Vec<Self> {
        charts::all().into_iter().chain(overlays::all()).collect()
    }

    /// Builds the directories of the attack.
    pub fn ground(&self) -> Ground {
        let ground = Ground::new();
        (self.build)(&ground);
        ground
    }
}

const fn attack(name: &'static str, harm: Harm, build: fn(&Ground)) -> HostileSource {
    HostileSource { name, harm, build, alone: None }
}

const fn proven(name: &'static str, harm: Harm, build: fn(&Ground), alone: &'static str) -> HostileSource {
    HostileSource { name, harm, build, alone: Some(alone) }
}

impl Ground {
    fn new() -> Self {
        let ground = Self { directory: TempDir::new().expect("a directory") };
        for directory in ["repository/.git", "repository/app", "outside", "home", "temporary"] {
            fs_err::create_dir_all(ground.path(directory)).expect("a directory");
        }
        ground.write("outside/secret.txt", &format!("password: {MARKER}-outside\n"));
        ground.write(
            "outside/secret.yaml",
            &format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: outside}}\ndata: {{text: {MARKER}-outside}}\n"),
        );
        ground
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.directory.path().join(relative)
    }

    /// Returns the directory of the app.
    pub fn app(&self) -> PathBuf {
        self.path("repository/app")
    }

    /// Reports whether a program of the attack ran.
    pub fn has_started(&self) -> bool {
        self.path("started").exists()
    }

    fn write(&self, relative: &str, text: &str) {
        let path = self.path(relative);
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs_err::write(path, text).expect("written");
    }

    fn in_app(&self, relative: &str, text: &str) {
        self.write(&format!("repository/app/{relative}"), text);
    }

    /// Writes the app file, with a list of sources.
    fn app_file(&self, sources: &str) {
        let environments = "environments: {dev: {cluster: dev}}\n";
        self.in_app(
            "sealwave.yaml",
            &format!("apiVersion: sealwave.dev/v1alpha1\nkind: App\nsources:\n{sources}{environments}"),
        );
    }

    /// Writes a chart with one template beside an app file that renders it.
    fn chart(&self, template: &str) {
        self.app_file("- helm: {releaseName: web}\n");
        self.in_app("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
        self.in_app("templates/web.yaml", template);
    }

    /// Writes a kustomization beside an app file that builds it.
    fn overlay(&self, kustomization: &str) {
        self.app_file("- kustomize: {path: overlays/dev}\n");
        self.in_app("overlays/dev/kustomization.yaml", kustomization);
    }

    /// Writes a link.
    fn link(&self, relative: &str, target: impl AsRef<Path>) {
        let path = self.path(relative);
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::os::unix::fs::symlink(target, path).expect("a link");
    }

    /// Writes a file of zeros that needs no space on the disk.
    fn sparse(&self, relative: &str, bytes: u64) {
        self.write(relative, "");
        let file = fs_err::OpenOptions::new().write(true).open(self.path(relative)).expect("a file");
        file.set_len(bytes).expect("a size");
    }

    /// Writes a script that leaves a daemon and the file `started`.
    fn program(&self, relative: &str) {
        let started = self.path("started");
        let script =
            format!("#!/bin/sh\ntouch '{}'\nsetsid sleep 20 >/dev/null 2>&1 &\ncat\n", started.display());
        self.write(relative, &script);
        fs_err::set_permissions(self.path(relative), PermissionsExt::from_mode(0o755)).expect("permissions");
    }
}

/// Returns the command lines of the processes that belong to a ground: started in it, or with it in an argument.
pub fn processes_in(ground: &Ground) -> Vec<String> {
    let directory = ground.path("");
    let name = directory.to_str().expect("UTF-8").trim_end_matches('/').to_owned();
    let is_number = |name: &OsStr| name.to_str().is_some_and(|name| name.parse::<u32>().is_ok());
    let entries = fs_err::read_dir("/proc").expect("a list of processes").filter_map(Result::ok);
    let processes = entries.filter(|entry| is_number(&entry.file_name())).map(|entry| entry.path());
    processes
        .filter_map(|process| {
            let command = fs_err::read(process.join("cmdline")).ok()?;
            let command = String::from_utf8_lossy(&command).replace('\0', " ");
            let is_inside = fs_err::read_link(process.join("cwd")).is_ok_and(|at| at.starts_with(&name));
            (is_inside || command.contains(&name)).then_some(command)
        })
        .collect()
}
