//! Collects texts of an object that may refer to an environment: addresses, names in stores or clouds, namespaces,
//! modes.

use crate::facts::checked_object::CheckedObject;
use sealwave_core::document::{MappingEntry, Node};
use sealwave_kube::catalog::{ESO_GROUP, STORE_CSI_GROUP};
use sealwave_kube::is_secret_like;

/// The maximum depth of the search in an object.
const DEPTH: usize = 24;

/// The comparison of a text with environment names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MatchMode {
    /// By the certain addresses in it.
    Address,
    /// As the address of a secret store.
    Store,
    /// By the words of a name in a secret store or a cloud identity.
    Name,
    /// As the mode of a program, as a whole.
    Mode,
    /// As a namespace, as a whole.
    Namespace,
}

/// A text that may refer to an environment.
pub(super) struct EnvironmentHint<'a> {
    /// The field, key or variable.
    pub(super) key: &'a str,
    pub(super) node: &'a Node,
    pub(super) text: &'a str,
    pub(super) match_mode: MatchMode,
}

/// Annotations that assign a cloud identity to a service account.
const IDENTITIES: &[&str] = &["eks.amazonaws.com/role-arn", "iam.gke.io/gcp-service-account"];

/// Variables that set the environment of a program.
const MODES: &[&str] = &[
    "APP_ENV",
    "ASPNETCORE_ENVIRONMENT",
    "DEPLOY_ENV",
    "DOTNET_ENVIRONMENT",
    "ENVIRONMENT",
    "MICRONAUT_ENVIRONMENTS",
    "QUARKUS_PROFILE",
    "SPRING_PROFILES_ACTIVE",
    "spring.profiles.active",
];

/// Returns all such texts of an object, in document order.
pub(super) fn environment_hints<'a>(object: &CheckedObject<'a>) -> Vec<EnvironmentHint<'a>> {
    let mut found = Vec::new();
    let root = object.manifest.root();
    let mut add_field = |key: &'a str, node: Option<&'a Node>, how| add(&mut found, key, node, how);
    match (object.group, object.kind) {
        ("", "ConfigMap") => entries(root.get("data")).iter().for_each(|entry| {
            add_field(&entry.key, Some(&entry.value), mode_of_variable(&entry.key));
        }),
        ("", "Service") => add_field("externalName", root.at(&["spec", "externalName"]), MatchMode::Address),
        ("", "ServiceAccount") => {
            let annotations = root.at(&["metadata", "annotations"]);
            for name in IDENTITIES {
                add_field(name, annotations.and_then(|all| all.get(name)), MatchMode::Name);
            }
        }
        ("networking.k8s.io", "Ingress") => {
            for rule in items(root.at(&["spec", "rules"])) {
                add_field("host", rule.get("host"), MatchMode::Address);
            }
        }
        ("gateway.networking.k8s.io", _) => {
            for host in items(root.at(&["spec", "hostnames"])) {
                add_field("hostnames", Some(host), MatchMode::Address);
            }
        }
        (STORE_CSI_GROUP, "SecretProviderClass") => {
            let parameters = root.at(&["spec", "parameters"]);
            add_field("vaultAddress", parameters.and_then(|all| all.get("vaultAddress")), MatchMode::Store);
            for field in ["roleName", "keyvaultName"] {
                add_field(field, parameters.and_then(|all| all.get(field)), MatchMode::Name);
            }
        }
        (ESO_GROUP, "ClusterSecretStore" | "SecretStore") => {
            store_hints(root.at(&["spec", "provider"]), DEPTH, &mut found);
        }
        _ => {}
    }
    for container in object.containers() {
        container_hints(container, &mut found);
    }
    if !is_secret_like(object.manifest.root()) {
        for entry in entries(Some(root)).iter().filter(|entry| entry.key != "metadata") {
            namespace_hints(entry, DEPTH, &mut found);
        }
    }
    found
}

fn add<'a>(found: &mut Vec<EnvironmentHint<'a>>, key: &'a str, node: Option<&'a Node>, how: MatchMode) {
    if let Some(node) = node
        && let Some(text) = node.as_str().filter(|text| !text.is_empty())
    {
        found.push(EnvironmentHint { key, node, text, match_mode: how });
    }
}

/// Collects the variables and arguments of a container.
fn container_hints<'a>(container: &'a Node, found: &mut Vec<EnvironmentHint<'a>>) {
    for variable in items(container.get("env")) {
        let name = variable.get("name").and_then(Node::as_str).unwrap_or_default();
        add(found, name, variable.get("value"), mode_of_variable(name));
    }
    for field in ["command", "args"] {
        for argument in items(container.get(field)) {
            add(found, field, Some(argument), MatchMode::Address);
        }
    }
}

fn mode_of_variable(name: &str) -> MatchMode {
    if MODES.contains(&name) {
        MatchMode::Mode
    } else if name.to_ascii_lowercase().ends_with("namespace") {
        MatchMode::Namespace
    } else {
        MatchMode::Address
    }
}

/// Collects the server, paths and roles of a secret store.
fn store_hints<'a>(node: Option<&'a Node>, depth: usize, found: &mut Vec<EnvironmentHint<'a>>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    for entry in entries(node) {
        match entry.key.as_str() {
            "server" | "url" | "vaultUrl" | "endpoint" => {
                add(found, &entry.key, Some(&entry.value), MatchMode::Store);
            }
            "path" | "role" | "prefix" => add(found, &entry.key, Some(&entry.value), MatchMode::Name),
            _ => store_hints(Some(&entry.value), depth, found),
        }
    }
}

/// Collects fields that certainly hold namespaces.
fn namespace_hints<'a>(entry: &'a MappingEntry, depth: usize, found: &mut Vec<EnvironmentHint<'a>>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let is_namespace =
        matches!(entry.key.as_str(), "kubernetes.io/metadata.name" | "namespace" | "targetNamespace");
    if is_namespace {
        add(found, &entry.key, Some(&entry.value), MatchMode::Namespace);
    }
    let lists = entry.value.items().iter().flat_map(|item| entries(Some(item)));
    for inner in entries(Some(&entry.value)).iter().chain(lists) {
        namespace_hints(inner, depth, found);
    }
}

fn items(node: Option<&Node>) -> &[Node] {
    node.map_or(&[], Node::items)
}

fn entries(node: Option<&Node>) -> &[MappingEntry] {
    node.and_then(Node::as_mapping).map_or(&[], |mapping| mapping.entries())
}
