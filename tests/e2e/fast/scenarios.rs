//! The four scenarios become Synced and Healthy, with the right Secrets.
//!
//! The expected values are written down here, or read from the operator's files where a value is a whole file; sealwave has no
//! part in them. Environments that read from AWS are not here: they need an emulator that `.ci/run` starts for other tests.

use std::sync::Arc;

use serde_json::json;

use super::plaintext::assert_no_leak;
use crate::harness::leaks::Needles;
use crate::harness::{Refresh, Secrets, Stack, TestApp};

/// MLflow, Airflow and FastAPI in three namespaces.
pub fn mlops(stack: &Arc<Stack>) {
    mlops_as(stack, "mlops", None);
}

/// The same platform as four Helm charts.
pub fn mlops_helm(stack: &Arc<Stack>) {
    mlops_as(stack, "mlops-helm", Some("sources/scenario-1-helm"));
}

/// The first scenario in another form, if one is given.
pub fn mlops_as(stack: &Arc<Stack>, name: &str, form: Option<&str>) {
    let app = TestApp::new(stack, name, &[]);
    app.copy_scenario("scenario-1-mlops");
    if let Some(form) = form {
        app.allow_renderers();
        app.copy_app(form);
    }
    let prefix = format!("{name}-");
    app.prefix_namespaces(&prefix, &["airflow", "fastapi", "mlflow"]);
    deploy(&app, "mlops", "dev");
    assert_mlops_secrets(&app, &prefix);
    assert_nothing_left(&app, &["CANARY/s1/dev/aws+secret/wJalrXUtnFEMI", "CANARY-s1-dev-mlflow-5f2c"]);
}

fn assert_mlops_secrets(app: &TestApp, prefix: &str) {
    let variables: &[_] = &[
        ("AWS_ACCESS_KEY_ID", "AKIACANARYS1DEVKEY"),
        ("AWS_SECRET_ACCESS_KEY", "CANARY/s1/dev/aws+secret/wJalrXUtnFEMI"),
        ("MLFLOW_S3_ENDPOINT_URL", "https://s3.ap-northeast-2.amazonaws.com"),
    ];
    let file = "[default]\naws_access_key_id = AKIACANARYS1DEVKEY\n\
                aws_secret_access_key = CANARY/s1/dev/aws+secret/wJalrXUtnFEMI\nregion = ap-northeast-2\n";
    let address =
        "postgresql://airflow_user:CANARY-s1-dev-p%40ss%2Fw%3Ard%231%25@192.168.18.142:5432/airflow_db";
    let login = &[("username", "mlflow_CANARY_s1_dev"), ("password", "CANARY-s1-dev-mlflow-5f2c")];
    assert_secrets(app, &format!("{prefix}fastapi"), &[("aws-credentials-secret", variables)]);
    assert_secrets(
        app,
        &format!("{prefix}airflow"),
        &[
            ("airflow-db-secret", &[("connection", address)]),
            ("aws-credentials-secret", &[("credentials", file)]),
        ],
    );
    assert_secrets(
        app,
        &format!("{prefix}mlflow"),
        &[("aws-credentials-secret", variables), ("mlflow-db-secret", login)],
    );
}

/// The same platform with SealedSecrets in Git, which kubeseal made: first as files, then as a Kustomize overlay.
///
/// The overlay takes over all objects, and restarts no pod.
pub fn rotation(stack: &Arc<Stack>) {
    let app = TestApp::new(stack, "rotation", &[]);
    app.copy_scenario("scenario-2-rotation");
    app.allow_renderers();
    deploy(&app, "platform", "dev");
    assert_rotation_secrets(&app);

    let starts = || ROTATION_NAMESPACES.map(|namespace| stack.kubelet.starts(namespace).len());
    let before = starts();
    app.copy_app("sources/scenario-2-kustomize");
    let commit = app.repository().commit("the same as an overlay");
    app.wait_healthy(&commit);
    assert_stays_synced(&app);
    assert_rotation_secrets(&app);
    assert_eq!(starts(), before, "pods that ever started");
    assert_nothing_left(&app, &ROTATION_VALUES);
}

