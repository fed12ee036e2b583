//! Many apps at once, made by an ApplicationSet.

use std::sync::Arc;

use serde_json::{Value, json};

use super::steady::assert_in_sync;
use crate::harness::{
    APP_FILE, APPLICATION, ARGOCD, Kind, NAMESPACE, SEALED_SECRET, Stack, TestApp, documents, summary, until,
};

const APPLICATION_SET: Kind = Kind("argoproj.io/v1alpha1", "ApplicationSet");
const APPS: usize = 60;
const NAME: &str = "sixty-apps";
const REFRESH: &str = "argocd.argoproj.io/refresh";

/// One Application for each directory of a repository: all become Synced and Healthy, and stay so when all are rendered again.
pub fn sixty_apps(stack: &Arc<Stack>) {
    let app = TestApp::new(stack, NAME, &[]);
    app.write_operator();
    (1..=APPS).for_each(|number| write_app(&app, &format!("{number:02}")));
    app.repository().commit("all apps");
    app.create_project(NAME);
    let controller = stack.argocd.start_application_sets();

    let set = application_set(&app);
    stack.cluster().apply(&set);
    wait_all(stack, "60 Applications that are Synced and Healthy", |live| {
        controller.check_running();
        let status = &live["status"];
        status["sync"]["status"] == "Synced"
            && status["health"]["status"] == "Healthy"
            && status["operationState"]["phase"] == "Succeeded"
    });
    assert_eq!(app.secrets(NAME)["web-60-db"]["password"], app.password().as_bytes());

    let before = sealed_versions(stack);
    for live in applications(stack) {
        let name = live["metadata"]["name"].as_str().expect("a name");
        let patch = json!({"metadata": {"annotations": {REFRESH: "hard"}}});
        stack.cluster().patch(APPLICATION, Some(ARGOCD), name, &patch);
    }
    wait_all(stack, "60 hard refreshes", |live| live["metadata"]["annotations"][REFRESH].is_null());
    for live in applications(stack) {
        assert_in_sync(&live, &live["metadata"]["name"].to_string());
    }
    assert_eq!(sealed_versions(stack), before, "nothing was sealed again");

    // So many pods would slow down the tests that follow.
    stack.cluster().delete(APPLICATION_SET, Some(ARGOCD), NAME);
    wait_until_gone(stack);
    stack.cluster().delete(NAMESPACE, None, NAME);
}

/// Writes an app with few objects, whose names contain its number.
fn write_app(app: &TestApp, number: &str) {
    let repository = app.repository();
    repository.write(&format!("apps/{number}/sealwave.yaml"), APP_FILE);
    repository.write(&format!("apps/{number}/base/web.yaml"), &objects(&format!("web-{number}")));
}

/// Returns a Secret, a ConfigMap and a Deployment that uses both.
fn objects(name: &str) -> String {
    format!(
        "\
apiVersion: v1
kind: Secret
metadata: {{name: {name}-db}}
stringData: {{password: <file:app/db.yaml#password>}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: {name}-config}}
data: {{LOG_LEVEL: info}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
        - name: web
          image: registry.example.com/web:1
          envFrom: [{{configMapRef: {{name: {name}-config}}}}, {{secretRef: {{name: {name}-db}}}}]
"
    )
}

/// Returns `manifests/applicationset.yaml` with other names and a generator of directories.
fn application_set(app: &TestApp) -> Value {
    let repository = app.repository().url();
    let mut set = manifest();
    set["metadata"]["name"] = json!(NAME);
    set["spec"]["generators"] = json!([{"git": {
        "repoURL": repository, "revision": "main", "directories": [{"path": "apps/*"}],
    }}]);
    let template = &mut set["spec"]["template"];
    template["metadata"]["name"] = json!(format!("{NAME}-{{{{ .path.basename }}}}"));
    template["spec"]["project"] = json!(NAME);
    let source = &mut template["spec"]["source"];
    source["repoURL"] = json!(repository);
    source["path"] = json!("{{ .path.path }}");
    source["plugin"] = json!({"name": NAME, "parameters": [{"name": "env", "string": "dev"}]});
    template["spec"]["destination"] = json!({"server": "https://kubernetes.default.svc", "namespace": NAME});
    set
}

fn manifest() -> Value {
    let file = sealwave_testkit::repository_root().join("manifests/applicationset.yaml");
    documents(&fs_err::read_to_string(file).expect("readable")).remove(0)
}

fn applications(stack: &Stack) -> Vec<Value> {
    let all = stack.cluster().list(APPLICATION, Some(ARGOCD)).into_iter();
    all.filter(|application| application["spec"]["project"] == NAME).collect()
}

fn wait_all(stack: &Stack, what: &str, is_done: impl Fn(&Value) -> bool) {
    until(what, || {
        stack.argocd.check_running();
        let all = applications(stack);
        let (done, open): (Vec<_>, Vec<_>) = all.iter().partition(|live| is_done(live));
        if done.len() == APPS {
            return Ok(());
        }
        Err(format!("{} are done; the first other: {:?}", done.len(), open.first().map(|live| summary(live))))
    });
}

fn wait_until_gone(stack: &Stack) {
    until("the end of the Applications", || {
        let left = applications(stack).len();
        if left == 0 { Ok(()) } else { Err(format!("{left} are left")) }
    });
}

/// Returns the versions of all SealedSecrets, which differ after any write.
fn sealed_versions(stack: &Stack) -> Vec<Value> {
    let sealed = stack.cluster().list(SEALED_SECRET, Some(NAME)).into_iter();
    sealed.map(|sealed| sealed["metadata"]["resourceVersion"].clone()).collect()
}
