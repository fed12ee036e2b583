//! Measures the memory of a run and its child processes, as counted by the kernel.

use std::collections::BTreeMap;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::tempfile;

/// A completed run.
pub struct Measured {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// The peak resident memory of each process, in KiB, the run itself first.
    pub peaks: Vec<u64>,
}

impl Measured {
    /// Returns the highest peak of a process, in MiB.
    pub fn peak_mib(&self) -> u64 {
        self.peaks.iter().max().copied().unwrap_or_default() >> 10
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

/// A run that is monitored until it ends. Its output goes to files, so that it never blocks on a pipe.
pub struct Running {
    pub child: Child,
    files: [std::fs::File; 2],
    peaks: BTreeMap<u32, u64>,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        let files = [tempfile().expect("a file"), tempfile().expect("a file")];
        let [stdout, stderr] = files.each_ref().map(|file| Stdio::from(file.try_clone().expect("a file")));
        let child = command.stdout(stdout).stderr(stderr).spawn().expect("the binary starts");
        Self { child, files, peaks: BTreeMap::new() }
    }

    /// Samples the processes of the run and returns their current memory, in KiB, by process.
    pub fn sample(&mut self) -> Vec<(u32, u64)> {
        let mut now = Vec::new();
        for pid in with_children(self.child.id()) {
            let Some((peak, resident)) = memory(pid) else { continue };
            let known = self.peaks.entry(pid).or_default();
            *known = peak.max(*known);
            now.push((pid, resident));
        }
        now
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_some()
    }

    pub fn finish(mut self) -> Measured {
        while !self.has_ended() {
            self.sample();
            thread::sleep(Duration::from_millis(2));
        }
        let status = self.child.wait().expect("it is our child");
        let [stdout, stderr] = self.files.map(|file| {
            use std::io::{Read as _, Seek as _};
            let (mut file, mut bytes) = (file, Vec::new());
            file.rewind().expect("a file");
            file.read_to_end(&mut bytes).expect("readable");
            bytes
        });
        Measured { status, stdout, stderr, peaks: self.peaks.into_values().collect() }
    }
}

/// Runs a command and monitors its memory.
pub fn measure(command: &mut Command) -> Measured {
    Running::start(command).finish()
}

/// Returns the children of a process.
pub fn children(pid: u32) -> Vec<u32> {
    let listed = fs_err::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    listed.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

fn with_children(pid: u32) -> Vec<u32> {
    std::iter::once(pid).chain(children(pid)).collect()
}

/// Returns the peak and current resident memory in KiB.
fn memory(pid: u32) -> Option<(u64, u64)> {
    let status = fs_err::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    Some((field("VmHWM:")?, field("VmRSS:")?))
}
