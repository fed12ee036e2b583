//! Argo CD never writes a Secret: it knows only SealedSecrets, and the controller in the cluster writes the Secrets.

use std::sync::Arc;

use crate::harness::{SmallApp, Stack};

pub fn only_the_controller_writes_secrets(stack: &Arc<Stack>) {
    leaves_secrets_to_the_controller(&SmallApp::new(stack, "secret-writers"));
}

/// The story, also for a program that breaks the promise.
pub fn leaves_secrets_to_the_controller(app: &SmallApp) {
    app.deploy();

    let log = app.stack.audit_log();
    let writes = log.writes(app.name(), |write| write.resource == "secrets");
    let written = |name: &str| writes.iter().any(|write| write.name == name);
    assert!(written("alpha") && written("beta"), "the Secrets were written: {writes:#?}");
    for write in writes {
        let is_controller = write.user_agent.starts_with("sealed-secrets-controller");
        assert!(is_controller, "{} wrote Secret {}", write.user_agent, write.name);
    }
    let live = app.live();
    let resources = live["status"]["resources"].as_array().expect("objects");
    let kinds: Vec<_> = resources.iter().map(|resource| &resource["kind"]).collect();
    assert!(kinds.iter().any(|kind| *kind == "SealedSecret"), "{kinds:?}");
    assert!(kinds.iter().all(|kind| *kind != "Secret"), "Argo CD manages a Secret: {kinds:?}");
}
