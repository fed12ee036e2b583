//! An app of one test: its Git repository, its sidecar, its project and its Application.

use std::sync::Arc;

use serde_json::{Value, json};

use super::argocd::ARGOCD;
use super::cluster::{APPLICATION, Kind};
use super::git::{Repository, copy_tree};
use super::sidecar::Sidecar;
use super::stack::Stack;
use super::wait::until;

const PROJECT: Kind = Kind("argoproj.io/v1alpha1", "AppProject");
const REFRESH: &str = "argocd.argoproj.io/refresh";

/// An app with its surroundings. Its name is also that of its project, its plugin and its namespace.
pub struct TestApp {
    name: String,
    repository: Repository,
    sidecar: Sidecar,
    stack: Arc<Stack>,
}

/// The ways in which Argo CD is asked to look again.
#[derive(Clone, Copy)]
pub enum Refresh {
    /// With the manifests in its cache, if nothing was committed.
    Normal,
    /// With new manifests.
    Hard,
}

impl Refresh {
    /// Returns the value of the annotation that asks for it.
    pub fn annotation(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Hard => "hard",
        }
    }
}

impl TestApp {
    /// Prepares an app. `variables` are those of the sidecar.
    pub fn new(stack: &Arc<Stack>, name: &str, variables: &[(&str, &str)]) -> Self {
        let sidecar = Sidecar::start(stack, name, variables);
        let repository = Repository::create(stack.memory().join("git").join(name));
        Self { name: name.to_owned(), repository, sidecar, stack: Arc::clone(stack) }
    }

    /// Copies an app and its operator's files from `testdata`. The certificates become that of the running controller.
    pub fn copy_scenario(&self, scenario: &str) {
        let scenario = sealwave_testkit::repository_root().join("testdata").join(scenario);
        copy_tree(&scenario.join("app"), &self.repository.directory().join("app"));
        copy_tree(&scenario.join("operator"), &self.sidecar.operator_directory());
        self.use_certificate(&self.stack.controller.certificate());
    }

    /// Replaces all certificates of the operator.
    pub fn use_certificate(&self, pem: &str) {
        let certificates = self.sidecar.operator_directory().join("certs");
        for entry in fs_err::read_dir(certificates).expect("certificates") {
            fs_err::write(entry.expect("readable").path(), pem).expect("writable");
        }
    }

    /// Writes one of the operator's files.
    pub fn write_operator_file(&self, path: &str, text: &str) {
        let file = self.sidecar.operator_directory().join(path);
        fs_err::create_dir_all(file.parent().expect("a parent")).expect("a directory");
        fs_err::write(file, text).expect("writable");
    }

    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    pub fn sidecar(&self) -> &Sidecar {
        &self.sidecar
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Commits the files, and creates the Application in the project for one environment: `manifests/application.yaml` with
    /// other names.
    pub fn deploy(&self, project: &str, environment: &str) -> String {
        let commit = self.repository.commit("the app");
        self.stack.cluster().apply(&json!({
            "apiVersion": PROJECT.0, "kind": PROJECT.1, "metadata": {"name": project, "namespace": ARGOCD},
            "spec": {
                "sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
                "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
            },
        }));
        self.stack.cluster().apply(&self.application(project, environment));
        commit
    }

    /// Returns the Application that [`Self::deploy`] creates.
    pub fn application(&self, project: &str, environment: &str) -> Value {
        let file = sealwave_testkit::repository_root().join("manifests/application.yaml");
        let mut application =
            super::yaml::documents(&fs_err::read_to_string(file).expect("readable")).remove(0);
        application["metadata"]["name"] = json!(self.name);
        application["spec"]["project"] = json!(project);
        let source = &mut application["spec"]["source"];
        source["repoURL"] = json!(self.repository.url());
        source["path"] = json!("app");
        source["plugin"] = json!({"name": self.name, "parameters": [{"name": "env", "string": environment}]});
        application["spec"]["destination"]["namespace"] = json!(self.name);
        application
    }

    /// Returns the Application as Argo CD left it.
    pub fn live(&self) -> Value {
        self.stack
            .argocd
            .application(&self.name)
            .unwrap_or_else(|| panic!("the Application {} exists", self.name))
    }

    /// Asks Argo CD to look again, and waits until it has; returns the Application.
    pub fn refresh(&self, how: Refresh) -> Value {
        let how = how.annotation();
        let patch = json!({"metadata": {"annotations": {REFRESH: how}}});
        self.stack.cluster().patch(APPLICATION, Some(ARGOCD), &self.name, &patch);
        until(&format!("a {how} refresh of {}", self.name), || {
            self.stack.argocd.check_running();
            let live = self.live();
            let pending =
                live["metadata"]["annotations"][REFRESH].is_string() || live["status"]["sync"].is_null();
            if pending { Err("the annotation is still there".to_owned()) } else { Ok(live) }
        })
    }

    /// Waits until a commit is Synced and Healthy, and no operation runs.
    pub fn wait_healthy(&self, commit: &str) -> Value {
        self.refresh(Refresh::Normal);
        until(&format!("{} to be Synced and Healthy at {commit}", self.name), || {
            self.stack.argocd.check_running();
            let live = self.live();
            let status = &live["status"];
            let done = status["sync"]["status"] == "Synced"
                && status["sync"]["revision"] == commit
                && status["health"]["status"] == "Healthy"
                && status["operationState"]["phase"] == "Succeeded"
                && live["operation"].is_null();
            if done { Ok(live) } else { Err(summary(&live)) }
        })
    }

    /// Waits until the Application has a condition of this type, and returns its message.
    pub fn wait_condition(&self, kind: &str) -> String {
        until(&format!("the condition {kind} of {}", self.name), || {
            let live = self.live();
            let conditions = live["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let found = conditions.iter().find(|condition| condition["type"] == kind);
            found
                .and_then(|condition| condition["message"].as_str().map(str::to_owned))
                .ok_or_else(|| summary(&live))
        })
    }
}

/// Returns what a person would look at first: state, conditions, objects that are not healthy.
pub fn summary(application: &Value) -> String {
    let status = &application["status"];
    let resources = status["resources"].as_array().cloned().unwrap_or_default();
    let unfinished = resources.iter().filter(|resource| {
        resource["status"] != "Synced"
            || !matches!(resource["health"]["status"].as_str(), None | Some("Healthy"))
    });
    let unfinished: Vec<String> = unfinished
        .map(|it| format!("{}/{} {} {}", it["kind"], it["name"], it["status"], it["health"]))
        .collect();
    format!(
        "sync {}, health {}, operation {} ({}), conditions {}, objects {unfinished:#?}",
        status["sync"]["status"],
        status["health"]["status"],
        status["operationState"]["phase"],
        status["operationState"]["message"],
        status["conditions"],
    )
}
