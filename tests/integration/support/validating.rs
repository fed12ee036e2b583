//! Runs of `validate` and their reports.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::sealwave;

/// A completed run.
#[derive(Debug)]
pub struct CommandResult {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl CommandResult {
    /// Parses the report on standard output.
    pub fn report(&self) -> Report {
        Report(serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("no report: {error}\nexit code {}\n{}\n{}", self.code, self.stdout, self.stderr)
        }))
    }
}

impl From<Output> for CommandResult {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("an exit code"),
            stdout: String::from_utf8(output.stdout).expect("output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("messages are UTF-8"),
        }
    }
}

/// A report of `--output json`.
#[derive(Debug)]
pub struct Report(pub Value);

impl Report {
    pub fn findings(&self) -> &[Value] {
        self.0["findings"].as_array().expect("findings")
    }

    pub fn summary(&self) -> &Value {
        &self.0["summary"]
    }

    /// Returns the findings of a severity.
    pub fn at(&self, severity: &str) -> impl Iterator<Item = &Value> {
        self.findings().iter().filter(move |finding| finding["severity"] == severity)
    }

    /// Returns the findings of a rule.
    pub fn of(&self, rule: &str) -> Vec<&Value> {
        self.findings().iter().filter(|finding| finding["rule"] == rule).collect()
    }

    /// Returns the only finding of a rule.
    pub fn one(&self, rule: &str) -> &Value {
        let found = self.of(rule);
        assert_eq!(found.len(), 1, "{rule}: {:#?}", self.lines());
        found[0]
    }

    /// Returns each finding as one line.
    pub fn lines(&self) -> Vec<String> {
        self.findings().iter().map(finding_line).collect()
    }
}

/// Formats rule, pointer, file and line of a finding.
pub fn finding_line(finding: &Value) -> String {
    let text = |key: &str| finding[key].as_str().unwrap_or("-").to_owned();
    format!("{} {} {}:{}", text("rule"), text("pointer"), text("path"), finding["line"])
}

/// Returns `validate` in a directory.
pub fn command<S: AsRef<OsStr>>(directory: &Path, args: &[S]) -> Command {
    let mut command = sealwave();
    command.current_dir(directory).arg("validate").args(args).env("SOURCE_DATE_EPOCH", "1767225600");
    command.stdin(Stdio::null());
    command
}

/// Runs `validate --output json` in a directory, with one of its files as standard input.
pub fn run_in<S: AsRef<OsStr>>(directory: &Path, args: &[S], stdin: Option<&str>) -> CommandResult {
    let mut command = command(directory, args);
    command.args(["--output", "json"]);
    if let Some(file) = stdin {
        command.stdin(fs_err::File::open(directory.join(file)).expect("a file").into_parts().0);
    }
    command.output().expect("the binary starts").into()
}

/// A directory of files for a test.
pub struct Tree {
    dir: tempfile::TempDir,
}

/// An app without findings: `dev` and `prod`, a Deployment in a template, its values.
pub const APP: &str = "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\n";

/// A `ConfigMap` without findings.
pub const GOOD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}\ndata: {theme: dark}\n";

/// A `ConfigMap` with one finding, on its fourth line.
pub const BAD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad}\ndata: {theme: 7}\n";

impl Tree {
    pub fn new(files: &[(&str, &str)]) -> Self {
        let tree = Self { dir: tempfile::TempDir::new().expect("a directory") };
        for (path, text) in files {
            tree.write(path, text);
        }
        tree
    }

    /// Creates an app in the directory itself, with the environments `dev` and `prod`.
    pub fn app(files: &[(&str, &str)]) -> Self {
        let tree = Self::new(&[
            ("sealwave.yaml", APP),
            ("envs/dev/values.yaml", "{}\n"),
            ("envs/prod/values.yaml", "{}\n"),
            ("base/good.yaml", GOOD),
        ]);
        for (path, text) in files {
            tree.write(path, text);
        }
        tree
    }

    pub fn root(&self) -> &Path {
        self.dir.path()
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs_err::write(path, text).expect("written");
    }

    pub fn read(&self, path: &str) -> String {
        fs_err::read_to_string(self.root().join(path)).expect("readable")
    }

    pub fn remove(&self, path: &str) {
        fs_err::remove_file(self.root().join(path)).expect("removed");
    }

    /// Runs with `--output json`.
    pub fn run(&self, args: &[&str]) -> CommandResult {
        run_in(self.root(), args, None)
    }

    pub fn report(&self, args: &[&str]) -> Report {
        self.run(args).report()
    }

    /// Runs with the given arguments only.
    pub fn plain(&self, args: &[&str]) -> CommandResult {
        command(self.root(), args).output().expect("the binary starts").into()
    }

    /// Runs Git in the directory, without the user's settings.
    pub fn git(&self, args: &[&str]) {
        sealwave_testkit::git(self.root(), args);
    }
}
