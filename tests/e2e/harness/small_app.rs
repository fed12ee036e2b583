//! A small app that a test writes itself: two Secrets, a ConfigMap, and a Deployment for each way to read them.
//!
//! It has few objects, so that a test can list all that may change. Its environment is `dev`; its project, plugin and namespace
//! have its name.

use std::ops::Deref;
use std::process::Command;
use std::sync::Arc;

use base64::Engine as _;
use serde_json::Value;

use super::app::TestApp;
use super::app_files::APP_FILE;
use super::broken_program::Break;
use super::cluster::{DEPLOYMENT, POD, SECRET};
use super::kubelet::PodStart;
use super::operator_files::operator_file;
use super::programs::Programs;
use super::sidecar::Sidecar;
use super::snapshot::Snapshot;
use super::stack::Stack;

/// A certificate whose key no controller of the tests has.
pub const WRONG_CERTIFICATE: &str = include_str!("../../../testdata/sealed-secrets/rsa3072.crt");

const SECRET_FILE: &str = "\
apiVersion: v1
kind: Secret
metadata: {name: NAME}
stringData: {password: <file:SOURCE.yaml#password>}
";

const SETTINGS_FILE: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: SETTINGS}
data: {LEVEL: info}
";

/// A Deployment whose container and volumes are to be filled in.
const DEPLOYMENT_FILE: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: WORKLOAD}
spec:
  selector: {matchLabels: {app: WORKLOAD}}
  template:
    metadata: {labels: {app: WORKLOAD}}
    spec:
      containers:
        - {name: main, image: registry.example.internal/main:1, CONTAINER}
      volumes: [VOLUMES]
";

/// An app with the Secrets `alpha` and `beta`, the ConfigMap `settings`, and the Deployments `use-alpha`, `use-alpha-volume`,
/// `use-beta` and `use-config`.
pub struct SmallApp {
    pub stack: Arc<Stack>,
    app: TestApp,
}

impl Deref for SmallApp {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.app
    }
}

impl SmallApp {
    /// Prepares the app; nothing is committed yet.
    pub fn new(stack: &Arc<Stack>, name: &str) -> Self {
        Self::with_files(stack, TestApp::new(stack, name, &[]))
    }

    /// Prepares the app with a sealwave that breaks a promise.
    pub fn broken(stack: &Arc<Stack>, name: &str, fault: Break) -> Self {
        Self::with_files(stack, TestApp::broken(stack, name, fault))
    }

    /// Prepares the app with a sidecar that has options.
    pub fn with_sidecar(stack: &Arc<Stack>, name: &str, sidecar: Sidecar) -> Self {
        Self::with_files(stack, TestApp::with_sidecar(stack, name, sidecar))
    }

    fn with_files(stack: &Arc<Stack>, app: TestApp) -> Self {
        let this = Self { app, stack: Arc::clone(stack) };
        let app = &this.app;
        app.write_operator_file("operator.yaml", &operator_file(app.name(), "'file:*'"));
        app.write_operator_file("certs/dev.pem", &stack.controller.certificate());
        this.generate_key("--output", "seal-key");
        this.generate_key("--checksum-output", "checksum-key");
        this.set_value("alpha", "CANARY-alpha-1");
        this.set_value("beta", "CANARY-beta-1");
        app.repository().write("app/sealwave.yaml", APP_FILE);
        this.write_secret("beta", "beta");
        this.write_objects("alpha", "settings");
        this
    }

    /// Writes all objects besides the Secret `beta`, with these names of the Secret and the ConfigMap.
    pub fn write_objects(&self, alpha: &str, settings: &str) {
        self.write_secret("alpha", alpha);
        self.write_base("settings", &SETTINGS_FILE.replace("SETTINGS", settings));
        let key = format!("{{secretKeyRef: {{name: {alpha}, key: password}}}}");
        self.write_deployment("use-alpha", &format!("env: [{{name: PASSWORD, valueFrom: {key}}}]"), "");
        let mount = "volumeMounts: [{name: alpha, mountPath: /alpha}]";
        let volume = format!("{{name: alpha, secret: {{secretName: {alpha}}}}}");
        self.write_deployment("use-alpha-volume", mount, &volume);
        self.write_deployment("use-beta", "envFrom: [{secretRef: {name: beta}}]", "");
        let settings = format!("envFrom: [{{configMapRef: {{name: {settings}}}}}]");
        self.write_deployment("use-config", &settings, "");
    }

