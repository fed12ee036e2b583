//! A new value restarts the pods that read it, and no others. A new key of the controller restarts none.

use std::sync::Arc;

use crate::harness::{Refresh, SmallApp, Stack};

pub fn rotated_value_restarts_its_users(stack: &Arc<Stack>) {
    restarts_exactly_the_users(&SmallApp::new(stack, "rotated-value"));
}

/// The story, also for a program that breaks the promise.
pub fn restarts_exactly_the_users(app: &SmallApp) {
    let commit = app.deploy();
    let before = app.snapshot();
    assert_eq!(app.password_of("use-alpha", "alpha"), "CANARY-alpha-1");

    app.set_value("alpha", "CANARY-alpha-2");
    app.refresh(Refresh::Hard);
    app.wait_healthy(&commit);

    let after = app.snapshot();
    let expected = [
        "Deployment/use-alpha",
        "Deployment/use-alpha-volume",
        "Pod/use-alpha",
        "Pod/use-alpha-volume",
        "SealedSecret/alpha",
        "Secret/alpha",
    ];
    assert_eq!(after.changes_since(&before), expected);
    for (workload, starts) in [("use-alpha", 2), ("use-alpha-volume", 2), ("use-beta", 1), ("use-config", 1)]
    {
        assert_eq!(app.starts(workload).len(), starts, "starts of {workload}");
    }
    assert_eq!(app.password_of("use-alpha", "alpha"), "CANARY-alpha-2");
    assert_eq!(app.password_of("use-alpha-volume", "alpha"), "CANARY-alpha-2");
}

/// Runs alone, because the controller restarts. Its older keys stay valid, so that nothing has to be put back.
pub fn renewed_key_restarts_no_pod(stack: &Arc<Stack>) {
    restarts_no_pod(&SmallApp::new(stack, "renewal"));
}

/// The story, also for a program that breaks the promise.
pub fn restarts_no_pod(app: &SmallApp) {
    let commit = app.deploy();
    let before = app.snapshot();

    // The old certificate stays valid.
    let certificate = app.stack.controller.renew_key();
    let live = app.refresh(Refresh::Hard);
    assert_eq!(live["status"]["sync"]["status"], "Synced");
    let renewed = app.snapshot();
    assert_eq!(renewed.changes_since(&before), [""; 0], "objects changed with the old certificate");

    // The new certificate seals again, with the same values.
    app.use_certificate(&certificate);
    app.refresh(Refresh::Hard);
    app.wait_healthy(&commit);
    let sealed_again = app.snapshot();
    assert_eq!(sealed_again.changes_since(&before), ["SealedSecret/alpha", "SealedSecret/beta"]);
}
