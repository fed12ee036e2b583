//! A Secret that the controller did not create is taken over as docs/moving/README.md says, or stays as it is.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::harness::{NAMESPACE, Refresh, SEALED_SECRET, SECRET, SmallApp, Stack};

const REFUSED: &str = "already exists and is not managed by SealedSecret";

/// From a directory of plain manifests, with pruning: the Secret keeps its identity.
pub fn annotated_secret_is_taken_over(stack: &Arc<Stack>) {
    let app = SmallApp::new(stack, "adoption");
    let name = app.name();
    app.repository().write("plain/alpha.yaml", &plain_secret(name).to_string());
    let commit = app.deploy_with(|application| {
        application["spec"]["source"]["path"] = json!("plain");
        application["spec"]["source"].as_object_mut().expect("a source").remove("plugin");
    });
    let before = live_secret(&app);

    annotate(&app);
    app.write_base("alpha", &annotated_placeholder());
    let application = app.application(name, "dev");
    stack.cluster().apply(&application);
    assert_ne!(app.update(), commit);

    let after = live_secret(&app);
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"], "the Secret was replaced");
    assert_eq!(after["metadata"]["ownerReferences"][0]["kind"], "SealedSecret");
    assert_eq!(app.password_in("alpha"), "CANARY-alpha-1");
    assert_eq!(app.password_of("use-alpha", "alpha"), "CANARY-alpha-1");
    // A second look does not prune it either.
    app.refresh(Refresh::Hard);
    assert_eq!(live_secret(&app)["metadata"]["uid"], before["metadata"]["uid"]);
}

/// The sync fails and leaves the Secret alone. The controller tries again only after its object was deleted.
pub fn forgotten_annotation_has_a_remedy(stack: &Arc<Stack>) {
    let app = SmallApp::new(stack, "forgotten-adoption");
    let name = app.name();
    let cluster = stack.cluster();
    cluster.apply(&json!({"apiVersion": NAMESPACE.0, "kind": NAMESPACE.1, "metadata": {"name": name}}));
    cluster.apply(&plain_secret(name));
    app.write_base("alpha", &annotated_placeholder());
    let commit = app.deploy_changed(name, "dev", by_hand);
    app.refresh(Refresh::Normal);

    let failed = app.sync(&commit);
    assert!(refusal(&failed).contains(REFUSED), "{}", refusal(&failed));
    assert_eq!(app.password_in("alpha"), "CANARY-plain");

    annotate(&app);
    let failed = app.sync(&commit);
    assert!(refusal(&failed).contains(REFUSED), "{}", refusal(&failed));
    assert_eq!(app.password_in("alpha"), "CANARY-plain");

    let before = live_secret(&app);
    cluster.delete(SEALED_SECRET, Some(name), "alpha");
    app.sync(&commit);
    app.wait_healthy(&commit);
    assert_eq!(live_secret(&app)["metadata"]["uid"], before["metadata"]["uid"], "the Secret was replaced");
    assert_eq!(app.password_of("use-alpha", "alpha"), "CANARY-alpha-1");
}

fn plain_secret(namespace: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "alpha", "namespace": namespace},
        "stringData": {"password": "CANARY-plain"},
    })
}

/// Returns the placeholder Secret with the annotation, so that the Secret keeps it.
fn annotated_placeholder() -> String {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "alpha", "annotations": {"sealedsecrets.bitnami.com/managed": "true"}},
        "stringData": {"password": "<file:alpha.yaml#password>"},
    });
    secret.to_string()
}

/// Annotates the live Secret, as docs/moving/README.md says.
fn annotate(app: &SmallApp) {
    let patch = json!({"metadata": {"annotations": {"sealedsecrets.bitnami.com/managed": "true"}}});
    app.stack.cluster().patch(SECRET, Some(app.name()), "alpha", &patch);
}

fn live_secret(app: &SmallApp) -> Value {
    app.stack.cluster().get(SECRET, Some(app.name()), "alpha").expect("the Secret exists")
}

/// Lets only the test sync.
fn by_hand(application: &mut Value) {
    application["spec"]["syncPolicy"] = json!({"syncOptions": ["CreateNamespace=true"]});
}

/// Returns what a failed sync says about the objects.
fn refusal(application: &Value) -> String {
    let state = &application["status"]["operationState"];
    assert_eq!(state["phase"], "Failed", "{}", state["message"]);
    state["syncResult"]["resources"].to_string()
}
