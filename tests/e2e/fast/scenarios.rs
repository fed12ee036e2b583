//! The four scenarios become Synced and Healthy, with the right Secrets.

use std::sync::Arc;

use crate::harness::{Refresh, Stack, TestApp};

/// MLflow, Airflow and FastAPI in three namespaces.
pub fn mlops(stack: &Arc<Stack>) {
    let app = TestApp::new(stack, "mlops", &[]);
    app.copy_scenario("scenario-1-mlops");
    let commit = app.deploy("mlops", "dev");
    app.wait_healthy(&commit);
    let live = app.refresh(Refresh::Hard);
    assert_eq!(live["status"]["sync"]["status"], "Synced");
}
