//! A renamed Secret or ConfigMap is deleted after its users have moved, and not if they could not move.
//!
//! Argo CD prunes an object in the object's wave, which would be before the workloads. The Applications here lack
//! `PruneLast=true`, so that sealwave's own annotation has to be enough.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::harness::{Refresh, SEALED_SECRET, SECRET, SmallApp, Stack, WRONG_CERTIFICATE, until};

pub fn renamed_objects_stay_until_their_users_moved(stack: &Arc<Stack>) {
    stay_until_users_moved(&SmallApp::new(stack, "pruning"));
}

/// The story, also for a program that breaks the promise.
pub fn stay_until_users_moved(app: &SmallApp) {
    app.deploy_with(without_prune_last);
    app.write_objects("alpha-new", "settings-new");
    app.update();

    let log = app.stack.audit_log();
    let renamed = [
        ("sealedsecrets", "alpha", "use-alpha"),
        ("sealedsecrets", "alpha", "use-alpha-volume"),
        ("configmaps", "settings", "use-config"),
    ];
    for (resource, name, user) in renamed {
        let deleted = log.first(app.name(), "delete", resource, name);
        let starts = app.starts(user);
        assert_eq!(starts.len(), 2, "starts of {user}");
        let moved = log.first(app.name(), "patch", "pods/status", &starts[1].pod);
        assert!(
            moved < deleted,
            "{resource} {name} was deleted ({deleted}) before {user} had moved ({moved})"
        );
    }
}

pub fn failing_wave_keeps_the_old_secret(stack: &Arc<Stack>) {
    keeps_the_old_secret(&SmallApp::new(stack, "failing-wave"));
}

/// The story, also for a program that breaks the promise.
pub fn keeps_the_old_secret(app: &SmallApp) {
    let namespace = Some(app.name());
    let cluster = app.stack.cluster();
    app.deploy_with(without_prune_last);

    // The new Secret cannot be unsealed, so that the wave of the workloads never begins.
    app.use_certificate(WRONG_CERTIFICATE);
    app.write_objects("alpha-new", "settings");
    app.repository().commit("a new name");
    app.refresh(Refresh::Normal);
    app.wait_failed_sync("no key could decrypt secret");

    // Argo CD deletes in the foreground: a SealedSecret stays until the garbage collector has deleted its Secret.
    let sealed = cluster.get(SEALED_SECRET, namespace, "alpha");
    let is_kept = sealed.is_some_and(|sealed| sealed["metadata"]["deletionTimestamp"].is_null());
    assert!(is_kept, "the old SealedSecret was deleted");
    assert!(cluster.get(SECRET, namespace, "alpha").is_some(), "the old Secret was deleted");
    app.replace_pods("use-alpha");
    until("a new pod of use-alpha", || {
        let starts = app.starts("use-alpha").len();
        if starts == 2 { Ok(()) } else { Err(format!("{starts} starts")) }
    });
    assert_eq!(app.password_of("use-alpha", "alpha"), "CANARY-alpha-1");
}

fn without_prune_last(application: &mut Value) {
    application["spec"]["syncPolicy"]["syncOptions"] = json!(["CreateNamespace=true"]);
}
