//! Argo CD renders charts and overlays itself if the plugin is not named and does not match: placeholders become live values.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::sources::{write_chart, write_overlay};
use crate::harness::{Programs, Sidecar, SidecarOptions, Stack, TestApp};

const PLACEHOLDER: &str = "<file:app/db.yaml#password>";

/// A chart, without discovery: Argo CD's own Helm applies the placeholder. The plugin's name repairs it.
pub fn chart_without_discovery(stack: &Arc<Stack>) {
    let app = TestApp::new(stack, "unnamed-chart", &[]);
    write_chart(&app);
    unnamed(&app);
    assert_password(&app, "Helm", PLACEHOLDER);

    let app = TestApp::new(stack, "named-chart", &[]);
    write_chart(&app);
    named(&app);
    assert_password(&app, "Plugin", &app.password());
}

/// An overlay, without discovery: Argo CD's own Kustomize does the same.
pub fn overlay_without_discovery(stack: &Arc<Stack>) {
    let app = TestApp::new(stack, "unnamed-overlay", &[]);
    write_overlay(&app);
    unnamed(&app);
    assert_password(&app, "Kustomize", PLACEHOLDER);

    let app = TestApp::new(stack, "named-overlay", &[]);
    write_overlay(&app);
    named(&app);
    assert_password(&app, "Plugin", &app.password());
}

/// Discovery finds both, although the plugin is not named.
pub fn discovery_matches(stack: &Arc<Stack>) {
    let writes: [(&str, fn(&TestApp)); 2] =
        [("discovered-chart", write_chart), ("discovered-overlay", write_overlay)];
    for (name, write) in writes {
        let app = app_with_discovery(stack, name, Programs::sealwave());
        write(&app);
        unnamed(&app);
        assert_password(&app, "Plugin", &app.password());
    }
}

/// Discovery that fails is as good as none: Argo CD reports nothing and applies the placeholder.
pub fn discovery_fails(stack: &Arc<Stack>) {
    let writes: [(&str, fn(&TestApp), &str); 2] =
        [("undiscovered-chart", write_chart, "Helm"), ("undiscovered-overlay", write_overlay, "Kustomize")];
    for (name, write, kind) in writes {
        let program = stack.memory().join("failing-discovery").join(name);
        write_failing_discovery(&program);
        let app = app_with_discovery(stack, name, program);
        write(&app);
        unnamed(&app);
        assert_password(&app, kind, PLACEHOLDER);
        assert!(app.live()["status"]["conditions"].is_null(), "Argo CD reports nothing");
    }
}

fn app_with_discovery(stack: &Arc<Stack>, name: &str, program: PathBuf) -> TestApp {
    let plugin_file = "manifests/plugin-discover.yaml";
    let options = SidecarOptions { plugin_file, program, ..SidecarOptions::new(stack, name) };
    TestApp::with_sidecar(stack, name, Sidecar::start_with(stack, name, &options))
}

/// Writes a sealwave whose discovery fails; all else works.
fn write_failing_discovery(script: &Path) {
    let program = Programs::sealwave();
    let text = format!("#!/bin/sh\n[ \"$1\" = discover ] && exit 1\nexec \"{}\" \"$@\"\n", program.display());
    fs_err::create_dir_all(script.parent().expect("a parent")).expect("a directory");
    fs_err::write(script, text).expect("writable");
    fs_err::set_permissions(script, std::fs::Permissions::from_mode(0o755)).expect("executable");
}

/// Deploys an app whose Application does not mention a plugin.
fn unnamed(app: &TestApp) {
    let commit = app.deploy_changed(app.name(), "dev", |application| {
        application["spec"]["source"].as_object_mut().expect("an object").remove("plugin");
    });
    app.wait_healthy(&commit);
}

/// Deploys an app whose Application names the plugin.
fn named(app: &TestApp) {
    let commit = app.deploy(app.name(), "dev");
    app.wait_healthy(&commit);
}

/// Fails unless Argo CD rendered the app in this way, and the password in the cluster is this.
fn assert_password(app: &TestApp, kind: &str, password: &str) {
    assert_eq!(app.live()["status"]["sourceType"], kind, "{}", app.name());
    let live = &app.secrets(app.name())["db"]["password"];
    assert_eq!(String::from_utf8_lossy(live), password, "{}", app.name());
}
