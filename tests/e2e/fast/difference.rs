//! The same input gives the same output: a refresh finds no difference, and nothing is applied again.

use std::sync::Arc;

use crate::harness::{Refresh, SmallApp, Stack, out_of_sync};

pub fn refreshes_change_nothing(stack: &Arc<Stack>) {
    stays_synced(&SmallApp::new(stack, "difference"));
}

/// The story, also for a program that breaks the promise.
pub fn stays_synced(app: &SmallApp) {
    app.deploy();
    let before = app.snapshot();
    for round in 1..=10 {
        for how in [Refresh::Normal, Refresh::Hard] {
            let live = app.refresh(how);
            let differing = out_of_sync(&live);
            assert!(differing.is_empty(), "{how:?} refresh {round} found a difference: {differing:?}");
            assert_eq!(live["status"]["sync"]["status"], "Synced");
        }
    }
    assert_eq!(app.snapshot().changes_since(&before), [""; 0], "objects changed");
}
