//! A small app that a test writes itself, and the operator's files for it.

use serde_json::json;

use crate::harness::{Stack, TestApp, operator_file};

/// The app file with one environment.
pub const APP_FILE: &str = "\
apiVersion: sealwave.dev/v1alpha1
kind: App
environments: {dev: {}}
";

/// Writes the operator's files: keys, the certificate of the running controller, and one secret.
pub fn write_operator(stack: &Stack, app: &TestApp) {
    app.write_operator_file("operator.yaml", &operator_file(app.name(), "'file:**'"));
    let keys = sealwave_testkit::repository_root().join("testdata/scenario-1-mlops/operator");
    for key in ["seal-key", "checksum-key"] {
        let text = fs_err::read_to_string(keys.join(key)).expect("a key of the test data");
        app.write_operator_file(key, &text);
    }
    app.write_operator_file("certs/dev.pem", &stack.controller.certificate());
    app.write_operator_file("secrets/db.yaml", &json!({"password": password(app)}).to_string());
}

/// Returns the value of the secret `<file:db.yaml#password>`.
pub fn password(app: &TestApp) -> String {
    format!("CANARY-{}-password", app.name())
}

/// Writes a Secret, a ConfigMap and a Deployment that uses both, all with names that start with `name`.
pub fn write_app(app: &TestApp, directory: &str, name: &str) {
    let repository = app.repository();
    repository.write(&format!("{directory}/sealwave.yaml"), APP_FILE);
    repository.write(&format!("{directory}/base/{name}.yaml"), &objects(name));
}

fn objects(name: &str) -> String {
    format!(
        "\
apiVersion: v1
kind: Secret
metadata: {{name: {name}-db}}
stringData: {{password: <file:db.yaml#password>}}
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

/// Returns a value of a live Secret as text.
pub fn secret_value(stack: &Stack, namespace: &str, name: &str, key: &str) -> String {
    use base64::Engine as _;
    let secret =
        stack.cluster().get(crate::harness::SECRET, Some(namespace), name).expect("the Secret exists");
    let encoded = secret["data"][key].as_str().expect("the key exists");
    let value = base64::engine::general_purpose::STANDARD.decode(encoded).expect("base64");
    String::from_utf8(value).expect("text")
}
