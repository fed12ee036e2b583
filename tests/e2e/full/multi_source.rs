//! An Application with several sources.

use std::sync::Arc;

use serde_json::{Value, json};

use super::small_app::{password, secret_value, write_app, write_operator};
use super::steady::{BOTH, refresh_without_difference};
use crate::harness::{CONFIG_MAP, Stack, TestApp};

/// A sealwave app and a plain directory in one Application: both are applied.
pub fn plugin_and_directory(stack: &Arc<Stack>) {
    let app = TestApp::new(stack, "multi-source", &[]);
    write_operator(stack, &app);
    write_app(&app, "app", "web");
    app.repository().write(
        "plain/config.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\ndata: {a: b}\n",
    );

    let commit = app.deploy_changed(app.name(), "dev", |application| {
        let spec = application["spec"].as_object_mut().expect("an object");
        let source = spec.remove("source").expect("a source");
        let plain = json!({"repoURL": source["repoURL"], "path": "plain", "targetRevision": "main"});
        spec.insert("sources".to_owned(), json!([source, plain]));
    });
    let live = app.wait_healthy(&commit);

    let mut names: Vec<&Value> =
        live["status"]["resources"].as_array().expect("objects").iter().map(|it| &it["name"]).collect();
    names.sort_by_key(ToString::to_string);
    assert_eq!(names, ["plain", "web", "web-config", "web-db"]);
    assert!(stack.cluster().get(CONFIG_MAP, Some(app.name()), "plain").is_some());
    assert_eq!(secret_value(stack, app.name(), "web-db", "password"), password(&app));
    refresh_without_difference(stack, &app, &BOTH.repeat(2));
}
