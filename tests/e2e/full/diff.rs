//! Server-side diffs and server-side apply find no difference.

use std::sync::Arc;

use serde_json::{Value, json};

use super::steady::{BOTH, refresh_without_difference};
use crate::harness::{SmallApp, Stack};

/// Kinds with defaults and with notations that the API server changes.
const MORE_OBJECTS: &str = "\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: limits}
spec:
  selector: {matchLabels: {app: limits}}
  template:
    metadata: {labels: {app: limits}}
    spec:
      containers:
        - name: web
          image: registry.example.com/web:1
          resources: {limits: {cpu: 1000m, memory: 1024Mi}}
          volumeMounts: [{name: db, mountPath: /db}]
      volumes: [{name: db, secret: {secretName: alpha, defaultMode: 0400}}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: 0 3 * * *
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: job, image: 'registry.example.com/web:1', envFrom: [{secretRef: {name: alpha}}]}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec: {podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 80}]}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {selector: {matchLabels: {app: web}}, minAvailable: 1}
";

/// With diffs that the API server computes.
pub fn server_side_diff(stack: &Arc<Stack>) {
    stays_synced(stack, "server-side-diff", diff_on_the_server);
}

/// With objects that the API server merges.
pub fn server_side_apply(stack: &Arc<Stack>) {
    stays_synced(stack, "server-side-apply", apply_on_the_server);
}

/// With both.
pub fn server_side_apply_and_diff(stack: &Arc<Stack>) {
    stays_synced(stack, "server-side-both", |application| {
        diff_on_the_server(application);
        apply_on_the_server(application);
    });
}

/// A Secret of 250 KB, which does not fit into the annotation of a client-side apply.
pub fn large_secret(stack: &Arc<Stack>) {
    let app = SmallApp::new(stack, "large-secret");
    let value = format!("CANARY-large-{}", "0123456789abcdef".repeat(250_000 / 16));
    app.write_operator_file("secrets/large.txt", &value);
    app.repository().write(
        "app/base/large.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: large}\nstringData: {value: <file:large.txt>}\n",
    );

    app.deploy();

    assert_eq!(app.secrets(app.name())["large"]["value"], value.as_bytes());
    refresh_without_difference(stack, &app, &BOTH.repeat(2));
}

fn stays_synced(stack: &Arc<Stack>, name: &str, change: impl FnOnce(&mut Value)) {
    let app = SmallApp::new(stack, name);
    app.write_base("more", MORE_OBJECTS);

    app.deploy_with(change);

    assert_eq!(app.password_in("alpha"), "CANARY-alpha-1");
    refresh_without_difference(stack, &app, &BOTH.repeat(5));
}

fn diff_on_the_server(application: &mut Value) {
    application["metadata"]["annotations"]["argocd.argoproj.io/compare-options"] =
        json!("ServerSideDiff=true");
}

fn apply_on_the_server(application: &mut Value) {
    let options = application["spec"]["syncPolicy"]["syncOptions"].as_array_mut().expect("options");
    options.push(json!("ServerSideApply=true"));
}
