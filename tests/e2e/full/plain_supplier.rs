//! A Secret that Argo CD itself applied, with its values in Git, gets a controller: by the two commits that `sealwave switch`
//! plans, it is never absent. In one commit, Argo CD prunes it.
//!
//! The Secret is in an early wave and the Application has no `PruneLast=true`: nothing but the release protects it.

use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};

use super::removal::{LabelTracking, until_tracked_by_label};
use crate::harness::{Refresh, SEALED_SECRET, SECRET, SmallApp, Stack, TestApp, until};

const APP_FILE: &str = "\
apiVersion: sealwave.dev/v1alpha1
kind: App
externalSecrets:
  refreshInterval: 1s
  stores: {file: {name: STORE, kind: ClusterSecretStore, provider: aws-sm}}
";

const SECRET_FILE: &str = "\
apiVersion: v1
kind: Secret
metadata:
  name: db
  annotations:
    argocd.argoproj.io/sync-wave: '-20'
stringData:
  password: PASSWORD
";

const WORKLOAD: &str = "\
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

const PLACEHOLDER: &str = "<file:app/db.yaml#password>";

/// To the External Secrets Operator.
pub fn to_external_secrets(stack: &Arc<Stack>) {
    changes_without_a_gap(stack, "plain-to-external", "external-secrets", "ExternalSecret");
}

/// To the sealed-secrets controller.
pub fn to_sealed_secrets(stack: &Arc<Stack>) {
    changes_without_a_gap(stack, "plain-to-sealed", "sealed-secrets", "SealedSecret");
}

/// With labels instead of annotations, Argo CD cannot tell whose object a copy of the label is.
pub fn with_tracking_by_label(stack: &Arc<Stack>) {
    let tracked = SmallApp::new(stack, "plain-tracked");
    let tracking = LabelTracking::start(stack);
    tracked.deploy();
    until_tracked_by_label(stack, &tracked, true);
    changes_without_a_gap(stack, "label-to-external", "external-secrets", "ExternalSecret");
    changes_without_a_gap(stack, "label-to-sealed", "sealed-secrets", "SealedSecret");
    drop(tracking);
    until_tracked_by_label(stack, &tracked, false);
}

/// In one commit, the Secret is pruned in its wave, before the new controller knows of it.
pub fn in_one_commit_deletes_it(stack: &Arc<Stack>) {
    let app = PlainApp::deploy(stack, "plain-in-one-commit");
    let before = app.secret();
    app.replace("external-secrets");
    assert_ne!(app.secret()["metadata"]["uid"], before["metadata"]["uid"], "the Secret stayed");
}

fn changes_without_a_gap(stack: &Arc<Stack>, name: &str, to: &str, owner: &str) {
    let app = PlainApp::deploy(stack, name);
    let before = app.secret();
    assert!(before["metadata"]["ownerReferences"].is_null());

    let plan = app.switch("plain", to, &["--write", "--yes"]);
    assert_eq!(plan["state"], "release");
    assert!(!plan.to_string().contains(&app.password()), "the plan shows the value");
    let commit = app.repository().commit("release");
    app.wait_healthy(&commit);
    until("the release", || {
        let plan = app.switch("plain", to, &[]);
        if plan["state"] == "take-over" { Ok(()) } else { Err(plan.to_string()) }
    });

    app.replace(to);
    let after = app.secret();
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"], "the Secret was replaced");
    assert_eq!(after["metadata"]["ownerReferences"][0]["kind"], owner);
    assert!(after["data"] == before["data"], "the items changed");
    let last_applied = "kubectl.kubernetes.io/last-applied-configuration";
    // The operator keeps annotations of before, and the controller replaces them.
    let repeats_values = after["metadata"]["annotations"][last_applied].is_string();
    assert_eq!(repeats_values, to == "external-secrets");
    if repeats_values {
        let plan = app.switch("app", to, &[]);
        assert_eq!(plan["state"], "waiting");
        assert!(plan["findings"].to_string().contains(last_applied), "{plan}");
        let patch = json!({"metadata": {"annotations": {last_applied: null}}});
        stack.cluster().patch(SECRET, Some(name), "db", &patch);
    }
    until("the end of the change", || {
        let plan = app.switch("app", to, &[]);
        if plan["state"] == "done" { Ok(()) } else { Err(plan.to_string()) }
    });
    // A second look does not prune it either, and nothing is out of sync.
    let live = app.refresh(Refresh::Hard);
    assert_eq!(live["status"]["sync"]["status"], "Synced");
    assert_eq!(app.secret()["metadata"]["uid"], before["metadata"]["uid"]);
    let deleted = stack.audit_log();
    let deleted = deleted.writes(name, |write| {
        write.resource == "secrets" && write.name == "db" && write.verb.starts_with("delete")
    });
    assert!(deleted.is_empty(), "{deleted:?}");
    // sealwave adds checksums to workloads that it renders for the first time: one restart, and none for the Secret.
    assert_eq!(stack.kubelet.starts(name).len(), 2);
    assert!(to != "sealed-secrets" || stack.cluster().get(SEALED_SECRET, Some(name), "db").is_some());
}

