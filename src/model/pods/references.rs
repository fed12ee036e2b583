//! What a pod refers to: every way that a pod spec knows.
//!
//! Pure reading: nothing is looked up here, and a malformed part of a spec is passed over.

use crate::model::Node;

/// The kinds of objects that a reference may mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// A `ConfigMap`.
    ConfigMap,
    /// A `PersistentVolumeClaim`.
    PersistentVolumeClaim,
    /// A `Secret`, whatever object supplies it.
    Secret,
    /// A `SecretProviderClass` of the Secrets Store CSI driver.
    SecretProviderClass,
    /// A `ServiceAccount`.
    ServiceAccount,
}

/// Which items of an object are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Keys<'a> {
    /// Whatever there is.
    All,
    /// Only these.
    Only(Vec<&'a str>),
}

/// One reference of a pod, to an object in the pod's own namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference<'a> {
    /// What kind of object.
    pub(crate) what: What,
    /// Its name; never empty.
    pub(crate) name: &'a str,
    /// What of it is used.
    pub(crate) keys: Keys<'a>,
    /// Whether the pod starts without it.
    pub(crate) optional: bool,
}

/// The references of a pod spec, in the order in which they stand there.
pub(crate) fn references(spec: &Node) -> Vec<Reference<'_>> {
    let mut found = Found::default();
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for container in items(spec, list) {
            found.container(container);
        }
    }
    for volume in items(spec, "volumes") {
        found.volume(volume);
    }
    for secret in items(spec, "imagePullSecrets") {
        // The kubelet pulls without a credential that is missing.
        found.add(What::Secret, text(secret, "name"), Keys::All, true);
    }
    let account = service_account(spec);
    // Every namespace has its own `default` in any case.
    found.add(What::ServiceAccount, Some(account), Keys::All, account == "default");
    found.references
}

/// The references of one container.
pub(crate) fn container_references(container: &Node) -> Vec<Reference<'_>> {
    let mut found = Found::default();
    found.container(container);
    found.references
}

/// The references of one volume.
pub(crate) fn volume_references(volume: &Node) -> Vec<Reference<'_>> {
    let mut found = Found::default();
    found.volume(volume);
    found.references
}

/// The service account of a pod.
fn service_account(spec: &Node) -> &str {
    ["serviceAccountName", "serviceAccount"]
        .iter()
        .filter_map(|field| text(spec, field))
        .find(|name| !name.is_empty())
        .unwrap_or("default")
}

#[derive(Default)]
struct Found<'a> {
    references: Vec<Reference<'a>>,
}

impl<'a> Found<'a> {
    fn add(&mut self, what: What, name: Option<&'a str>, keys: Keys<'a>, optional: bool) {
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            self.references.push(Reference { what, name, keys, optional });
        }
    }

    fn container(&mut self, container: &'a Node) {
        for variable in items(container, "env") {
            for (field, what) in [("secretKeyRef", What::Secret), ("configMapKeyRef", What::ConfigMap)] {
                if let Some(reference) = variable.at(&["valueFrom", field]) {
                    let keys = Keys::Only(text(reference, "key").into_iter().collect());
                    self.add(what, text(reference, "name"), keys, optional(reference));
                }
            }
        }
        for source in items(container, "envFrom") {
            for (field, what) in [("secretRef", What::Secret), ("configMapRef", What::ConfigMap)] {
                if let Some(reference) = source.get(field) {
                    self.add(what, text(reference, "name"), Keys::All, optional(reference));
                }
            }
        }
    }

    fn volume(&mut self, volume: &'a Node) {
        let sources = volume.as_mapping().map_or(&[][..], |mapping| mapping.entries());
        for entry in sources {
            let source = &entry.value;
            match entry.key.as_str() {
                "azureFile" => self.add(What::Secret, text(source, "secretName"), Keys::All, false),
                "configMap" => self.files(What::ConfigMap, "name", source),
                "csi" => self.csi(source),
                "persistentVolumeClaim" => {
                    self.add(What::PersistentVolumeClaim, text(source, "claimName"), Keys::All, false);
                }
                "projected" => self.projected(source),
                "secret" => self.files(What::Secret, "secretName", source),
                // cephfs, cinder, flexVolume, iscsi, rbd, scaleIO, storageos
                _ => {
                    let secret = source.get("secretRef").and_then(|secret| text(secret, "name"));
                    self.add(What::Secret, secret, Keys::All, false);
                }
            }
        }
    }

    fn projected(&mut self, projected: &'a Node) {
        for source in items(projected, "sources") {
            if let Some(secret) = source.get("secret") {
                self.files(What::Secret, "name", secret);
            }
            if let Some(config_map) = source.get("configMap") {
                self.files(What::ConfigMap, "name", config_map);
            }
        }
    }

    /// A volume source whose items become files; an empty `items` means all of them.
    fn files(&mut self, what: What, name: &str, source: &'a Node) {
        let keys = match items(source, "items") {
            [] => Keys::All,
            listed => Keys::Only(listed.iter().filter_map(|item| text(item, "key")).collect()),
        };
        self.add(what, text(source, name), keys, optional(source));
    }

    fn csi(&mut self, csi: &'a Node) {
        let attribute = |name: &str| csi.at(&["volumeAttributes", name]).and_then(Node::as_str);
        if text(csi, "driver") == Some("secrets-store.csi.k8s.io") {
            self.add(What::SecretProviderClass, attribute("secretProviderClass"), Keys::All, false);
        } else {
            // For example file.csi.azure.com, inline.
            self.add(What::Secret, attribute("secretName"), Keys::All, false);
        }
        let publish = csi.get("nodePublishSecretRef").and_then(|secret| text(secret, "name"));
        self.add(What::Secret, publish, Keys::All, false);
    }
}

