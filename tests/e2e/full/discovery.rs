//! `manifests/plugin-discover.yaml`: Argo CD finds apps whose Applications do not name the plugin.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::harness::{Sidecar, SidecarOptions, SmallApp, Stack};

const PLAIN: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\ndata: {a: b}\n";

/// An Application without the section `plugin`.
pub fn no_plugin(stack: &Arc<Stack>) {
    renders(&app(stack, "discover-unnamed"), |source| {
        source.as_object_mut().expect("an object").remove("plugin");
    });
}

/// An Application that says only that some plugin renders it.
pub fn empty_plugin(stack: &Arc<Stack>) {
    renders(&app(stack, "discover-empty"), |source| source["plugin"] = json!({}));
}

/// An Application that names the plugin and no environment. The app has only one.
pub fn name_without_parameters(stack: &Arc<Stack>) {
    renders(&app(stack, "discover-named"), |source| {
        source["plugin"] = json!({"name": "discover-named"});
    });
}

/// An app with two environments needs the parameter.
pub fn several_environments(stack: &Arc<Stack>) {
    let app = app(stack, "discover-several");
    app.repository().write("app/envs/prod/values.yaml", "{}\n");

    app.deploy_changed(app.name(), "dev", |application| {
        application["spec"]["source"]["plugin"] = json!({"name": app.name()});
    });
    let message = app.wait_condition("ComparisonError");

    assert!(message.contains("no environment is given; available: `dev`, `prod`"), "{message}");
}

/// A directory without an app file, in an Application that names the plugin.
pub fn no_app_file(stack: &Arc<Stack>) {
    let app = app(stack, "discover-no-app");
    app.repository().write("plain/config.yaml", PLAIN);

    app.deploy_changed(app.name(), "dev", |application| {
        application["spec"]["source"]["path"] = json!("plain");
    });
    let message = app.wait_condition("ComparisonError");
    let expected =
        "could not find cmp-server plugin with name \"discover-no-app\" supporting the given repository";
    assert!(message.contains(expected), "{message}");
}

/// A directory without an app file, in an Application without a plugin, stays a plain directory.
pub fn plain_directory(stack: &Arc<Stack>) {
    let app = app(stack, "discover-plain");
    app.repository().write("plain/config.yaml", PLAIN);

    app.deploy_with(|application| {
        let source = &mut application["spec"]["source"];
        source.as_object_mut().expect("an object").remove("plugin");
        source["path"] = json!("plain");
    });

    assert_eq!(app.live()["status"]["sourceType"], "Directory");
}

/// Prepares an app whose plugin has discovery.
fn app(stack: &Arc<Stack>, name: &str) -> SmallApp {
    let options =
        SidecarOptions { plugin_file: "manifests/plugin-discover.yaml", ..SidecarOptions::new(stack, name) };
    SmallApp::with_sidecar(stack, name, Sidecar::start_with(stack, name, &options))
}

fn renders(app: &SmallApp, change: impl FnOnce(&mut Value)) {
    app.deploy_with(|application| change(&mut application["spec"]["source"]));

    assert_eq!(app.live()["status"]["sourceType"], "Plugin");
    assert_eq!(app.password_in("alpha"), "CANARY-alpha-1");
}
