//! `generate --validate` in `plugin.yaml`.

use std::sync::Arc;

use crate::harness::{
    CONFIG_MAP, DEPLOYMENT, NAMESPACE, SEALED_SECRET, Sidecar, SidecarOptions, SmallApp, Stack, until,
};

/// Objects that the API server refuses when they are applied.
const INVALID: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: worker}
spec:
  replicas: two
  selector: {matchLabels: {app: worker}}
  template:
    metadata: {labels: {app: worker}}
    spec:
      containers: [{name: worker, image: 'registry.example.com/worker:1'}]
";

/// An app with an invalid Deployment is refused before any of its objects is applied.
pub fn refuses(stack: &Arc<Stack>) {
    let app = app_with_invalid_deployment(stack, "validated", &["--validate"]);

    app.deploy_changed(app.name(), "dev", |_| ());
    let message = app.wait_condition("ComparisonError");

    assert!(message.contains("worker"), "{message}");
    assert!(message.contains("base/worker.yaml:5"), "{message}");
    assert!(app.live()["status"]["operationState"].is_null(), "no sync has started");
    assert!(stack.cluster().get(NAMESPACE, None, app.name()).is_none(), "no namespace was created");

    app.repository().write("app/base/worker.yaml", &INVALID.replace("two", "2"));
    let commit = app.repository().commit("Repair the Deployment");
    app.wait_healthy(&commit);
}

/// Without the flag, Argo CD applies what comes before the invalid object.
pub fn without_it(stack: &Arc<Stack>) {
    let app = app_with_invalid_deployment(stack, "not-validated", &[]);

    app.deploy_changed(app.name(), "dev", |_| ());
    let failure = until("a failed sync", || {
        let live = app.live();
        let results = live["status"]["operationState"]["syncResult"]["resources"].clone();
        let results = results.as_array().cloned().unwrap_or_default();
        let failed =
            results.iter().find(|result| result["name"] == "worker" && result["status"] == "SyncFailed");
        failed.map(|result| result["message"].to_string()).ok_or_else(|| live["status"].to_string())
    });

    assert!(failure.contains("cannot unmarshal string"), "{failure}");
    let cluster = stack.cluster();
    assert!(cluster.get(CONFIG_MAP, Some(app.name()), "settings").is_some());
    assert!(cluster.get(SEALED_SECRET, Some(app.name()), "alpha").is_some());
    assert!(cluster.get(DEPLOYMENT, Some(app.name()), "worker").is_none());
}

fn app_with_invalid_deployment(stack: &Arc<Stack>, name: &str, generate_arguments: &[&str]) -> SmallApp {
    let options = SidecarOptions { generate_arguments, ..SidecarOptions::new(stack, name) };
    let app = SmallApp::with_sidecar(stack, name, Sidecar::start_with(stack, name, &options));
    app.repository().write("app/base/worker.yaml", INVALID);
    app
}
