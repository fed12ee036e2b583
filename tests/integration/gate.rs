//! `generate --validate`: objects that the API server would refuse are not printed.

use std::process::Output;

use crate::support::sealwave;
use crate::support::small_app::SmallApp;

const FLOW: &str = "apiVersion: flowcontrol.apiserver.k8s.io/v1beta3\nkind: FlowSchema\nmetadata: {name: shop}\n\
                       spec: {priorityLevelConfiguration: {name: global-default}}\n";

fn run(app: &SmallApp, version: &str) -> (i32, String, String) {
    let mut command = sealwave();
    command.args(app.args()).arg("--validate").env("KUBE_VERSION", version);
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn valid_objects_are_printed_unchanged() {
    let app = SmallApp::new();
    let (code, stdout, stderr) = run(&app, "1.31");
    assert_eq!((code, stdout.into_bytes()), (0, app.generate_bytes()), "{stderr}");
}

#[test]
fn a_refused_object_is_an_error_with_object_position_and_rule() {
    let app = SmallApp::new();
    app.replace("app/base/deployments.yaml", "  selector:", "  replicass: 3\n  selector:");
    assert!(!app.generate_bytes().is_empty(), "without `--validate`, the object is printed");
    let (code, stdout, stderr) = run(&app, "1.31");
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    let first = "error: Deployment shop/api: field `replicass` is unknown (schema/unknown-field)";
    assert!(stderr.contains(first), "{stderr}");
    assert!(stderr.contains("base/deployments.yaml:5:3"), "{stderr}");
    assert!(stderr.contains("did you mean `replicas`?"), "{stderr}");
}

#[test]
fn the_version_is_that_of_the_destination_or_the_closest() {
    let app = SmallApp::new();
    app.write("app/base/flow.yaml", FLOW);
    for (version, code) in [("v1.31.4-eks-1a2b3c", 0), ("1.32", 2), ("1.99", 2), ("", 2)] {
        assert_eq!(run(&app, version).0, code, "{version}: {}", run(&app, version).2);
    }
    let (code, _, stderr) = run(&app, "latest");
    assert!(code == 2 && stderr.contains("`latest` is not a version of Kubernetes"), "{stderr}");
}

#[test]
fn references_to_other_apps_are_not_checked() {
    let app = SmallApp::new();
    app.replace(
        "app/base/deployments.yaml",
        "configMapRef: {name: api}",
        "configMapRef: {name: of-another-app}",
    );
    let (code, _, stderr) = run(&app, "1.31");
    assert_eq!(code, 0, "{stderr}");
}

#[test]
fn a_suppression_in_the_app_counts() {
    let app = SmallApp::new();
    app.replace(
        "app/base/deployments.yaml",
        "  selector:",
        "  # sealwave: ignore schema/unknown-field -- of a patched API server\n  replicass: 3\n  selector:",
    );
    let (code, _, stderr) = run(&app, "1.31");
    assert_eq!(code, 0, "{stderr}");
}

#[test]
fn messages_contain_no_secret_value() {
    let app = SmallApp::new();
    app.write(
        "app/base/broken.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: broken}\ndata: {a: b}\nCANARY-key: CANARY-value\n",
    );
    let (code, stdout, stderr) = run(&app, "1.31");
    assert_eq!(code, 2, "{stderr}");
    assert!(!(stdout + &stderr).contains("CANARY"));
}

/// Adds an object to the app and returns exit code and errors of `generate --validate`.
fn refusal(text: &str) -> (i32, String) {
    let app = SmallApp::new();
    app.write("app/base/other.yaml", text);
    assert!(!app.generate_bytes().is_empty(), "without `--validate`, nothing is checked");
    let (code, stdout, stderr) = run(&app, "1.34");
    assert!(code == 0 || stdout.is_empty(), "{stdout}");
    (code, stderr)
}

#[test]
fn r07_every_rule_of_the_api_server_counts() {
    let pod = |spec: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: other}}\nspec:\n  selector: {{matchLabels: {{a: b}}}}\n  \
             template: {{metadata: {{labels: {{a: b}}}}, spec: {{containers: [{{name: web, image: \"web:1\"{spec}}}]}}}}\n"
        )
    };
    for (text, rule) in [
        (pod("").replace("labels: {a: b}", "labels: {a: c}"), "workload/selector-mismatch"),
        (pod(", resources: {requests: {memory: 2Gi}, limits: {memory: 1Gi}}"), "workload/resources"),
        (pod(", volumeMounts: [{name: nope, mountPath: /a}]"), "workload/missing-volume"),
        (
            "apiVersion: v1\nkind: Service\nmetadata: {name: other}\nspec: {ports: [{port: 80}, {port: 81}]}\n".to_owned(),
            "resource/service",
        ),
        (
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: other}\nspec: {rules: [{http: {paths: [{path: a, \
             pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}\n"
                .to_owned(),
            "resource/ingress",
        ),
    ] {
        let (code, stderr) = refusal(&text);
        assert!(code == 2 && stderr.contains(&format!("({rule})")), "{rule}: {code} {stderr}");
    }
    assert_eq!(refusal(&pod("")).0, 0);
    // A warning, a reference, and an image that the kubelet refuses.
    for text in [
        pod(", resources: {limits: {memory: 128m}}"),
        pod(", envFrom: [{configMapRef: {name: of-another-app}}]"),
        pod("").replace("web:1", "web:a b"),
    ] {
        assert_eq!(refusal(&text), (0, String::new()), "{text}");
    }
}

/// Returns an app with an object of an API that was removed in 1.32.
fn flow() -> SmallApp {
    let app = SmallApp::new();
    app.write("app/base/flow.yaml", FLOW);
    app
}

/// Adds the version of cluster `dev` to the operator file.
fn cluster_version(app: &SmallApp, version: &str) {
    app.replace(
        "operator/operator.yaml",
        "allowExpired: true}}}",
        &format!("allowExpired: true}}, kubeVersion: {version}}}}}"),
    );
}

const UNKNOWN: &str = "Kubernetes version of cluster `dev` is unknown; objects were checked against 1.";

#[test]
fn without_a_version_from_argo_cd_the_app_then_the_operator_decides() {
    // The version is unknown: the newest one is used, with a note.
    let (code, _, stderr) = run(&flow(), "");
    assert!(code == 2 && stderr.contains(UNKNOWN), "{stderr}");
    let (code, _, stderr) = run(&SmallApp::new(), "");
    assert!(code == 0 && stderr.contains(UNKNOWN), "{stderr}");
    assert!(stderr.contains("or `clusters.dev.kubeVersion` in the operator file"), "{stderr}");
    for (operator, own, code) in [
        ("v1.31.4-eks-1a2b3c", "", 0),
        ("\"1.32\"", "", 2),
        ("\"1.99\"", "", 2),
        ("\"1.31\"", "validate: {kubeVersions: [\"1.32\"]}\n", 2),
        ("\"1.32\"", "validate: {kubeVersions: [\"1.31\"]}\n", 0),
        ("\"1.32\"", "validate: {kubeVersions: []}\n", 2),
    ] {
        let app = flow();
        cluster_version(&app, operator);
        app.replace("app/sealwave.yaml", "kind: App\n", &format!("kind: App\n{own}"));
        let (found, _, stderr) = run(&app, "");
        assert_eq!(found, code, "{operator} {own}: {stderr}");
        assert!(!stderr.contains(UNKNOWN), "{operator} {own}: {stderr}");
    }
}

#[test]
fn m_fn_30_an_app_has_no_later_stage() {
    let map = |metadata: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {metadata}\n");
    for (text, rule) in [
        (map("{name: \"app-<node>\"}"), "metadata/name"),
        (map("{name: \"$(APP)-x\"}"), "metadata/name"),
        (map("{name: \"${APP}\"}"), "metadata/name"),
        (map("{name: a, labels: {tier: \"$TIER\"}}"), "metadata/label"),
        (map("{name: a, labels: {tier: \"${env:=dev}\"}}"), "metadata/label"),
        (
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a}\nspec: {rules: [{host: shop.<your domain>}]}\n".to_owned(),
            "resource/ingress",
        ),
        (
            "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{name: $PORT_NAME, port: 80}]}\n".to_owned(),
            "resource/service",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: we<b, image: \"\"}]}\n".to_owned(),
            "workload/container-name",
        ),
    ] {
        let (code, stderr) = refusal(&text);
        assert!(code == 2 && stderr.contains(&format!("({rule})")), "{text}: {code} {stderr}");
    }
    let (_, stderr) = refusal(&map("{name: \"${APP}\"}"));
    assert!(stderr.contains("rename the file to `") && stderr.contains(".hbs`"), "{stderr}");
}

#[test]
fn pods_of_a_custom_resource_are_not_refused() {
    let rollout = "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: other}\nspec:\n  template: {metadata: {labels: {a: \
                   b}}, spec: {containers: [{name: Web_1, image: \"web:1\"}]}}\n";
    assert_eq!(refusal(rollout).0, 0);
    let (code, stderr) = refusal(&rollout.replace("name: other", "name: Other"));
    assert!(code == 2 && stderr.contains("(metadata/name)"), "{stderr}");
}

#[test]
fn the_version_from_argo_cd_takes_precedence() {
    let app = flow();
    cluster_version(&app, "\"1.31\"");
    app.replace("app/sealwave.yaml", "kind: App\n", "kind: App\nvalidate: {kubeVersions: [\"1.31\"]}\n");
    assert_eq!(run(&app, "v1.32.1").0, 2);
    assert_eq!(run(&app, "v1.31.1").0, 0);
}

#[test]
fn an_invalid_cluster_version_is_an_error() {
    for version in ["latest", "\"2.0\"", "\"\""] {
        let app = SmallApp::new();
        cluster_version(&app, version);
        let (code, _, stderr) = run(&app, "1.31");
        assert!(code == 2 && stderr.contains("`clusters.dev.kubeVersion`: "), "{version}: {stderr}");
    }
}
