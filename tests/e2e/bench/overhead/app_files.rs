//! The files of the apps, and those that only make the repository large.

use std::fmt::Write as _;

use serde_json::Value;

use crate::harness::Repository;

/// The file whose object changes with each commit.
pub const CHANGED: &str = "settings.yaml";

/// Writes an app for sealwave: eight objects, two of them Secrets with two values each.
///
/// No pods run, because a Deployment without replicas is healthy.
pub fn write_sealwave_app(repository: &Repository, directory: &str, name: &str) {
    repository.write(
        &format!("{directory}/sealwave.yaml"),
        "apiVersion: sealwave.dev/v1alpha1\nkind: App\nenvironments:\n  dev: {cluster: dev}\n",
    );
    let write = |file: &str, text: String| repository.write(&format!("{directory}/base/{file}"), &text);
    for component in ["web", "worker"] {
        write(&format!("{component}-deployment.yaml"), deployment(name, component));
        write(&format!("{component}-service.yaml"), service(name, component));
        write(&format!("{component}-secret.yaml"), secret(name, component));
    }
    write(CHANGED, config_map(name, "settings", 10));
    write("files.yaml", config_map(name, "files", 100));
}

/// Writes the output of sealwave as an app without it, which looks like one with committed SealedSecrets.
pub fn write_rendered_app(repository: &Repository, directory: &str, objects: &[Value], kustomize: bool) {
    let mut resources = String::new();
    for object in objects {
        let name = object["metadata"]["name"].as_str().expect("a name");
        let kind = object["kind"].as_str().expect("a kind").to_lowercase();
        let file = if name.contains("settings") { CHANGED.to_owned() } else { format!("{kind}-{name}.yaml") };
        repository.write(&format!("{directory}/{file}"), &yaml_serde::to_string(object).expect("YAML"));
        writeln!(resources, "  - {file}").expect("memory");
    }
    if kustomize {
        repository.write(&format!("{directory}/kustomization.yaml"), &format!("resources:\n{resources}"));
    }
}

/// Writes files of 5 kB that no app uses; they compress to about a half.
pub fn write_other_files(repository: &Repository, count: usize) {
    let mut random = 1_u64;
    for file in 0..count {
        let mut text = String::new();
        while text.len() < 5000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            writeln!(text, "setting-{}: \"{:016x}\"", text.len(), random).expect("memory");
        }
        repository.write(&format!("other/{:02}/file-{file}.yaml", file % 40), &text);
    }
}

fn deployment(name: &str, component: &str) -> String {
    format!(
        "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}-{component}
  labels: {{app: {name}, component: {component}}}
spec:
  replicas: 0
  selector:
    matchLabels: {{app: {name}, component: {component}}}
  template:
    metadata:
      labels: {{app: {name}, component: {component}}}
    spec:
      containers:
        - name: {component}
          image: registry.example.internal/{name}:1.0.0
          ports: [{{containerPort: 8080}}]
          env:
            - {{name: COMPONENT, value: {component}}}
          envFrom:
            - configMapRef: {{name: {name}-settings}}
            - secretRef: {{name: {name}-{component}}}
          resources:
            requests: {{cpu: 100m, memory: 64Mi}}
            limits: {{memory: 64Mi}}
          readinessProbe:
            httpGet: {{path: /ready, port: 8080}}
"
    )
}

fn service(name: &str, component: &str) -> String {
    format!(
        "\
apiVersion: v1
kind: Service
metadata:
  name: {name}-{component}
spec:
  selector: {{app: {name}, component: {component}}}
  ports: [{{name: http, port: 80, targetPort: 8080}}]
"
    )
}

fn secret(name: &str, component: &str) -> String {
    format!(
        "\
apiVersion: v1
kind: Secret
metadata:
  name: {name}-{component}
stringData:
  password: <file:values.yaml#password>
  token: <file:values.yaml#token>
"
    )
}

fn config_map(name: &str, suffix: &str, entries: usize) -> String {
    let mut text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}-{suffix}\ndata:\n  commit: \"0\"\n"
    );
    for entry in 0..entries {
        writeln!(text, "  entry-{entry}: \"value {entry} of {name}\"").expect("memory");
    }
    text
}
