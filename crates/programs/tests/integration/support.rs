//! Shared parts of the tests: a place for runs, scripts, and the search for processes that are still running.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sealwave_programs::{
    Confinement, ProgramError, ProgramOutput, ProgramRun, ReachedLimit, RunHost, RunLimits,
};
use tempfile::TempDir;

/// A place for runs: a directory for private directories, and a repository.
pub(crate) struct TestHost {
    top: TempDir,
    pub(crate) host: RunHost,
}

impl TestHost {
    pub(crate) fn new() -> Self {
        let top = tempfile::tempdir().unwrap();
        let host = host(&top.path().join("temporary"));
        for directory in ["temporary", "repo/.git"] {
            fs_err::create_dir_all(top.path().join(directory)).unwrap();
        }
        fs_err::write(top.path().join("repo/file"), "content").unwrap();
        fs_err::write(top.path().join("repo/.git/config"), "CANARY").unwrap();
        Self { top, host }
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.top.path().canonicalize().unwrap().join("repo")
    }

    /// Returns a run of a script that finds the programs of the system.
    pub(crate) fn script(&self, script: &str) -> ProgramRun {
        let script = format!("PATH=/usr/bin:/bin\n{script}");
        ProgramRun::new(Path::new("/bin/bash"), &self.repository())
            .args(["-c", &script])
            .executable(Path::new("/usr/bin"))
            .executable(Path::new("/bin"))
    }

    /// Runs a program, and checks that nothing of it is left in the directory for temporary files.
    pub(crate) fn run(&self, run: &ProgramRun) -> Result<ProgramOutput, ProgramError> {
        let result = run.run(&self.host);
        let left: Vec<_> =
            fs_err::read_dir(&self.host.temporary).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(left, [""; 0].map(PathBuf::from));
        result
    }

    /// Returns what a script prints.
    pub(crate) fn stdout(&self, script: &str) -> String {
        String::from_utf8(self.run(&self.script(script)).unwrap().stdout).unwrap()
    }

    /// Returns standard error of a script that fails.
    pub(crate) fn failure(&self, run: &ProgramRun) -> String {
        match self.run(run) {
            Err(ProgramError::Failed { text, .. }) => text.to_string(),
            other => panic!("{other:?}"),
        }
    }

    /// Returns the limit that a script reaches.
    pub(crate) fn reached(&self, script: &str, limits: RunLimits) -> ReachedLimit {
        match self.run(&self.script(script).limits(limits)) {
            Err(ProgramError::Limit { limit, .. }) => limit,
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn host(temporary: &Path) -> RunHost {
    RunHost { temporary: temporary.to_owned(), guard: Some(env!("CARGO_BIN_EXE_program-guard").into()) }
}

/// An argument of `sleep` that no other process has.
pub(crate) struct SleepMark(String);

impl SleepMark {
    pub(crate) fn new(test: u32) -> Self {
        Self(format!("600.{}{test:03}", std::process::id()))
    }

    pub(crate) fn is_running(&self) -> bool {
        let entries = fs_err::read_dir("/proc").unwrap().flatten();
        let mut lines = entries.filter_map(|entry| fs_err::read(entry.path().join("cmdline")).ok());
        lines.any(|line| {
            let mut args = line.split(|byte| *byte == 0);
            args.next().is_some_and(|name| name.ends_with(b"sleep"))
                && args.next().is_some_and(|arg| arg == self.0.as_bytes())
        })
    }

    /// Replaces `MARK` in a script.
    pub(crate) fn within(&self, script: &str) -> String {
        script.replace("MARK", &self.0)
    }
}

/// Waits until a condition holds.
pub(crate) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Fails with a clear message where the kernel lacks what the test is about.
pub(crate) fn require_landlock() {
    let Confinement { restricts_files, restricts_ports, restricts_signals } = Confinement::of_this_kernel();
    assert!(
        restricts_files && restricts_ports && restricts_signals,
        "THIS KERNEL CANNOT CONFINE PROGRAMS: Landlock restricts files {restricts_files} (Linux 5.13), ports \
         {restricts_ports} (Linux 6.7), signals {restricts_signals} (Linux 6.12)"
    );
}
