//! Argo CD renders charts and overlays itself if the plugin is not named and does not match: placeholders become live values.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::sources::{write_chart, write_overlay};
use crate::harness::{Programs, Sidecar, SidecarOptions, Stack, TestApp};

const PLACEHOLDER: &str = "<file:app/db.yaml#password>";

/// A chart, without discovery: Argo CD's own Helm applies the placeholder. The plugin's name prevents it.
pub fn chart_without_discovery(stack: &Arc<Stack>) {
    applies_placeholder(&TestApp::new(stack, "unnamed-chart", &[]), write_chart, "Helm");

    let app = TestApp::new(stack, "named-chart", &[]);
    write_chart(&app);
    named(&app);
    assert_password(&app, "Plugin", &app.password());
}

/// An overlay, without discovery: Argo CD's own Kustomize does the same.
pub fn overlay_without_discovery(stack: &Arc<Stack>) {
    applies_placeholder(&TestApp::new(stack, "unnamed-overlay", &[]), write_overlay, "Kustomize");

    let app = TestApp::new(stack, "named-overlay", &[]);
    write_overlay(&app);
    named(&app);
    assert_password(&app, "Plugin", &app.password());
}

/// Discovery finds both, although the plugin is not named.
pub fn discovery_matches(stack: &Arc<Stack>) {
    let is_found = |name: &str, write: fn(&TestApp)| {
        let app = app_with_discovery(stack, name, Programs::sealwave());
        write(&app);
        unnamed(&app);
        assert_password(&app, "Plugin", &app.password());
    };
    is_found("discovered-chart", write_chart);
    is_found("discovered-overlay", write_overlay);
}

/// Discovery that fails is as good as none: Argo CD reports nothing and applies the placeholder.
pub fn discovery_fails(stack: &Arc<Stack>) {
    let app = |name: &str| {
        let program = stack.memory().join("failing-discovery").join(name);
        write_failing_discovery(&program);
        app_with_discovery(stack, name, program)
    };
    applies_placeholder(&app("undiscovered-chart"), write_chart, "Helm");
    applies_placeholder(&app("undiscovered-overlay"), write_overlay, "Kustomize");
}

/// Fails unless the app, whose Application does not name the plugin, gets the placeholder as its password without a report.
fn applies_placeholder(app: &TestApp, write: fn(&TestApp), kind: &str) {
    write(app);
    unnamed(app);
    assert_password(app, kind, PLACEHOLDER);
    assert!(app.live()["status"]["conditions"].is_null(), "Argo CD reports nothing");
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
