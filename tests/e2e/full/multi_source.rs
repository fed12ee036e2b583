//! An Application with several sources.

use std::sync::Arc;

use serde_json::{Value, json};

use super::steady::{BOTH, refresh_without_difference};
use crate::harness::{CONFIG_MAP, SmallApp, Stack};

/// A sealwave app and a plain directory in one Application: both are applied.
pub fn plugin_and_directory(stack: &Arc<Stack>) {
    let app = SmallApp::new(stack, "multi-source");
    app.repository().write(
        "plain/config.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\ndata: {a: b}\n",
    );

    app.deploy_with(|application| {
        let spec = application["spec"].as_object_mut().expect("an object");
        let source = spec.remove("source").expect("a source");
        let plain = json!({"repoURL": source["repoURL"], "path": "plain", "targetRevision": "main"});
        spec.insert("sources".to_owned(), json!([source, plain]));
    });
    let live = app.live();

    let mut names: Vec<&Value> =
        live["status"]["resources"].as_array().expect("objects").iter().map(|it| &it["name"]).collect();
    names.sort_by_key(ToString::to_string);
    let expected =
        ["alpha", "beta", "plain", "settings", "use-alpha", "use-alpha-volume", "use-beta", "use-config"];
    assert_eq!(names, expected);
    assert!(stack.cluster().get(CONFIG_MAP, Some(app.name()), "plain").is_some());
    assert_eq!(app.password_in("alpha"), "CANARY-alpha-1");
    refresh_without_difference(stack, &app, &BOTH.repeat(2));
}
