//! An app of one test: its Git repository, its sidecar, its project and its Application.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};

use super::argocd::ARGOCD;
use super::broken_program::Break;
use super::cluster::{APPLICATION, Kind, NAMESPACE, SECRET};
use super::git::{Repository, copy_tree};
use super::sidecar::Sidecar;
use super::stack::Stack;
use super::wait::{PATIENCE, until, until_within};

const PROJECT: Kind = Kind("argoproj.io/v1alpha1", "AppProject");
const REFRESH: &str = "argocd.argoproj.io/refresh";

/// An app with its surroundings. Its name is also that of its project, its plugin and its namespace.
pub struct TestApp {
    name: String,
    repository: Repository,
    sidecar: Sidecar,
    stack: Arc<Stack>,
}

/// The data of Secrets: name, key, bytes.
pub type Secrets = BTreeMap<String, BTreeMap<String, Vec<u8>>>;

/// The ways in which Argo CD is asked to look again.
#[derive(Clone, Copy, Debug)]
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
        Self::with_sidecar(stack, name, Sidecar::start(stack, name, variables))
    }

    /// Prepares an app whose sealwave breaks a promise.
    pub fn broken(stack: &Arc<Stack>, name: &str, fault: Break) -> Self {
        Self::with_sidecar(stack, name, Sidecar::start_broken(stack, name, fault))
    }

    /// Prepares an app with a sidecar that has options.
    pub fn with_sidecar(stack: &Arc<Stack>, name: &str, sidecar: Sidecar) -> Self {
        let repository = Repository::create(stack.memory().join("git").join(name));
        Self { name: name.to_owned(), repository, sidecar, stack: Arc::clone(stack) }
    }

    /// Copies an app and its operator's files from `testdata`. The certificates become that of the running controller.
    pub fn copy_scenario(&self, scenario: &str) {
        self.copy_app(scenario);
        copy_tree(&testdata(scenario).join("operator"), &self.sidecar.operator_directory());
        self.use_certificate(&self.stack.controller.certificate());
    }

    /// Replaces the app by another one from `testdata`.
    pub fn copy_app(&self, case: &str) {
        let app = self.repository.directory().join("app");
        if app.exists() {
            fs_err::remove_dir_all(&app).expect("the app can be removed");
        }
        copy_tree(&testdata(case).join("app"), &app);
    }

    /// Lets the operator file name the programs that render charts and overlays.
    pub fn allow_renderers(&self) {
        let path = |name: &str| json!({"path": self.stack.programs().built(name)});
        let tools = json!({"helm": path("helm"), "kustomize": path("kustomize")});
        let file = self.sidecar.operator_directory().join("operator.yaml");
        let text = fs_err::read_to_string(&file).expect("an operator file");
        fs_err::write(&file, format!("{text}tools: {tools}\n")).expect("writable");
    }

    /// Puts a prefix before namespaces in the app and in the operator's policy, so that two tests can run the same app.
    ///
    /// Only `namespace: x`, lists of namespaces and Namespaces themselves change: other objects may have the same name.
    pub fn prefix_namespaces(&self, prefix: &str, namespaces: &[&str]) {
        for directory in [self.repository.directory().join("app"), self.sidecar.operator_directory()] {
            edit_files(&directory, |text| with_prefixed_namespaces(text, prefix, namespaces));
        }
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

    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// Commits the files, and creates the Application in the project for one environment: `manifests/application.yaml` with
    /// other names. Returns the commit.
    pub fn deploy(&self, project: &str, environment: &str) -> String {
        self.deploy_changed(project, environment, |_| ())
    }

    /// Like [`Self::deploy`], with an Application that `change` has changed.
    pub fn deploy_changed(
        &self,
        project: &str,
        environment: &str,
        change: impl FnOnce(&mut Value),
    ) -> String {
        let mut application = self.application(project, environment);
        change(&mut application);
        self.deploy_application(&application)
    }

    /// Commits the files, and creates this Application and its project. Returns the commit.
    pub fn deploy_application(&self, application: &Value) -> String {
        let commit = self.repository.commit("the app");
        self.create_project(application["spec"]["project"].as_str().expect("a project"));
        self.stack.cluster().apply(application);
        commit
    }

    /// Creates a project that allows everything; the operator's policy decides about secrets.
    pub fn create_project(&self, name: &str) {
        self.stack.cluster().apply(&json!({
            "apiVersion": PROJECT.0, "kind": PROJECT.1, "metadata": {"name": name, "namespace": ARGOCD},
            "spec": {
                "sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
                "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
            },
        }));
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

    /// Deploys another environment of the app, or names none.
    pub fn switch_environment(&self, environment: Option<&str>) {
        let parameters = environment.map(|name| json!({"name": "env", "string": name}));
        let parameters: Vec<Value> = parameters.into_iter().collect();
        let patch = json!({"spec": {"source": {"plugin": {"parameters": parameters}}}});
        self.stack.cluster().patch(APPLICATION, Some(ARGOCD), &self.name, &patch);
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

    /// Syncs a commit as a person does, and waits for the end; returns the Application.
    pub fn sync(&self, commit: &str) -> Value {
        self.sync_with(&json!({"revision": commit, "syncOptions": ["CreateNamespace=true"]}))
    }

    /// Syncs one Deployment of a commit, as a person does who selects only this.
    pub fn sync_deployment(&self, commit: &str, name: &str) -> Value {
        let selected = json!([{"group": "apps", "kind": "Deployment", "name": name}]);
        self.sync_with(&json!({"revision": commit, "resources": selected}))
    }

    fn sync_with(&self, sync: &Value) -> Value {
        let patch = json!({"operation": {"sync": sync}});
        self.stack.cluster().patch(APPLICATION, Some(ARGOCD), &self.name, &patch);
        self.wait_for("the end of a sync", |live| live["operation"].is_null())
    }

    /// Waits until the Application is in a state, without asking Argo CD to look again.
    pub fn wait_for(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        until(&format!("{what} of {}", self.name), || {
            self.stack.argocd.check_running();
            let live = self.live();
            if fits(&live) { Ok(live) } else { Err(summary(&live)) }
        })
    }

    /// Waits until a sync has failed because of an object whose message contains this. Argo CD may try again later.
    pub fn wait_failed_sync(&self, message: &str) -> Value {
        self.wait_for(&format!("a failed sync ({message})"), |live| {
            let state = &live["status"]["operationState"];
            let has_failed = |text: &str| text.contains("synchronization tasks completed unsuccessfully");
            state["message"].as_str().is_some_and(has_failed)
                && state["syncResult"]["resources"].to_string().contains(message)
        })
    }

    /// Waits until a commit is Synced and Healthy, and no operation runs.
    pub fn wait_healthy(&self, commit: &str) -> Value {
        self.wait_healthy_within(PATIENCE, commit)
    }

    /// Like [`Self::wait_healthy`], with a time of its own.
    pub fn wait_healthy_within(&self, patience: Duration, commit: &str) -> Value {
        self.refresh(Refresh::Normal);
        until_within(patience, &format!("{} to be Synced and Healthy at {commit}", self.name), || {
            self.stack.argocd.check_running();
            let mut live = self.live();
            if condition(&live, "InvalidSpecError").is_some() {
                // Argo CD met the Application before its project.
                live = self.refresh(Refresh::Normal);
            }
            let status = &live["status"];
            let done = status["sync"]["status"] == "Synced"
                && is_at(&status["sync"], commit)
                && status["health"]["status"] == "Healthy"
                && status["operationState"]["phase"] == "Succeeded"
                && live["operation"].is_null();
            if done { Ok(live) } else { Err(summary(&live)) }
        })
    }

    /// Returns the data of all Secrets in a namespace, by the Secret's name and the item's key.
    pub fn secrets(&self, namespace: &str) -> Secrets {
        let secrets = self.stack.cluster().list(SECRET, Some(namespace)).into_iter();
        secrets
            .map(|secret| {
                let data = secret["data"].as_object().into_iter().flatten();
                let data = data.map(|(key, value)| (key.clone(), decoded(value))).collect();
                (secret["metadata"]["name"].as_str().expect("a name").to_owned(), data)
            })
            .collect()
    }

    /// Deletes the Application and its namespace, so that many objects do not slow down the tests that follow.
    pub fn remove(&self) {
        self.stack.cluster().delete(APPLICATION, Some(ARGOCD), &self.name);
        until("the end of the Application", || {
            self.stack.argocd.application(&self.name).map_or(Ok(()), |live| Err(summary(&live)))
        });
        self.stack.cluster().delete(NAMESPACE, None, &self.name);
    }

    /// Waits until the Application has a condition of this type, and returns its message.
    pub fn wait_condition(&self, kind: &str) -> String {
        until(&format!("the condition {kind} of {}", self.name), || {
            let live = self.live();
            condition(&live, kind).ok_or_else(|| summary(&live))
        })
    }
}

/// Returns the objects of an Application that are not in sync, as `Kind/name` in alphabetical order.
pub fn out_of_sync(application: &Value) -> Vec<String> {
    let resources = application["status"]["resources"].as_array().expect("the Application has objects");
    let text = |resource: &Value, field: &str| resource[field].as_str().unwrap_or_default().to_owned();
    let differing = resources.iter().filter(|resource| resource["status"] != "Synced");
    let mut names: Vec<String> =
        differing.map(|resource| format!("{}/{}", text(resource, "kind"), text(resource, "name"))).collect();
    names.sort();
    names
}

/// Returns a directory of `testdata`.
fn testdata(case: &str) -> PathBuf {
    sealwave_testkit::repository_root().join("testdata").join(case)
}

fn decoded(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("text");
    base64::engine::general_purpose::STANDARD.decode(text).expect("base64")
}

/// Rewrites all text files of a directory.
fn edit_files(directory: &Path, edit: impl Fn(&str) -> String) {
    for entry in walkdir::WalkDir::new(directory) {
        let entry = entry.expect("readable");
        if let Ok(text) = std::fs::read_to_string(entry.path()) {
            fs_err::write(entry.path(), edit(&text)).expect("writable");
        }
    }
}

fn with_prefixed_namespaces(text: &str, prefix: &str, namespaces: &[&str]) -> String {
    let is_namespace = text.contains("\nkind: Namespace\n");
    let edit = |line: &str| {
        let is_list = line.contains("amespaces: [");
        namespaces.iter().fold(line.to_owned(), |line, name| {
            if is_list || (is_namespace && line.trim_start().starts_with("name:")) {
                line.replace(name, &format!("{prefix}{name}"))
            } else {
                line.replace(&format!("namespace: {name}"), &format!("namespace: {prefix}{name}"))
            }
        })
    };
    text.split_inclusive('\n').map(edit).collect()
}

/// Returns the message of an Application's condition, if it has one of this type.
pub fn condition(application: &Value, kind: &str) -> Option<String> {
    let conditions = application["status"]["conditions"].as_array().into_iter().flatten();
    let mut messages = conditions.filter(|condition| condition["type"] == kind).map(|it| &it["message"]);
    messages.next().and_then(Value::as_str).map(str::to_owned)
}

/// Reports whether all sources of an app are at a commit.
fn is_at(sync: &Value, commit: &str) -> bool {
    let all = sync["revisions"].as_array().map_or_else(Vec::new, Clone::clone);
    sync["revision"] == commit || (!all.is_empty() && all.iter().all(|revision| revision == commit))
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
