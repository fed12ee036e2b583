//! The real programs that render charts and overlays, which `.ci/run` installs, and the cases of `testdata/sources`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sealwave_core::document::Sources;
use sealwave_core::yaml::{Limits, flatten_lists, read, write_json};
use sealwave_testkit::skipped;
use serde_json::Value;
use tempfile::TempDir;

use super::{cases, root, sealwave};

/// The namespace of the objects that have none.
pub const NAMESPACE: &str = "shop";

/// A set of programs: one Helm, and Kustomize.
#[derive(Debug)]
pub struct Renderers {
    pub name: &'static str,
    directories: Vec<PathBuf>,
}

impl Renderers {
    /// Returns a set for each version of Helm, or reports which programs are missing and returns none.
    pub fn all() -> Vec<Self> {
        let sets = [("helm 3", "SEALWAVE_TEST_HELM"), ("helm 4", "SEALWAVE_TEST_HELM4")];
        let found = sets.into_iter().map(|(name, helm)| {
            let directories = [("helm", helm), ("kustomize", "SEALWAVE_TEST_KUSTOMIZE")];
            let directories = directories.into_iter().map(|(program, variable)| directory(program, variable));
            Some(Self { name, directories: directories.collect::<Option<_>>()? })
        });
        found.collect::<Option<_>>().unwrap_or_default()
    }

    /// Returns kubectl alone, or reports that it is missing.
    pub fn kubectl() -> Option<Self> {
        Some(Self { name: "kubectl", directories: vec![directory("kubectl", "SEALWAVE_TEST_KUBECTL")?] })
    }

    /// Returns a search path with these programs first.
    pub fn search_path(&self) -> String {
        let directories = self.directories.iter().map(|path| path.to_str().expect("UTF-8"));
        directories.chain(["/usr/bin", "/bin"]).collect::<Vec<_>>().join(":")
    }
}

/// Returns the directory of a program that the environment of the test run names, or reports that the test is skipped.
fn directory(program: &str, variable: &str) -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "the environment of the test run, not of the program")]
    let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from) else {
        skipped(&format!(
            "{variable} is not set, so nothing was rendered with the real {program}; see `.ci/run`"
        ));
        return None;
    };
    assert_eq!(path.file_name().and_then(|name| name.to_str()), Some(program), "the file in {variable}");
    assert!(path.is_absolute() && path.is_file(), "{variable}: {} is not a program", path.display());
    path.parent().map(Path::to_owned)
}

/// A case of `testdata/sources`.
#[derive(Debug)]
pub struct SourceCase {
    pub name: String,
    pub directory: PathBuf,
}

impl SourceCase {
    /// Returns all cases, in order.
    pub fn all() -> Vec<Self> {
        let directories = cases("sources/").into_iter().filter(|path| path.join("alone.sh").exists());
        let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
        directories.map(|directory| Self { name: name(&directory), directory }).collect()
    }

    /// Returns the commands that make the objects without sealwave.
    pub fn script(&self) -> String {
        fs_err::read_to_string(self.directory.join("alone.sh")).expect("a script")
    }

    /// Returns the environments, as the first line of the script lists them.
    pub fn environments(&self) -> Vec<String> {
        let script = self.script();
        let list = script.lines().next().and_then(|line| line.strip_prefix("# environments: "));
        list.expect("a list of environments").split(' ').map(str::to_owned).collect()
    }

    /// Returns the scenario whose objects the case makes, with its own operator.
    pub fn scenario(&self) -> Option<PathBuf> {
        let start: Vec<&str> = self.name.split('-').take(2).collect();
        self.name.starts_with("scenario-").then(|| cases(&start.join("-")).remove(0))
    }

    /// Returns the directory of the operator file.
    pub fn operator(&self) -> PathBuf {
        self.scenario().unwrap_or_else(|| root().join("testdata/sources")).join("operator")
    }

    fn project(&self) -> String {
        let project = self.scenario().map(|scenario| fs_err::read_to_string(scenario.join("project")));
        project.map_or("sources".to_owned(), |text| text.expect("a project").trim().to_owned())
    }

    /// Returns the objects that the programs print without sealwave.
    pub fn alone(&self, environment: &str, renderers: &Renderers) -> Vec<Value> {
        self.run(&self.script(), environment, renderers)
    }

    /// Runs a script in the directory of the app, with an empty home directory.
    pub fn run(&self, script: &str, environment: &str, renderers: &Renderers) -> Vec<Value> {
        let home = TempDir::new().expect("a directory");
        let mut command = Command::new("sh");
        command.args(["-eu", "-c", script]).current_dir(self.directory.join("app")).env_clear();
        command.env("PATH", renderers.search_path()).env("HOME", home.path());
        let output = command.env("app", &self.name).env("env", environment).output().expect("a shell");
        let what = format!("{} ({environment}, {})", self.name, renderers.name);
        parse(&printed(&output, &what), &what)
    }

    /// Returns `generate` for an environment of the case; for a scenario, with the arguments of its expected files.
    pub fn generate(&self, environment: &str, renderers: &Renderers) -> Command {
        let mut command = sealwave();
        command.env("PATH", renderers.search_path()).arg("generate").arg(self.directory.join("app"));
        command.arg("--operator").arg(self.operator().join("operator.yaml"));
        command.args(["--env", environment, "--project", &self.project()]);
        if self.scenario().is_none() {
            command.args(["--app", &self.name, "--namespace", NAMESPACE]);
        }
        command
    }
}

/// Returns what a run printed, which must have succeeded.
pub fn printed(output: &Output, what: &str) -> Vec<u8> {
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout.clone()
}

/// Reads documents as Kubernetes does.
pub fn parse(text: &[u8], what: &str) -> Vec<Value> {
    let source = Sources::default().add("output");
    let documents = read(text, source, &Limits::default());
    let documents = documents.unwrap_or_else(|error| panic!("{what}: {error:?}"));
    let json = |node| {
        let mut text = Vec::new();
        write_json(node, &mut text);
        serde_json::from_slice(&text).expect("JSON")
    };
    flatten_lists(documents).iter().map(json).filter(|object: &Value| !object.is_null()).collect()
}

/// Identifies an object within an environment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectKey {
    pub kind: String,
    pub namespace: String,
    pub name: String,
}

impl ObjectKey {
    /// Returns the key of an object; its namespace is empty if it has none.
    pub fn of(object: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let metadata = &object["metadata"];
        Self {
            kind: text(&object["kind"]),
            namespace: text(&metadata["namespace"]),
            name: text(&metadata["name"]),
        }
    }
}