/// An app that is a directory of manifests first, and then an app of sealwave with the same objects.
struct PlainApp {
    app: TestApp,
    stack: Arc<Stack>,
}

impl std::ops::Deref for PlainApp {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.app
    }
}

impl PlainApp {
    fn deploy(stack: &Arc<Stack>, name: &str) -> Self {
        let this = Self { app: TestApp::new(stack, name, &[]), stack: Arc::clone(stack) };
        this.write_operator();
        let value = json!({"password": this.password()}).to_string();
        stack.external_secrets.create_store(name, &[("app/db.yaml", &value)]);
        let repository = this.repository();
        repository.write("plain/db.yaml", &SECRET_FILE.replace("PASSWORD", &this.password()));
        repository.write("plain/web.yaml", WORKLOAD);
        let commit = this.deploy_changed(name, "dev", |application| {
            application["spec"]["source"]["path"] = json!("plain");
            application["spec"]["source"].as_object_mut().expect("a source").remove("plugin");
            without_prune_last(application);
        });
        this.wait_healthy(&commit);
        this
    }

    /// Replaces the directory by an app, in one commit, and waits for the sync.
    fn replace(&self, to: &str) {
        let repository = self.repository();
        let environments = format!("environments: {{dev: {{backend: {to}}}}}\n");
        repository.write("app/sealwave.yaml", &(APP_FILE.replace("STORE", self.name()) + &environments));
        let managed = "annotations:\n    sealedsecrets.bitnami.com/managed: 'true'";
        repository.write(
            "app/base/db.yaml",
            &SECRET_FILE.replace("annotations:", managed).replace("PASSWORD", PLACEHOLDER),
        );
        repository.write("app/base/web.yaml", WORKLOAD);
        let commit = repository.commit("take over");
        let mut application = self.application(self.name(), "dev");
        without_prune_last(&mut application);
        self.stack.cluster().apply(&application);
        self.wait_healthy(&commit);
    }

    /// Runs `sealwave switch` with the cluster, and returns its plan.
    fn switch(&self, directory: &str, to: &str, args: &[&str]) -> Value {
        let operator = self.sidecar().operator_directory().join("operator.yaml");
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealwave"));
        command.args(["switch", "--to", to, "--env", "dev", "--output", "json", "--project", self.name()]);
        command.args(["--app", self.name(), "--namespace", self.name(), "--operator"]).arg(operator);
        command.arg("--kubeconfig").arg(self.stack.kubeconfig());
        command.arg("--state-dir").arg(self.stack.directory().join(format!("switch-{}", self.name())));
        if args.contains(&"--write") {
            command.args(["--allow-path", "plain/*"]);
        }
        let output = command.args(args).arg(self.repository().directory().join(directory)).output();
        let output = output.expect("it starts");
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    }

    fn secret(&self) -> Value {
        self.stack.cluster().get(SECRET, Some(self.name()), "db").expect("the Secret exists")
    }
}

fn without_prune_last(application: &mut Value) {
    application["spec"]["syncPolicy"]["syncOptions"] = json!(["CreateNamespace=true"]);
}
