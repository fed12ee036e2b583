//! The references of a pod to other objects: every form that a pod spec supports.
//!
//! Read-only: nothing is looked up here, and malformed parts of a spec are skipped.

use sealwave_core::document::{Node, Origin};

/// The kinds of objects that a pod may refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReferencedKind {
    /// A `ConfigMap`.
    ConfigMap,
    /// A `PersistentVolumeClaim`.
    PersistentVolumeClaim,
    /// A `Secret`, regardless of the object that supplies it.
    Secret,
    /// A `SecretProviderClass` of the Secrets Store CSI driver.
    SecretProviderClass,
    /// A `ServiceAccount`.
    ServiceAccount,
}

impl ReferencedKind {
    /// Returns API group and kind.
    #[must_use]
    pub const fn group_and_kind(self) -> (&'static str, &'static str) {
        match self {
            Self::ConfigMap => ("", "ConfigMap"),
            Self::PersistentVolumeClaim => ("", "PersistentVolumeClaim"),
            Self::Secret => ("", "Secret"),
            Self::SecretProviderClass => ("secrets-store.csi.x-k8s.io", "SecretProviderClass"),
            Self::ServiceAccount => ("", "ServiceAccount"),
        }
    }
}

/// The items of an object that are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReferencedKeys<'a> {
    /// All items.
    All,
    /// Only items with these keys.
    Only(Vec<&'a str>),
}

/// A reference of a pod to an object in its namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodReference<'a> {
    /// Kind of the object.
    pub kind: ReferencedKind,
    /// Name of the object; never empty.
    pub name: &'a str,
    /// The items that are used.
    pub keys: ReferencedKeys<'a>,
    /// True if the pod starts without the object.
    pub optional: bool,
}

/// A reference with its use and its location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocatedReference<'a> {
    /// The reference.
    pub reference: PodReference<'a>,
    /// The use of the reference.
    pub usage: PodUsage,
    /// Origin of the name; for the default service account, of the spec.
    pub origin: Origin,
    /// Origins of the keys, in the order of [`ReferencedKeys::Only`].
    pub key_origins: Vec<Origin>,
}

/// The way in which a pod uses a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PodUsage {
    /// Service account of the pod.
    Account,
    /// One environment variable of a container.
    Env,
    /// Environment variables from all items.
    EnvFrom,
    /// Credential for pulling images.
    PullSecret,
    /// Volume of the pod.
    Volume,
}

/// Returns the references of a pod spec in their order.
#[must_use]
pub fn references(spec: &Node) -> Vec<PodReference<'_>> {
    located_references(spec).into_iter().map(|located| located.reference).collect()
}

/// Returns the references of a pod spec with their locations.
#[must_use]
pub fn located_references(spec: &Node) -> Vec<LocatedReference<'_>> {
    let mut found = ReferenceCollector::default();
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for container in items(spec, list) {
            found.add_container(container);
        }
    }
    for volume in items(spec, "volumes") {
        found.add_volume(volume);
    }
    for secret in items(spec, "imagePullSecrets") {
        // Without the credential, the kubelet still pulls.
        found.add(
            PodUsage::PullSecret,
            ReferencedKind::Secret,
            secret.get("name"),
            ReferencedKeys::All,
            true,
        );
    }
    found.add_account(spec);
    found.references
}

/// Returns the references of one container.
#[must_use]
pub fn container_references(container: &Node) -> Vec<PodReference<'_>> {
    let mut found = ReferenceCollector::default();
    found.add_container(container);
    found.into_references()
}

/// Returns the references of one container with their locations.
#[must_use]
pub fn located_container_references(container: &Node) -> Vec<LocatedReference<'_>> {
    let mut found = ReferenceCollector::default();
    found.add_container(container);
    found.references
}

/// Returns the references of one volume.
#[must_use]
pub fn volume_references(volume: &Node) -> Vec<PodReference<'_>> {
    let mut found = ReferenceCollector::default();
    found.add_volume(volume);
    found.into_references()
}

