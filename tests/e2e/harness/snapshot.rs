//! The objects of a namespace at one moment, to find out what changed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::cluster::{CONFIG_MAP, Cluster, DEPLOYMENT, Kind, POD, SEALED_SECRET, SECRET};

/// The state of each object that an app may change, by kind and name. Pods are counted under their Deployment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Snapshot {
    objects: BTreeMap<String, Vec<Value>>,
}

impl Snapshot {
    pub fn take(cluster: &Cluster, namespace: &str) -> Self {
        let mut objects = BTreeMap::<String, Vec<Value>>::new();
        for kind in [CONFIG_MAP, DEPLOYMENT, POD, SEALED_SECRET, SECRET] {
            for object in cluster.list(kind, Some(namespace)) {
                if !object["metadata"]["deletionTimestamp"].is_string() {
                    objects.entry(name(kind, &object)).or_default().push(state(kind, &object));
                }
            }
        }
        Self { objects }
    }

    /// Returns what was created, changed or deleted since an older snapshot, in alphabetical order.
    pub fn changes_since<'a>(&'a self, older: &'a Self) -> Vec<&'a str> {
        let names = self.objects.keys().chain(older.objects.keys());
        let changed = names.filter(|name| self.objects.get(*name) != older.objects.get(*name));
        let mut changed: Vec<&str> = changed.map(String::as_str).collect();
        changed.sort_unstable();
        changed.dedup();
        changed
    }
}

fn name(kind: Kind, object: &Value) -> String {
    let name =
        if kind.1 == "Pod" { &object["metadata"]["labels"]["app"] } else { &object["metadata"]["name"] };
    format!("{}/{}", kind.1, name.as_str().unwrap_or_default())
}

/// Returns what stays equal while nothing changes. The status of a Deployment and the metadata of a Secret may change.
fn state(kind: Kind, object: &Value) -> Value {
    let metadata = &object["metadata"];
    match kind.1 {
        "Deployment" => json!([metadata["uid"], metadata["generation"]]),
        "Pod" => metadata["uid"].clone(),
        "Secret" => json!([metadata["uid"], object["type"], object["data"]]),
        _ => json!([
            metadata["uid"],
            metadata["generation"],
            metadata["resourceVersion"],
            object["spec"],
            object["data"]
        ]),
    }
}
