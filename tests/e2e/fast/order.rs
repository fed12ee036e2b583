//! Configuration is applied before the workloads that read it, so that no pod waits for it.

use std::sync::Arc;

use crate::harness::{SmallApp, Stack};

pub fn configuration_comes_before_its_users(stack: &Arc<Stack>) {
    is_ordered(&SmallApp::new(stack, "order"));
}

/// The story, also for a program that breaks the promise.
pub fn is_ordered(app: &SmallApp) {
    app.deploy();

    let log = app.stack.audit_log();
    let created = |resource: &str, name: &str| log.first(app.name(), "create", resource, name);
    for (secret, user) in [("alpha", "use-alpha"), ("alpha", "use-alpha-volume"), ("beta", "use-beta")] {
        let sealed = created("sealedsecrets", secret);
        let opened = created("secrets", secret);
        let used = created("deployments", user);
        assert!(sealed < opened, "Secret {secret} ({opened}) precedes its SealedSecret ({sealed})");
        assert!(opened < used, "Deployment {user} ({used}) precedes Secret {secret} ({opened})");
    }
    let (config, user) = (created("configmaps", "settings"), created("deployments", "use-config"));
    assert!(config < user, "Deployment use-config ({user}) precedes ConfigMap settings ({config})");

    let waits = app.stack.kubelet.waits(app.name());
    assert!(waits.is_empty(), "pods waited for their configuration: {waits:#?}");
}