#[derive(Default)]
struct ReferenceCollector<'a> {
    references: Vec<LocatedReference<'a>>,
}

impl<'a> ReferenceCollector<'a> {
    fn add(
        &mut self,
        via: PodUsage,
        what: ReferencedKind,
        name: Option<&'a Node>,
        keys: ReferencedKeys<'a>,
        optional: bool,
    ) {
        self.add_keyed(via, what, name, (keys, Vec::new()), optional);
    }

    fn add_keyed(
        &mut self,
        via: PodUsage,
        what: ReferencedKind,
        name: Option<&'a Node>,
        (keys, keys_at): (ReferencedKeys<'a>, Vec<Origin>),
        optional: bool,
    ) {
        let text = name.and_then(Node::as_str).unwrap_or_default();
        if let Some(node) = name.filter(|_| !text.is_empty()) {
            let at = node.origin;
            let reference = PodReference { kind: what, name: text, keys, optional };
            self.references.push(LocatedReference {
                reference,
                usage: via,
                origin: at,
                key_origins: keys_at,
            });
        }
    }

    /// Adds the service account of a pod. Every namespace has a `default` account.
    fn add_account(&mut self, spec: &'a Node) {
        let name = ["serviceAccountName", "serviceAccount"]
            .iter()
            .filter_map(|field| spec.get(field))
            .find(|name| name.as_str().is_some_and(|name| !name.is_empty()));
        let (name, at) =
            name.and_then(|node| Some((node.as_str()?, node.origin))).unwrap_or(("default", spec.origin));
        let optional = name == "default";
        let reference =
            PodReference { kind: ReferencedKind::ServiceAccount, name, keys: ReferencedKeys::All, optional };
        self.references.push(LocatedReference {
            reference,
            usage: PodUsage::Account,
            origin: at,
            key_origins: Vec::new(),
        });
    }

    fn into_references(self) -> Vec<PodReference<'a>> {
        self.references.into_iter().map(|located| located.reference).collect()
    }

    fn add_container(&mut self, container: &'a Node) {
        for variable in items(container, "env") {
            for (field, what) in
                [("secretKeyRef", ReferencedKind::Secret), ("configMapKeyRef", ReferencedKind::ConfigMap)]
            {
                if let Some(reference) = variable.at(&["valueFrom", field]) {
                    let keys = listed_keys(reference.get("key"));
                    self.add_keyed(PodUsage::Env, what, reference.get("name"), keys, is_optional(reference));
                }
            }
        }
        for source in items(container, "envFrom") {
            for (field, what) in
                [("secretRef", ReferencedKind::Secret), ("configMapRef", ReferencedKind::ConfigMap)]
            {
                if let Some(reference) = source.get(field) {
                    self.add(
                        PodUsage::EnvFrom,
                        what,
                        reference.get("name"),
                        ReferencedKeys::All,
                        is_optional(reference),
                    );
                }
            }
        }
    }

    fn add_volume(&mut self, volume: &'a Node) {
        let sources = volume.entries();
        for entry in sources {
            let source = &entry.value;
            match entry.key.as_str() {
                "azureFile" => {
                    self.add(
                        PodUsage::Volume,
                        ReferencedKind::Secret,
                        source.get("secretName"),
                        ReferencedKeys::All,
                        false,
                    );
                }
                "configMap" => self.add_files(ReferencedKind::ConfigMap, "name", source),
                "csi" => self.add_csi(source),
                "persistentVolumeClaim" => {
                    let claim = source.get("claimName");
                    self.add(
                        PodUsage::Volume,
                        ReferencedKind::PersistentVolumeClaim,
                        claim,
                        ReferencedKeys::All,
                        false,
                    );
                }
                "projected" => self.add_projected(source),
                "secret" => self.add_files(ReferencedKind::Secret, "secretName", source),
                // cephfs, cinder, flexVolume, iscsi, rbd, scaleIO, storageos
                _ => {
                    let secret = source.at(&["secretRef", "name"]);
                    self.add(PodUsage::Volume, ReferencedKind::Secret, secret, ReferencedKeys::All, false);
                }
            }
        }
    }

