//! Stand-in for the Secrets Store CSI driver and its AWS provider.
//!
//! It mounts nothing. It reads a SecretProviderClass as the provider does, and creates the Secrets of `secretObjects` as the
//! driver does, with values that a test put into its store.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::{Map, Value, json};

use super::cluster::{Cluster, Kind};
use super::locked;

pub const PROVIDER_CLASS: Kind = Kind("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass");

/// The driver, and the store of its provider.
#[derive(Default)]
pub struct CsiDriver {
    store: Mutex<BTreeMap<String, String>>,
}

impl CsiDriver {
    /// Puts a secret into the store.
    pub fn put(&self, name: &str, value: &str) {
        locked(&self.store).insert(name.to_owned(), value.to_owned());
    }

    /// Creates the Secrets of a SecretProviderClass, as the driver does when the first pod mounts it.
    ///
    /// # Errors
    /// If the store or the class lacks something; the pod waits then.
    pub(super) fn mirror(&self, cluster: &Cluster, class: &Value, namespace: &str) -> Result<(), String> {
        let files = self.mounted_files(class)?;
        for object in items(&class["spec"]["secretObjects"]) {
            let data = items(&object["data"]).map(|item| {
                let file = text(&item["objectName"]);
                let content = files.get(file).ok_or_else(|| format!("the volume has no file {file}"))?;
                Ok((text(&item["key"]).to_owned(), json!(content)))
            });
            let data: Map<String, Value> = data.collect::<Result<_, String>>()?;
            cluster.apply(&json!({
                "apiVersion": "v1", "kind": "Secret", "type": object["type"], "stringData": data,
                "metadata": {"name": object["secretName"], "namespace": namespace, "labels": object["labels"]},
            }));
        }
        Ok(())
    }

    /// Returns the files of the volume: each object under its alias or name, and each of its `jmesPath` aliases.
    fn mounted_files(&self, class: &Value) -> Result<BTreeMap<String, String>, String> {
        let objects = super::yaml::documents(text(&class["spec"]["parameters"]["objects"])).remove(0);
        let mut files = BTreeMap::new();
        for object in items(&objects) {
            let name = text(&object["objectName"]);
            let value = locked(&self.store).get(name).cloned().ok_or_else(|| format!("no secret {name}"))?;
            for part in items(&object["jmesPath"]) {
                let fields: Value = serde_json::from_str(&value).map_err(|error| error.to_string())?;
                let field = text(&part["path"]);
                let found = fields[field].as_str().ok_or_else(|| format!("{name} has no field {field}"))?;
                files.insert(text(&part["objectAlias"]).to_owned(), found.to_owned());
            }
            files.insert(object["objectAlias"].as_str().unwrap_or(name).to_owned(), value);
        }
        Ok(files)
    }
}

/// Returns the definition of SecretProviderClass. No Go module holds the driver's own.
pub fn definition() -> Value {
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "secretproviderclasses.secrets-store.csi.x-k8s.io"},
        "spec": {
            "group": "secrets-store.csi.x-k8s.io", "scope": "Namespaced",
            "names": {"kind": PROVIDER_CLASS.1, "plural": "secretproviderclasses", "singular": "secretproviderclass"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
        },
    })
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
