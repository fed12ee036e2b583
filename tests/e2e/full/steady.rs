//! Refreshes after which nothing may have happened.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::harness::{Refresh, SEALED_SECRET, Stack, TestApp};

/// One normal refresh and one hard refresh.
pub const BOTH: [Refresh; 2] = [Refresh::Normal, Refresh::Hard];

/// Refreshes an app several times, and fails if Argo CD finds a difference, or if anything is written or started again.
pub fn refresh_without_difference(stack: &Arc<Stack>, app: &TestApp, refreshes: &[Refresh]) {
    let before = State::read(stack, app);
    for (index, how) in refreshes.iter().enumerate() {
        assert_in_sync(&app.refresh(*how), &format!("{}, refresh {}", app.name(), index + 1));
    }
    assert_eq!(State::read(stack, app), before, "nothing has happened");
}

/// Fails if an Application, or one of its objects, differs from Git.
pub fn assert_in_sync(live: &Value, which: &str) {
    let status = &live["status"];
    assert!(status["conditions"].is_null(), "{which}: {}", status["conditions"]);
    let resources = status["resources"].as_array().cloned().unwrap_or_default();
    let different: Vec<_> = resources.iter().filter(|resource| resource["status"] == "OutOfSync").collect();
    assert!(different.is_empty(), "{which}: {different:?}");
    assert_eq!(status["sync"]["status"], "Synced", "{which}");
}

/// Everything that changes when an app is applied again.
#[derive(Debug, PartialEq)]
struct State {
    /// The times of the last operation.
    operation: (Value, Value),
    /// The number of pods that ever started.
    pods: usize,
    /// The versions of the SealedSecrets, which differ after any write.
    versions: BTreeMap<String, Value>,
}

impl State {
    fn read(stack: &Stack, app: &TestApp) -> Self {
        let operation = &app.live()["status"]["operationState"];
        let sealed = stack.cluster().list(SEALED_SECRET, Some(app.name())).into_iter();
        let versions: BTreeMap<_, _> = sealed
            .map(|sealed| {
                let metadata = &sealed["metadata"];
                (metadata["name"].as_str().expect("a name").to_owned(), metadata["resourceVersion"].clone())
            })
            .collect();
        assert!(!versions.is_empty(), "the app has SealedSecrets");
        Self {
            operation: (operation["startedAt"].clone(), operation["finishedAt"].clone()),
            pods: stack.kubelet.starts(app.name()).len(),
            versions,
        }
    }
}