    fn add_projected(&mut self, projected: &'a Node) {
        for source in items(projected, "sources") {
            if let Some(secret) = source.get("secret") {
                self.add_files(ReferencedKind::Secret, "name", secret);
            }
            if let Some(config_map) = source.get("configMap") {
                self.add_files(ReferencedKind::ConfigMap, "name", config_map);
            }
        }
    }

    /// Adds a volume source whose items become files; an empty `items` means all of them.
    fn add_files(&mut self, what: ReferencedKind, name: &str, source: &'a Node) {
        let keys = match items(source, "items") {
            [] => (ReferencedKeys::All, Vec::new()),
            listed => listed_keys(listed.iter().filter_map(|item| item.get("key"))),
        };
        self.add_keyed(PodUsage::Volume, what, source.get(name), keys, is_optional(source));
    }

    fn add_csi(&mut self, csi: &'a Node) {
        let attribute = |name: &str| csi.at(&["volumeAttributes", name]);
        if text(csi, "driver") == Some("secrets-store.csi.k8s.io") {
            let class = attribute("secretProviderClass");
            self.add(
                PodUsage::Volume,
                ReferencedKind::SecretProviderClass,
                class,
                ReferencedKeys::All,
                false,
            );
        } else {
            // For example file.csi.azure.com, inline.
            self.add(
                PodUsage::Volume,
                ReferencedKind::Secret,
                attribute("secretName"),
                ReferencedKeys::All,
                false,
            );
        }
        let publish = csi.at(&["nodePublishSecretRef", "name"]);
        self.add(PodUsage::Volume, ReferencedKind::Secret, publish, ReferencedKeys::All, false);
    }
}

/// Returns these keys and their origins.
fn listed_keys<'a>(keys: impl IntoIterator<Item = &'a Node>) -> (ReferencedKeys<'a>, Vec<Origin>) {
    let (keys, at) = keys.into_iter().filter_map(|key| Some((key.as_str()?, key.origin))).unzip();
    (ReferencedKeys::Only(keys), at)
}

fn items<'a>(node: &'a Node, field: &str) -> &'a [Node] {
    node.get(field).map_or(&[], Node::items)
}

fn text<'a>(node: &'a Node, field: &str) -> Option<&'a str> {
    node.get(field)?.as_str()
}

fn is_optional(reference: &Node) -> bool {
    matches!(
        reference.get("optional").map(|flag| &flag.value),
        Some(sealwave_core::document::NodeValue::Bool(true))
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use sealwave_testkit::node;

    /// Returns the references of a pod spec as `Kind/name[keys]?`, without the service account.
    fn found(spec: &Json) -> Vec<String> {
        let spec = node(spec);
        references(&spec)
            .iter()
            .filter(|reference| reference.kind != ReferencedKind::ServiceAccount)
            .map(|reference| {
                let keys = match &reference.keys {
                    ReferencedKeys::All => String::new(),
                    ReferencedKeys::Only(keys) => format!("[{}]", keys.join(",")),
                };
                let mark = if reference.optional { "?" } else { "" };
                format!("{:?}/{}{keys}{mark}", reference.kind, reference.name)
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
            let spec = node(&spec);
            let accounts: Vec<&str> = references(&spec).iter().map(|account| account.name).collect();
            assert_eq!(accounts, [expected]);
        }
    }

    #[test]
    fn malformed_parts_are_skipped() {
        let spec = json!({
            "containers": [1, null, {"env": "x"}, {"env": [{"valueFrom": {"secretKeyRef": []}}]}],
            "volumes": [{"secret": null}, "v", {"secret": {"secretName": ""}}, {"secret": {"secretName": 5}}],
        });
        assert_eq!(found(&spec), Vec::<String>::new());
    }
}