fn items<'a>(node: &'a Node, field: &str) -> &'a [Node] {
    node.get(field).map_or(&[], Node::items)
}

fn text<'a>(node: &'a Node, field: &str) -> Option<&'a str> {
    node.get(field)?.as_str()
}

fn optional(reference: &Node) -> bool {
    matches!(reference.get("optional").map(|flag| &flag.value), Some(crate::model::Value::Bool(true)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::model::testing::node;

    /// The references of a pod spec as `Kind/name[keys]?`, without the service account.
    fn found(spec: &Json) -> Vec<String> {
        let spec = node(spec);
        references(&spec)
            .iter()
            .filter(|reference| reference.what != What::ServiceAccount)
            .map(|reference| {
                let keys = match &reference.keys {
                    Keys::All => String::new(),
                    Keys::Only(keys) => format!("[{}]", keys.join(",")),
                };
                let mark = if reference.optional { "?" } else { "" };
                format!("{:?}/{}{keys}{mark}", reference.what, reference.name)
            })
            .collect()
    }

    #[test]
    fn environment_variables_in_all_three_container_lists() {
        for list in ["containers", "initContainers", "ephemeralContainers"] {
            let spec = json!({list: [{
                "env": [
                    {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                    {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k", "optional": true}}},
                    {"name": "C", "value": "plain"},
                ],
                "envFrom": [
                    {"secretRef": {"name": "s2"}},
                    {"prefix": "X_", "configMapRef": {"name": "c2", "optional": true}},
                ],
            }]});
            assert_eq!(
                found(&spec),
                ["Secret/s[k]", "ConfigMap/c[k]?", "Secret/s2", "ConfigMap/c2?"],
                "{list}"
            );
        }
    }

    #[test]
    fn every_kind_of_volume() {
        let cases = [
            (json!({"secret": {"secretName": "s"}}), vec!["Secret/s"]),
            (
                json!({"secret": {"secretName": "s", "optional": true, "items": [{"key": "a", "path": "x"}]}}),
                vec!["Secret/s[a]?"],
            ),
            (json!({"configMap": {"name": "c", "items": []}}), vec!["ConfigMap/c"]),
            (
                json!({"configMap": {"name": "c", "items": [{"key": "a"}, {"key": "b"}]}}),
                vec!["ConfigMap/c[a,b]"],
            ),
            (
                json!({"projected": {"sources": [
                    {"secret": {"name": "s", "items": [{"key": "a"}]}},
                    {"configMap": {"name": "c"}},
                    {"serviceAccountToken": {"path": "t"}},
                ]}}),
                vec!["Secret/s[a]", "ConfigMap/c"],
            ),
            (
                json!({"csi": {
                    "driver": "secrets-store.csi.k8s.io",
                    "volumeAttributes": {"secretProviderClass": "p"},
                    "nodePublishSecretRef": {"name": "s"},
                }}),
                vec!["SecretProviderClass/p", "Secret/s"],
            ),
            (
                json!({"csi": {"driver": "file.csi.azure.com", "volumeAttributes": {"secretName": "s"}}}),
                vec!["Secret/s"],
            ),
            (json!({"azureFile": {"secretName": "s"}}), vec!["Secret/s"]),
            (json!({"persistentVolumeClaim": {"claimName": "d"}}), vec!["PersistentVolumeClaim/d"]),
            (json!({"emptyDir": {}}), vec![]),
        ];
        for (volume, expected) in cases {
            assert_eq!(found(&json!({"volumes": [volume]})), expected, "{volume}");
        }
    }

    #[test]
    fn legacy_volumes_by_their_secret_ref() {
        for kind in ["cephfs", "cinder", "flexVolume", "iscsi", "rbd", "scaleIO", "storageos"] {
            let volume = json!({"name": "v", kind: {"secretRef": {"name": "s"}}});
            assert_eq!(found(&json!({"volumes": [volume]})), ["Secret/s"], "{kind}");
        }
    }

    #[test]
    fn pull_secrets_and_service_accounts() {
        assert_eq!(found(&json!({"imagePullSecrets": [{"name": "p"}, {}]})), ["Secret/p?"]);
        for (spec, expected) in [
            (json!({}), "default"),
            (json!({"serviceAccountName": "a", "serviceAccount": "b"}), "a"),
            (json!({"serviceAccount": "b"}), "b"),
        ] {
            assert_eq!(service_account(&node(&spec)), expected);
        }
    }

    #[test]
    fn malformed_parts_are_passed_over() {
        let spec = json!({
            "containers": [1, null, {"env": "x"}, {"env": [{"valueFrom": {"secretKeyRef": []}}]}],
            "volumes": [{"secret": null}, "v", {"secret": {"secretName": ""}}, {"secret": {"secretName": 5}}],
        });
        assert_eq!(found(&spec), Vec::<String>::new());
    }
}
