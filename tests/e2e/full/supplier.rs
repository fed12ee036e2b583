//! The supplier of a Secret changes from sealed-secrets to External Secrets and back, by the commits that `sealwave switch`
//! prints: the Secret is never absent, and no pod restarts.

use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::harness::{DEPLOYMENT, SECRET, Stack, TestApp, until};

const APP_FILE: &str = "\
apiVersion: sealwave.dev/v1alpha1
kind: App
externalSecrets:
  refreshInterval: 1s
  stores: {file: {name: STORE, kind: ClusterSecretStore, provider: aws-sm}}
";

const OBJECTS: &str = "\
apiVersion: v1
kind: Secret
metadata: {name: db}
stringData: {password: '<file:app/db.yaml#password>', url: 'postgresql://app:<file:app/db.yaml#password | urlencode>@db/shop'}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: registry.example.internal/web:1, envFrom: [{secretRef: {name: db}}]}]
";

/// Both ways, under automated sync with pruning.
pub fn changes_without_a_gap(stack: &Arc<Stack>) {
    let app = SuppliedApp::deploy(stack, "supplier");
    let before = app.state();
    assert_eq!(before.owners, ["SealedSecret"]);

    for (to, released, owner) in [
        ("external-secrets", "sealed-secrets", "ExternalSecret"),
        ("sealed-secrets", "external-secrets", "SealedSecret"),
    ] {
        let plan = app.wait_until_ready(to, "release");
        app.follow(&plan);
        app.assert_same(&before, &format!("{released} releases"));
        // The cluster says when the release has its effect.
        let plan = app.wait_until_ready(to, "take-over");
        assert_eq!(app.state().owners, [""; 0]);
        app.follow(&plan);
        app.assert_same(&before, &format!("{to} takes over"));
        app.wait_until_ready(to, "done");
        assert_eq!(app.state().owners, [owner]);
    }

    let log = stack.audit_log();
    let deleted = log.writes(app.name(), |write| {
        write.resource == "secrets" && write.name == "db" && write.verb.starts_with("delete")
    });
    assert!(deleted.is_empty(), "{deleted:?}");
    assert_eq!(stack.kubelet.starts(app.name()).len(), 1, "a pod restarted");
}

/// In one commit, the new object cannot take the Secret over; `validate --changed-since` reports that before.
pub fn in_one_commit_stops_the_sync(stack: &Arc<Stack>) {
    let app = SuppliedApp::deploy(stack, "one-step-supplier");
    let before = app.state();

    app.write_app_file("environments: {dev: {backend: external-secrets}}\n");
    app.repository().commit("one step");
    app.refresh(crate::harness::Refresh::Normal);
    app.wait_failed_sync("failed to take ownership of target secret");

    assert_eq!(app.state().uid, before.uid);
    assert_eq!(app.state().owners, ["SealedSecret"]);
}

/// From a directory of plain manifests, with pruning: the operator takes the Secret over.
pub fn plain_secret_is_taken_over_by_the_operator(stack: &Arc<Stack>) {
    let app = SuppliedApp::prepare(stack, "plain-supplier");
    let name = app.name();
    let plain = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "namespace": name},
        "stringData": {"password": app.password(), "url": format!("postgresql://app:{}@db/shop", app.password())},
    });
    app.repository().write("plain/db.yaml", &plain.to_string());
    let workload = OBJECTS.split_once("---\n").expect("two objects").1;
    app.repository().write("plain/web.yaml", workload);
    let commit = app.deploy_changed(name, "dev", |application| {
        application["spec"]["source"]["path"] = json!("plain");
        application["spec"]["source"].as_object_mut().expect("a source").remove("plugin");
    });
    app.wait_healthy(&commit);
    let before = app.state();
    assert_eq!(before.owners, [""; 0]);

    app.write_app_file("environments: {dev: {backend: external-secrets}}\n");
    stack.cluster().apply(&app.application(name, "dev"));
    let commit = app.repository().commit("the operator supplies it");
    app.wait_healthy(&commit);

    let after = app.state();
    assert_eq!(after.uid, before.uid, "the Secret was replaced");
    assert_eq!(after.owners, ["ExternalSecret"]);
    assert!(after.data == before.data, "the items changed");
    // A second look does not prune it either.
    app.refresh(crate::harness::Refresh::Hard);
    assert_eq!(app.state().uid, before.uid);
}