/// The namespaces of the second scenario. Its SealedSecrets can be opened in no other.
pub const ROTATION_NAMESPACES: [&str; 3] = ["airflow", "fastapi", "mlflow"];

/// Values of the second scenario.
pub const ROTATION_VALUES: [&str; 3] =
    ["CANARY-s2-dev-jwt", "CANARY-s2-dev-not-a-real-key", "CANARY/s2/dev/aws+secret"];

/// Fails unless the Secrets of the second scenario have the right values.
pub fn assert_rotation_secrets(app: &TestApp) {
    let variables: &[_] = &[
        ("AWS_ACCESS_KEY_ID", "AKIACANARYS2DEVKEY"),
        ("AWS_SECRET_ACCESS_KEY", "CANARY/s2/dev/aws+secret"),
        ("MLFLOW_S3_ENDPOINT_URL", "https://s3.ap-northeast-2.amazonaws.com"),
    ];
    let file = "[default]\naws_access_key_id = AKIACANARYS2DEVKEY\naws_secret_access_key = CANARY/s2/dev/aws+secret\n";
    let address = "postgresql://airflow_user:CANARY-s2-dev-airflow@192.168.18.142:5432/airflow_db";
    assert_secrets(
        app,
        "airflow",
        &[
            ("airflow-db-secret", &[("connection", address)]),
            ("airflow-git-ssh-secret", &[("gitSshKey", "CANARY-s2-dev-not-a-real-key")]),
            (
                "airflow-slack-secret",
                &[("webhook-url", "https://hooks.example.internal/CANARY-s2-dev-slack")],
            ),
            ("aws-credentials-secret", &[("credentials", file)]),
        ],
    );
    assert_secrets(
        app,
        "fastapi",
        &[
            ("aws-credentials-secret", variables),
            ("fastapi-jwt-secret", &[("JWT_SECRET", "CANARY-s2-dev-jwt")]),
        ],
    );
    let login = &[("username", "mlflow"), ("password", "CANARY-s2-dev-mlflow")];
    assert_secrets(app, "mlflow", &[("aws-credentials-secret", variables), ("mlflow-db-secret", login)]);
}

/// A Spring Boot backend: first with a committed ExternalSecret, then with one that sealwave makes under the same name.
pub fn spring(stack: &Arc<Stack>) {
    let properties = spring_properties();
    stack.external_secrets.create_store(
        "aws-secrets-manager-cluster-store",
        &[("onthetop/backend/secrets-properties", &properties)],
    );
    let app = TestApp::new(stack, "spring", &[]);
    app.copy_scenario("scenario-3-spring");
    let commit = deploy(&app, "onthetop", "dev");
    let expected: &[(&str, &[(&str, &str)])] =
        &[("onthetop-backend-secrets", &[("secrets.properties", &properties)])];
    assert_secrets(&app, "onthetop-backend", expected);

    app.switch_environment(Some("external"));
    app.wait_healthy(&commit);
    assert_stays_synced(&app);
    assert_secrets(&app, "onthetop-backend", expected);
}

/// The same backend with the Secrets Store CSI driver.
pub fn spring_csi(stack: &Arc<Stack>) {
    let properties = spring_properties();
    stack.kubelet.csi().put("onthetop/backend/secrets-properties", &properties);
    let app = TestApp::new(stack, "spring-csi", &[]);
    app.copy_scenario("scenario-3-spring");
    app.prefix_namespaces("csi-", &["onthetop-backend"]);
    deploy(&app, "onthetop", "csi");
    assert_secrets(
        &app,
        "csi-onthetop-backend",
        &[("onthetop-backend-secrets", &[("secrets.properties", &properties)])],
    );
}

