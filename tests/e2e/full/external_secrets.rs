//! The ways to deploy while an ExternalSecret cannot be fetched, as docs/operating/troubleshooting.md has them.

use std::sync::Arc;

use crate::fast::external_secrets::{NOT_FETCHED, StoreApp};
use crate::harness::{Refresh, Stack};

/// A sync of the Deployment alone does not wait for the ExternalSecret.
pub fn workloads_alone_can_be_synced(stack: &Arc<Stack>) {
    let app = StoreApp::deploy(stack, "external-selected");
    app.set_store(&[]);
    let commit = app.commit(2);
    app.wait_failed_sync(NOT_FETCHED);

    let live = app.sync_deployment(&commit, "web");

    assert_eq!(live["status"]["operationState"]["phase"], "Succeeded");
    assert_eq!(app.versions(), ["v2", "v2"]);
    app.wait_started(2);
}

/// An ExternalSecret in the wave of the workloads holds up nothing.
pub fn same_wave_does_not_wait(stack: &Arc<Stack>) {
    let app = StoreApp::deploy(stack, "external-wave");
    app.set_store(&[]);
    app.write(2, "argocd.argoproj.io/sync-wave: '0'");
    app.repository().commit("a version, and another wave");
    app.refresh(Refresh::Normal);

    let live = app.wait_for("the end of the sync", |live| {
        live["status"]["operationState"]["phase"] == "Succeeded"
            && live["status"]["sync"]["status"] == "Synced"
    });

    assert_eq!(live["status"]["health"]["status"], "Degraded");
    assert_eq!(app.versions(), ["v2", "v2"]);
    app.wait_started(2);
}
