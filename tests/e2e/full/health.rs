//! Pods restart with the new value only if the health check of SealedSecrets waits for the controller.
//!
//! The check of `manifests/argocd-cm.yaml` does, and Argo CD's own does since a recent version. The tests stop the controller
//! and change the settings of Argo CD, so they run alone. Both are put back, also after a failure.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::harness::{ARGOCD, CONFIG_MAP, Refresh, SEALED_SECRET, SmallApp, Stack, until};

const SETTINGS: &str = "argocd-cm";
const CHECK: &str = "resource.customizations.health.bitnami.com_SealedSecret";

/// A check as that of older versions of Argo CD: a status for the previous generation counts.
const CHECK_WITHOUT_GENERATION: &str = r#"
for _, condition in ipairs(obj.status ~= nil and obj.status.conditions or {}) do
  if condition.type == "Synced" then
    return {status = condition.status == "True" and "Healthy" or "Degraded", message = condition.message}
  end
end
return {status = "Progressing", message = "no condition"}
"#;

pub fn our_check_waits_for_the_controller(stack: &Arc<Stack>) {
    let app = SmallApp::new(stack, "our-health-check");
    let commit = app.deploy();
    waits_for_the_controller(&app, &commit);
}

pub fn argocds_own_check_waits_for_the_controller(stack: &Arc<Stack>) {
    let app = SmallApp::new(stack, "own-health-check");
    let commit = app.deploy();
    // Ours accepts a newer generation in the status, Argo CD's own only the same one.
    let _check = OtherCheck::new(&app, &Value::Null, 99, ["Healthy", "Progressing"]);
    waits_for_the_controller(&app, &commit);
}

/// The sync succeeds while the controller is stopped; pods restart with the old value and keep it.
pub fn check_without_generation_restarts_pods_too_early(stack: &Arc<Stack>) {
    let app = SmallApp::new(stack, "old-health-check");
    let commit = app.deploy();
    let _check = OtherCheck::new(&app, &json!(CHECK_WITHOUT_GENERATION), 0, ["Progressing", "Healthy"]);

    let stopped = StoppedController::new(stack);
    app.set_value("alpha", "CANARY-alpha-2");
    app.refresh(Refresh::Hard);
    app.wait_healthy(&commit);
    assert_eq!(app.password_of("use-alpha", "alpha"), "CANARY-alpha-1", "the pods waited");

    drop(stopped);
    until("the new value in the Secret", || match app.password_in("alpha").as_str() {
        "CANARY-alpha-2" => Ok(()),
        _ => Err("it is the old one".to_owned()),
    });
    app.refresh(Refresh::Hard);
    app.wait_healthy(&commit);
    assert_eq!(app.starts("use-alpha").len(), 2, "the pods restarted again");
}

/// While the controller is stopped, the sync waits; then pods restart with the new value.
fn waits_for_the_controller(app: &SmallApp, commit: &str) {
    let stopped = StoppedController::new(&app.stack);
    app.set_value("alpha", "CANARY-alpha-2");
    app.refresh(Refresh::Hard);
    app.wait_for("a sync that waits for the SealedSecret", |live| {
        let message = live["status"]["operationState"]["message"].as_str().unwrap_or_default();
        message.contains("waiting for healthy state of bitnami.com/SealedSecret/alpha")
    });
    assert_eq!(app.starts("use-alpha").len(), 1, "the pods did not wait");

    drop(stopped);
    app.wait_healthy(commit);
    assert_eq!(app.starts("use-alpha").len(), 2);
    assert_eq!(app.password_of("use-alpha", "alpha"), "CANARY-alpha-2");
}

/// The controller is stopped while this exists.
struct StoppedController<'a> {
    stack: &'a Stack,
}

impl<'a> StoppedController<'a> {
    fn new(stack: &'a Stack) -> Self {
        stack.controller.stop();
        Self { stack }
    }
}

impl Drop for StoppedController<'_> {
    fn drop(&mut self) {
        self.stack.controller.resume();
    }
}

/// Argo CD uses another check while this exists.
struct OtherCheck<'a> {
    app: &'a SmallApp,
    ours: Value,
}

impl<'a> OtherCheck<'a> {
    /// Replaces the check of `manifests/`; `null` stands for Argo CD's own. Waits until Argo CD uses it: for a SealedSecret
    /// with this generation in its status, the health of the app has to change as given.
    fn new(app: &'a SmallApp, check: &Value, generation: i64, [before, after]: [&str; 2]) -> Self {
        let settings = app.stack.cluster().get(CONFIG_MAP, Some(ARGOCD), SETTINGS).expect("settings");
        let ours = settings["data"][CHECK].clone();
        assert!(ours.is_string(), "the check of manifests/ is in use");
        let this = Self { app, ours };
        this.set_generation(generation);
        this.wait(before);
        this.set(check);
        this.wait(after);
        this.set_generation(1);
        this.wait("Healthy");
        this
    }

    fn set(&self, check: &Value) {
        let patch = json!({"data": {CHECK: check}});
        self.app.stack.cluster().patch(CONFIG_MAP, Some(ARGOCD), SETTINGS, &patch);
    }

    fn set_generation(&self, generation: i64) {
        let status = json!({"observedGeneration": generation});
        let namespace = Some(self.app.name());
        self.app.stack.cluster().patch_status(SEALED_SECRET, namespace, "alpha", &status);
    }

    fn wait(&self, health: &str) {
        until(&format!("the health {health}"), || {
            let live = self.app.refresh(Refresh::Normal);
            let found = &live["status"]["health"]["status"];
            if found == health { Ok(()) } else { Err(found.to_string()) }
        });
    }
}

impl Drop for OtherCheck<'_> {
    fn drop(&mut self) {
        self.set(&self.ours);
    }
}