/// Each way to give configuration or a secret to a pod.
pub fn catalog(stack: &Arc<Stack>) {
    let database = json!({"username": "CANARY-s4-csi-user", "password": "CANARY-s4-csi-password"});
    stack.kubelet.csi().put("catalogue/db", &database.to_string());
    let app = TestApp::new(stack, "catalog", &[]);
    app.copy_scenario("scenario-4-catalogue");
    deploy(&app, "catalogue", "dev");

    let file =
        |name: &str| fs_err::read_to_string(app.sidecar().operator_directory().join(name)).expect("a file");
    let (certificate, key) = (file("secrets/tls/tls.crt"), file("secrets/tls/tls.key"));
    let namespace = "catalogue-dev";
    assert_secrets(
        &app,
        namespace,
        &[
            (
                "app-secret",
                &[
                    ("API_TOKEN", r#"CANARY-s4-dev-token "quoted" and \ back"#),
                    ("USAGE", "write <file:dev/app.yaml#api_token> where the value shall go"),
                    ("REDIS_URL", "redis://:CANARY-s4-dev-re%2Fdis%40pass@redis:6379/0"),
                    (
                        "settings.json",
                        "{\"token\": \"CANARY-s4-dev-token \\\"quoted\\\" and \\\\ back\", \"retries\": 3}\n",
                    ),
                    ("OPTIONAL", "none"),
                ],
            ),
            (
                "app-signing-v1",
                &[
                    ("signing.key", "CANARY-s4-dev-signing"),
                    ("public-id", "4c88a4d3d438f87c2897bdec9f921359466f787770f0ce7a8930ab39aa72e296"),
                    ("issuer", "CANARY-s4-dev-issuer"),
                    ("nested", "CANARY-s4-dev-nested"),
                ],
            ),
            (
                "db-credentials-k8s",
                &[("username", "CANARY-s4-csi-user"), ("password", "CANARY-s4-csi-password")],
            ),
            ("legacy-secret", &[("password", "CANARY-s4-dev-legacy")]),
            (
                "registry-credentials",
                &[(
                    ".dockerconfigjson",
                    "{\"auths\": {\"registry.example.internal\": {\"username\": \"CANARY-s4-registry-user\", \
                     \"password\": \"CANARY-s4-registry-pass\"}}}\n",
                )],
            ),
            ("web-tls", &[("tls.crt", &certificate), ("tls.key", &key)]),
        ],
    );
    let starts = stack.kubelet.starts(namespace);
    let hook = starts.iter().find(|start| start.workload == "smoke-test");
    assert!(hook.is_some(), "the PostSync hook ran");
}

/// The content of the secret in AWS Secrets Manager.
fn spring_properties() -> String {
    let stored = "testdata/scenario-3-spring/aws-secrets/onthetop/backend/secrets-properties";
    fs_err::read_to_string(sealwave_testkit::repository_root().join(stored)).expect("a file")
}

/// Deploys the app, waits until it is Synced and Healthy, and lets Argo CD render it again. Returns the commit.
pub fn deploy(app: &TestApp, project: &str, environment: &str) -> String {
    let commit = app.deploy(project, environment);
    app.wait_healthy(&commit);
    assert_stays_synced(app);
    commit
}

fn assert_stays_synced(app: &TestApp) {
    let live = app.refresh(Refresh::Hard);
    assert_eq!(live["status"]["sync"]["status"], "Synced", "{} after a hard refresh", app.name());
}

/// Fails if a run left a file, or one of these values outside of Secrets.
pub fn assert_nothing_left(app: &TestApp, values: &[&str]) {
    let left = app.sidecar().temporary_files();
    assert!(left.is_empty(), "runs of {} left {left:?}", app.name());
    let values: Vec<_> = values.iter().map(|value| (*value, value.as_bytes())).collect();
    assert_no_leak(app.stack(), &Needles::new(&values), app.name());
}

/// Fails unless a namespace has these Secrets with these bytes, and no other.
fn assert_secrets(app: &TestApp, namespace: &str, expected: &[(&str, &[(&str, &str)])]) {
    let expected: Secrets = expected
        .iter()
        .map(|(name, data)| {
            let data = data.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec()));
            ((*name).to_owned(), data.collect())
        })
        .collect();
    let live = app.secrets(namespace);
    assert_eq!(
        live.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>(),
        "Secrets of {namespace}"
    );
    for (name, data) in &expected {
        assert_eq!(live[name].keys().collect::<Vec<_>>(), data.keys().collect::<Vec<_>>(), "keys of {name}");
        for (key, value) in data {
            let (live, value) = (live[name][key].escape_ascii(), value.escape_ascii());
            assert_eq!(live.to_string(), value.to_string(), "{namespace}/{name}, key {key}");
        }
    }
}
