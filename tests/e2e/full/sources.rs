//! Charts and overlays as sources: the scenarios in their other forms, refreshes without a difference, and no value left behind.

use std::sync::Arc;

use super::steady::{BOTH, refresh_without_difference};
use crate::fast::scenarios::{
    ROTATION_NAMESPACES, ROTATION_VALUES, assert_nothing_left, assert_rotation_secrets, deploy, mlops_as,
};
use crate::harness::{APPLICATION, ARGOCD, NAMESPACE, Refresh, Stack, TestApp, condition, until};

/// The app file beside a chart; `values-dev.yaml` makes the environment.
const CHART_APP: &str = "apiVersion: sealwave.dev/v1alpha1\nkind: App\n";

/// The app file beside an overlay that is the app's own directory.
const OVERLAY_APP: &str = "\
apiVersion: sealwave.dev/v1alpha1
kind: App
sources: [{kustomize: {path: .}}]
environments: {dev: {}}
";

const CHART: &str = "apiVersion: v2\nname: small\nversion: 1.0.0\n";

const CHART_SECRET: &str = "\
apiVersion: v1
kind: Secret
metadata: {name: db}
data: {password: {{ .Values.password | b64enc }}}
";

const KUSTOMIZATION: &str = "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [reader.yaml]
generatorOptions: {disableNameSuffixHash: true}
secretGenerator:
  - {name: db, literals: ['password=<file:app/db.yaml#password>']}
";

const READER: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: reader}
spec:
  selector: {matchLabels: {app: reader}}
  template:
    metadata: {labels: {app: reader}}
    spec:
      containers:
        - {name: reader, image: reader:1, envFrom: [{secretRef: {name: db}}]}
";

/// Writes a small chart with the Secret `db` and a Deployment that reads it.
pub fn write_chart(app: &TestApp) {
    let values = "password: <file:app/db.yaml#password>\n";
    let files = [
        ("sealwave.yaml", CHART_APP),
        ("Chart.yaml", CHART),
        ("values.yaml", values),
        ("values-dev.yaml", "{}\n"),
        ("templates/secret.yaml", CHART_SECRET),
        ("templates/reader.yaml", READER),
    ];
    write(app, &files);
}

/// Writes a small overlay with the same objects.
pub fn write_overlay(app: &TestApp) {
    write(
        app,
        &[("sealwave.yaml", OVERLAY_APP), ("kustomization.yaml", KUSTOMIZATION), ("reader.yaml", READER)],
    );
}

fn write(app: &TestApp, files: &[(&str, &str)]) {
    app.write_operator();
    app.allow_renderers();
    for (path, text) in files {
        app.repository().write(&format!("app/{path}"), text);
    }
}

/// The first scenario as Kustomize overlays.
pub fn mlops_kustomize(stack: &Arc<Stack>) {
    mlops_as(stack, "mlops-kustomize", Some("sources/scenario-1-kustomize"));
}

/// The second scenario as a Helm chart beside files. It has the namespaces of the test of its other forms.
pub fn rotation_helm(stack: &Arc<Stack>) {
    remove_rotation(stack, "rotation");
    let app = TestApp::new(stack, "rotation-helm", &[]);
    app.copy_scenario("scenario-2-rotation");
    app.allow_renderers();
    app.copy_app("sources/scenario-2-helm");
    deploy(&app, "platform", "dev");
    assert_rotation_secrets(&app);
    assert_nothing_left(&app, &ROTATION_VALUES);
    remove_rotation(stack, app.name());
}

/// Removes an Application of the second scenario, and its namespaces, if they exist.
fn remove_rotation(stack: &Stack, name: &str) {
    if stack.argocd.application(name).is_some() {
        stack.cluster().delete(APPLICATION, Some(ARGOCD), name);
    }
    until("the end of the Application", || {
        stack.argocd.application(name).map_or(Ok(()), |_| Err(format!("{name} exists")))
    });
    let exists = |namespace: &str| stack.cluster().get(NAMESPACE, None, namespace).is_some();
    for namespace in ROTATION_NAMESPACES.into_iter().filter(|namespace| exists(namespace)) {
        stack.cluster().delete(NAMESPACE, None, namespace);
    }
    until("the end of the namespaces", || {
        let left = ROTATION_NAMESPACES.into_iter().find(|namespace| exists(namespace));
        left.map_or(Ok(()), |namespace| Err(format!("{namespace} exists")))
    });
}

/// Refreshes of a chart find no difference; good and failing runs leave nothing.
pub fn chart_is_steady(stack: &Arc<Stack>) {
    let app = TestApp::new(stack, "steady-chart", &[]);
    write_chart(&app);
    is_steady(stack, &app);

    fails(&app, "templates/broken.yaml", "{{ fail .Values.password }}\n", "templates/broken.yaml");
}

/// Refreshes of an overlay find no difference; good and failing runs leave nothing.
pub fn overlay_is_steady(stack: &Arc<Stack>) {
    let app = TestApp::new(stack, "steady-overlay", &[]);
    write_overlay(&app);
    is_steady(stack, &app);

    let broken = KUSTOMIZATION.replace("reader.yaml", "missing.yaml");
    fails(&app, "kustomization.yaml", &broken, "missing.yaml");
}

fn is_steady(stack: &Arc<Stack>, app: &TestApp) {
    let commit = app.deploy(app.name(), "dev");
    app.wait_healthy(&commit);

    assert_eq!(app.live()["status"]["sourceType"], "Plugin");
    assert_eq!(app.secrets(app.name())["db"]["password"], app.password().as_bytes());
    refresh_without_difference(stack, app, &BOTH.repeat(2));
    assert_nothing_left(app, &[&app.password()]);
}

/// Commits a file with which the program fails, and looks for what it left.
fn fails(app: &TestApp, path: &str, text: &str, message: &str) {
    app.repository().write(&format!("app/{path}"), text);
    app.repository().commit("a mistake");
    let live = app.refresh(Refresh::Hard);
    let found = condition(&live, "ComparisonError").expect("a condition");
    assert!(found.contains(message), "{found}");
    assert_nothing_left(app, &[&app.password()]);
}
