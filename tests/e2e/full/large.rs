//! One very large app.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::steady::assert_in_sync;
use crate::harness::{APP_FILE, Refresh, SECRET, Stack, TestApp};

const CONFIG_MAPS: usize = 1_590;
const DEPLOYMENTS: usize = 10;
const SECRETS: usize = 400;

/// 2,000 objects with 400 SealedSecrets become Synced and Healthy, and a hard refresh finds no difference.
pub fn two_thousand_objects(stack: &Arc<Stack>) {
    let app = TestApp::new(stack, "large", &[]);
    app.write_operator();
    write_objects(&app);

    let commit = app.deploy(app.name(), "dev");
    let live = app.wait_healthy_within(Duration::from_mins(15), &commit);

    let resources = live["status"]["resources"].as_array().expect("objects");
    assert_eq!(resources.len(), 2_000);
    assert_eq!(stack.cluster().list(SECRET, Some(app.name())).len(), SECRETS);
    assert_in_sync(&app.refresh(Refresh::Hard), "large");

    app.remove();
}

fn write_objects(app: &TestApp) {
    let keys: String = (0..SECRETS).fold(String::new(), |mut text, number| {
        writeln!(text, "key-{number}: CANARY-large-{number}").expect("memory");
        text
    });
    app.write_operator_file("secrets/app/many.yaml", &keys);
    app.repository().write("app/sealwave.yaml", APP_FILE);
    let write = |name: &str, number: usize, object: &dyn Fn(usize) -> String| {
        let objects: Vec<String> = (0..number).map(object).collect();
        app.repository().write(&format!("app/base/{name}.yaml"), &objects.join("---\n"));
    };
    write("secrets", SECRETS, &secret);
    write("config-maps", CONFIG_MAPS, &config_map);
    write("deployments", DEPLOYMENTS, &deployment);
}

fn secret(number: usize) -> String {
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: secret-{number}}}\nstringData: {{value: <file:app/many.yaml#key-{number}>}}\n"
    )
}

fn config_map(number: usize) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: config-{number}}}\ndata: {{number: '{number}'}}\n"
    )
}

/// Returns a Deployment that uses a Secret and a ConfigMap.
fn deployment(number: usize) -> String {
    format!(
        "\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web-{number}}}
spec:
  selector: {{matchLabels: {{app: web-{number}}}}}
  template:
    metadata: {{labels: {{app: web-{number}}}}}
    spec:
      containers:
        - name: web
          image: registry.example.com/web:1
          envFrom: [{{configMapRef: {{name: config-{number}}}}}, {{secretRef: {{name: secret-{number}}}}}]
"
    )
}
