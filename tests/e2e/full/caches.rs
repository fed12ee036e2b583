//! After a change outside of Git, Argo CD's caches decide what it sees. docs/operating says what to do, and this is enough.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Refresh, SmallApp, Stack, WRONG_CERTIFICATE, out_of_sync, until};

const CACHED: &str = "Manifest generation error (cached)";

/// Argo CD syncs a commit once. So without `selfHeal` a rotated value needs a person.
pub fn rotation_without_self_heal_waits_for_a_sync(stack: &Arc<Stack>) {
    let app = SmallApp::new(stack, "no-self-heal");
    let commit = app.deploy_with(|application| {
        application["spec"]["syncPolicy"]["automated"] = json!({"prune": true});
    });
    let before = app.snapshot();

    app.set_value("alpha", "CANARY-alpha-2");
    let live = app.refresh(Refresh::Normal);
    assert_eq!(out_of_sync(&live), [""; 0], "a normal refresh does not ask sealwave");
    let live = app.refresh(Refresh::Hard);
    assert_eq!(
        out_of_sync(&live),
        ["Deployment/use-alpha", "Deployment/use-alpha-volume", "SealedSecret/alpha"]
    );

    // With `selfHeal`, Argo CD would sync after 5 seconds.
    std::thread::sleep(Duration::from_secs(7));
    let live = app.refresh(Refresh::Normal);
    assert_eq!(live["status"]["sync"]["status"], "OutOfSync");
    assert_eq!(app.snapshot().changes_since(&before), [""; 0]);

    app.sync(&commit);
    app.wait_healthy(&commit);
    assert_eq!(app.password_of("use-alpha", "alpha"), "CANARY-alpha-2");
}

/// A missing file of the operator: after three failures, Argo CD does not call sealwave again for this commit.
pub fn cached_error_ends_with_a_hard_refresh(stack: &Arc<Stack>) {
    let app = SmallApp::new(stack, "cached-error");
    app.deploy();
    app.write_secret("gamma", "gamma");
    let commit = app.repository().commit("a Secret whose value is missing");

    let first = comparison_error(&app.refresh(Refresh::Normal));
    assert!(first.contains("gamma.yaml#password") && !first.contains(CACHED), "{first}");
    until("an error from the cache", || {
        let error = comparison_error(&app.refresh(Refresh::Normal));
        if error.contains(CACHED) { Ok(()) } else { Err(error) }
    });

    app.set_value("gamma", "CANARY-gamma");
    for _ in 0..3 {
        let error = comparison_error(&app.refresh(Refresh::Normal));
        assert!(error.contains(CACHED), "{error}");
    }
    app.refresh(Refresh::Hard);
    app.wait_healthy(&commit);
    assert_eq!(app.password_in("gamma"), "CANARY-gamma");
}

/// A wrong certificate while there are commits: Secrets and pods stay, and a hard refresh is the whole remedy.
///
/// The sync of the first commit is retried for minutes. The setting `retry: {refresh: true}` of manifests/application.yaml
/// lets it go on with the second commit.
pub fn wrong_certificate_is_repaired_by_a_hard_refresh(stack: &Arc<Stack>) {
    let app = SmallApp::new(stack, "wrong-certificate");
    app.deploy();
    let before = app.snapshot();

    app.use_certificate(WRONG_CERTIFICATE);
    app.write_base("more", &config_map("more"));
    app.repository().commit("a change with the wrong certificate");
    app.refresh(Refresh::Normal);
    app.wait_failed_sync("no key could decrypt secret");
    let failed = app.snapshot();
    assert_eq!(failed.changes_since(&before), ["SealedSecret/alpha", "SealedSecret/beta"]);

    app.use_certificate(&stack.controller.certificate());
    app.write_base("still-more", &config_map("still-more"));
    let commit = app.repository().commit("a change with the right certificate");
    app.refresh(Refresh::Hard);
    app.wait_healthy(&commit);
    let repaired = app.snapshot();
    let expected = ["ConfigMap/more", "ConfigMap/still-more", "SealedSecret/alpha", "SealedSecret/beta"];
    assert_eq!(repaired.changes_since(&before), expected);
}

/// A hard refresh renders the newest commit. A sync that is tried again uses the result, if it is a sync of that commit; the
/// manifests of an older commit stay in the cache as they are.
pub fn retry_uses_the_manifests_of_a_hard_refresh(stack: &Arc<Stack>) {
    let app = SmallApp::new(stack, "retries");
    let right = stack.controller.certificate();
    app.deploy_with(|application| {
        let backoff = json!({"duration": "5s", "factor": 1});
        application["spec"]["syncPolicy"]["retry"] = json!({"limit": 3, "backoff": backoff});
    });

    // The newest commit.
    app.use_certificate(WRONG_CERTIFICATE);
    app.write_base("more", &config_map("more"));
    let commit = app.repository().commit("a change with the wrong certificate");
    app.refresh(Refresh::Normal);
    app.wait_failed_sync("no key could decrypt secret");
    app.use_certificate(&right);
    app.refresh(Refresh::Hard);
    let live = app.wait_healthy(&commit);
    let retries = &live["status"]["operationState"]["retryCount"];
    assert!(retries.as_u64().is_some_and(|count| count > 0), "the same sync went on: {retries}");

    // An older commit: all retries fail. Argo CD has compared the newest commit meanwhile, and with the annotation
    // `manifest-generate-paths` it sees no reason for a sync of it afterwards.
    app.use_certificate(WRONG_CERTIFICATE);
    app.write_base("more", &config_map("still-more"));
    let old = app.repository().commit("another change with the wrong certificate");
    app.refresh(Refresh::Normal);
    app.wait_failed_sync("no key could decrypt secret");
    app.use_certificate(&right);
    app.write_base("more", &config_map("even-more"));
    let commit = app.repository().commit("a change with the right certificate");
    app.refresh(Refresh::Hard);
    let message = app.wait_condition("SyncError");
    assert!(message.starts_with(&format!("Failed last sync attempt to [{old}]")), "{message}");
    assert!(message.ends_with("(retried 3 times)."), "{message}");
    let live = app.refresh(Refresh::Normal);
    assert_eq!(live["status"]["sync"]["revision"], *commit);
    assert_eq!(live["status"]["sync"]["status"], "OutOfSync");
    app.sync(&commit);
    app.wait_healthy(&commit);
}

fn config_map(name: &str) -> String {
    format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}, data: {{a: b}}}}\n")
}

fn comparison_error(application: &Value) -> String {
    let conditions = application["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let found = conditions.into_iter().find(|condition| condition["type"] == "ComparisonError");
    found.map_or_else(String::new, |condition| condition["message"].to_string())
}
