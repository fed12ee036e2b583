//! Deletes an app, and prunes: the right objects go, and the right ones stay.

use std::sync::Arc;

use serde_json::{Value, json};

use super::steady::{BOTH, refresh_without_difference};
use crate::harness::{
    APPLICATION, ARGOCD, CONFIG_MAP, DEPLOYMENT, Kind, POD, SEALED_SECRET, SECRET, SmallApp, Stack, TestApp,
    until,
};

const REPLICA_SET: Kind = Kind("apps/v1", "ReplicaSet");
const TRACKING_ANNOTATION: &str = "argocd.argoproj.io/tracking-id";
const TRACKING_LABEL: &str = "app.kubernetes.io/instance";

/// A cascading delete of the Application removes all objects, also those that controllers made of them.
pub fn cascade_leaves_nothing(stack: &Arc<Stack>) {
    let app = SmallApp::new(stack, "cascade");
    app.deploy_with(|application| {
        application["metadata"]["finalizers"] = json!(["resources-finalizer.argocd.argoproj.io"]);
    });
    assert!(objects(stack, app.name()).len() >= 17, "{:?}", objects(stack, app.name()));

    stack.cluster().delete(APPLICATION, Some(ARGOCD), app.name());

    until("the end of the Application", || {
        stack.argocd.application(app.name()).map_or(Ok(()), |live| Err(live["status"].to_string()))
    });
    until("the end of all objects", || {
        let left = objects(stack, app.name());
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    });
}

/// A Secret whose author has set the label by which Argo CD may recognize its objects.
const LABELED: &str = "\
apiVersion: v1
kind: Secret
metadata: {name: labeled, labels: {app.kubernetes.io/instance: label-tracking}}
stringData: {password: <file:alpha.yaml#password>}
";

/// With the tracking label instead of the annotation, the Secrets that the controller made are not the app's, and stay.
pub fn label_tracking_keeps_the_secret(stack: &Arc<Stack>) {
    let app = SmallApp::new(stack, "label-tracking");
    app.repository().write("app/base/labeled.yaml", LABELED);
    let tracking = LabelTracking::start(stack);
    app.deploy();
    until_tracked_by_label(stack, &app, true);

    refresh_without_difference(stack, &app, &BOTH.repeat(3));

    for name in ["labeled", "alpha"] {
        let secret = stack.cluster().get(SECRET, Some(app.name()), name).expect("the Secret is still there");
        assert!(secret["metadata"]["labels"][TRACKING_LABEL].is_null(), "{}", secret["metadata"]);
    }
    let live = app.live();
    let kinds = live["status"]["resources"].as_array().expect("objects").iter().map(|it| &it["kind"]);
    assert!(kinds.clone().all(|kind| kind != "Secret"), "{:?}", kinds.collect::<Vec<_>>());

    drop(tracking);
    until_tracked_by_label(stack, &app, false);
}

/// A time in which Argo CD recognizes its objects by a label.
pub struct LabelTracking<'a>(&'a Stack);

impl<'a> LabelTracking<'a> {
    pub fn start(stack: &'a Stack) -> Self {
        set_tracking(stack, &json!("label"));
        Self(stack)
    }
}

impl Drop for LabelTracking<'_> {
    fn drop(&mut self) {
        set_tracking(self.0, &Value::Null);
    }
}

fn set_tracking(stack: &Stack, method: &Value) {
    let patch = json!({"data": {"application.resourceTrackingMethod": method}});
    stack.cluster().patch(CONFIG_MAP, Some(ARGOCD), "argocd-cm", &patch);
}

/// Changes the app until Argo CD applies it with the tracking label, or without.
///
/// Argo CD reads a changed setting some time later, and ignores the old kind of tracking in objects that it does not apply.
pub fn until_tracked_by_label(stack: &Stack, app: &TestApp, wanted: bool) {
    let mut number = 0;
    until(&format!("objects with a tracking label: {wanted}"), || {
        number += 1;
        let text = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: tracked}}\ndata: {{change: '{wanted} {number}'}}\n"
        );
        app.repository().write("app/base/tracked.yaml", &text);
        app.wait_healthy(&app.repository().commit("Change the app"));
        let config = stack.cluster().get(CONFIG_MAP, Some(app.name()), "tracked").expect("it was applied");
        let metadata = &config["metadata"];
        let has_label = metadata["labels"][TRACKING_LABEL] == app.name();
        let has_annotation = metadata["annotations"][TRACKING_ANNOTATION].is_string();
        if has_label == wanted && has_annotation != wanted { Ok(()) } else { Err(metadata.to_string()) }
    });
}

/// Returns the objects in a namespace, without those that every namespace has.
fn objects(stack: &Stack, namespace: &str) -> Vec<String> {
    let kinds = [CONFIG_MAP, DEPLOYMENT, POD, REPLICA_SET, SEALED_SECRET, SECRET];
    let all = kinds.into_iter().flat_map(|kind| {
        let found = stack.cluster().list(kind, Some(namespace)).into_iter();
        found.map(move |object| {
            format!("{}/{}", kind.1, object["metadata"]["name"].as_str().unwrap_or_default())
        })
    });
    all.filter(|name| name != "ConfigMap/kube-root-ca.crt").collect()
}