    /// Writes a Secret whose value comes from the operator's file for `source`.
    pub fn write_secret(&self, source: &str, name: &str) {
        self.write_base(source, &SECRET_FILE.replace("SOURCE", source).replace("NAME", name));
    }

    fn write_deployment(&self, name: &str, container: &str, volumes: &str) {
        let text = DEPLOYMENT_FILE.replace("WORKLOAD", name);
        self.write_base(name, &text.replace("CONTAINER", container).replace("VOLUMES", volumes));
    }

    /// Writes a file of manifests.
    pub fn write_base(&self, file: &str, text: &str) {
        self.app.repository().write(&format!("app/base/{file}.yaml"), text);
    }

    /// Sets a value at its source.
    pub fn set_value(&self, source: &str, value: &str) {
        self.app.write_operator_file(&format!("secrets/{source}.yaml"), &format!("password: {value}\n"));
    }

    /// Replaces a key of the operator by a new one.
    pub fn generate_key(&self, option: &str, file: &str) {
        let directory = self.app.sidecar().operator_directory();
        // sealwave does not overwrite keys. The first one does not exist yet.
        let _ = fs_err::remove_file(directory.join(file));
        let mut command = Command::new(Programs::sealwave());
        let output = command.args(["key", "generate", option, file]).current_dir(directory).output();
        let output = output.expect("sealwave starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Commits the files, creates the Application, and waits until it is Synced and Healthy; returns the commit.
    pub fn deploy(&self) -> String {
        self.deploy_with(|_| ())
    }

    /// Like [`Self::deploy`], with an Application that `change` has changed.
    pub fn deploy_with(&self, change: impl FnOnce(&mut Value)) -> String {
        let commit = self.app.deploy_changed(self.app.name(), "dev", change);
        self.app.wait_healthy(&commit);
        commit
    }

    /// Commits the changed files, and waits until they are Synced and Healthy; returns the commit.
    pub fn update(&self) -> String {
        let commit = self.app.repository().commit("a change");
        self.app.wait_healthy(&commit);
        commit
    }

    /// Returns all objects of the app in the cluster.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::take(self.stack.cluster(), self.app.name())
    }

    /// Returns the starts of pods of a Deployment, in order.
    pub fn starts(&self, deployment: &str) -> Vec<PodStart> {
        let starts = self.stack.kubelet.starts(self.app.name()).into_iter();
        starts
            .filter(|start| start.workload.rsplit_once('-').is_some_and(|(name, _)| name == deployment))
            .collect()
    }

    /// Returns the password that the newest pod of a Deployment read from a Secret.
    pub fn password_of(&self, deployment: &str, secret: &str) -> String {
        let starts = self.starts(deployment);
        let start = starts.last().unwrap_or_else(|| panic!("a pod of {deployment} has started"));
        let data = start.data.get(&format!("Secret/{secret}"));
        decoded(&data.unwrap_or_else(|| panic!("{deployment} reads {secret}"))["password"])
    }

    /// Returns the password in a Secret of the cluster.
    pub fn password_in(&self, secret: &str) -> String {
        let secret = self.stack.cluster().get(SECRET, Some(self.app.name()), secret);
        decoded(&secret.expect("the Secret exists")["data"]["password"])
    }

    /// Returns a checksum on the pods of a Deployment: `config` or `secret`.
    pub fn checksum(&self, deployment: &str, kind: &str) -> String {
        let found = self.stack.cluster().get(DEPLOYMENT, Some(self.app.name()), deployment);
        let found = found.expect("the Deployment exists");
        let checksum = &found["spec"]["template"]["metadata"]["annotations"][format!("checksum/{kind}")];
        checksum.as_str().unwrap_or_else(|| panic!("{deployment} has checksum/{kind}")).to_owned()
    }

    /// Deletes the pods of a Deployment, as a drained node does.
    pub fn replace_pods(&self, deployment: &str) {
        for start in self.starts(deployment) {
            self.stack.cluster().delete(POD, Some(self.app.name()), &start.pod);
        }
    }
}

fn decoded(base64: &Value) -> String {
    let text = base64.as_str().expect("a value");
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).expect("base64");
    String::from_utf8(bytes).expect("text")
}