/// An app with a Secret that both backends can supply, and a Deployment that reads it.
struct SuppliedApp {
    app: TestApp,
    stack: Arc<Stack>,
}

/// The state that must stay the same.
struct LiveState {
    uid: String,
    owners: Vec<String>,
    template: Value,
    data: Value,
}

impl std::ops::Deref for SuppliedApp {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.app
    }
}

impl SuppliedApp {
    fn deploy(stack: &Arc<Stack>, name: &str) -> Self {
        let this = Self::prepare(stack, name);
        let commit = this.app.deploy(name, "dev");
        this.wait_healthy(&commit);
        this
    }

    fn prepare(stack: &Arc<Stack>, name: &str) -> Self {
        let this = Self { app: TestApp::new(stack, name, &[]), stack: Arc::clone(stack) };
        this.write_operator();
        let value = json!({"password": this.password()}).to_string();
        stack.external_secrets.create_store(name, &[("app/db.yaml", &value)]);
        this.write_app_file("environments: {dev: {}}\n");
        this.repository().write("app/base/objects.yaml", OBJECTS);
        this
    }

    fn write_app_file(&self, lines: &str) {
        self.repository().write("app/sealwave.yaml", &(APP_FILE.replace("STORE", self.name()) + lines));
    }

    /// Runs `sealwave switch` with the cluster, and returns its plan.
    fn switch(&self, to: &str) -> Value {
        let directory = self.sidecar().operator_directory();
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealwave"));
        command.args(["switch", "--to", to, "--env", "dev", "--output", "json", "--project", self.name()]);
        command.args(["--app", self.name(), "--namespace", self.name(), "--operator"]);
        command.arg(directory.join("operator.yaml"));
        command.arg("--kubeconfig").arg(self.stack.kubeconfig());
        command.arg("--state-dir").arg(self.stack.directory().join(format!("switch-{}", self.name())));
        let output = command.arg(self.repository().directory().join("app")).output().expect("it starts");
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    }

    fn wait_until_ready(&self, to: &str, state: &str) -> Value {
        until(&format!("the state {state} of the switch to {to}"), || {
            let plan = self.switch(to);
            if plan["state"] == state { Ok(plan) } else { Err(plan.to_string()) }
        })
    }

    /// Commits the printed lines, and waits for the sync.
    fn follow(&self, plan: &Value) {
        self.write_app_file(plan["lines"].as_str().expect("lines"));
        let commit = self.repository().commit("the next step");
        self.wait_healthy(&commit);
    }

    fn state(&self) -> LiveState {
        let cluster = self.stack.cluster();
        let secret = cluster.get(SECRET, Some(self.name()), "db").expect("the Secret exists");
        let deployment = cluster.get(DEPLOYMENT, Some(self.name()), "web").expect("the Deployment exists");
        let owners = secret["metadata"]["ownerReferences"].as_array().into_iter().flatten();
        LiveState {
            uid: secret["metadata"]["uid"].to_string(),
            owners: owners.map(|owner| owner["kind"].as_str().expect("a kind").to_owned()).collect(),
            template: deployment["spec"]["template"].clone(),
            data: secret["data"].clone(),
        }
    }

    fn assert_same(&self, before: &LiveState, step: &str) {
        let now = self.state();
        assert_eq!(now.uid, before.uid, "{step}: the Secret was replaced");
        assert_eq!(now.template, before.template, "{step}: pods restart");
        assert!(now.data == before.data, "{step}: the items changed");
    }
}
