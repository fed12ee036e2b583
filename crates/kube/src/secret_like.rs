//! Whether an object is, or is meant to be, a Secret; and what of it may be named.

use sealwave_core::document::{Node, Value};
use sealwave_core::names::is_item_key;

/// The fields that every Secret has; what else stands at its top may be a value that slipped out of its place.
const FIELDS: &[&str] = &["apiVersion", "kind", "metadata", "data", "stringData", "type", "immutable"];

/// The fields of its metadata.
const METADATA: &[&str] = &[
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Returns whether a tree is a Secret, or what is left of one after a slip: no value of it may get into a message.
pub fn is_secret_like(root: &Node) -> bool {
    let kind = root.get("kind").and_then(Node::as_str).unwrap_or_default();
    let known = matches!(kind, "ConfigMap" | "SealedSecret" | "ExternalSecret" | "SecretProviderClass");
    resembles_secret(kind)
        || root.get("stringData").is_some()
        || (root.get("data").is_some_and(|data| data.as_mapping().is_some()) && !known && !kind.is_empty())
}

/// Where a tree that is not a core Secret holds the data of one, so that it would be printed as it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PlainData<'a> {
    /// In its own field.
    Field(&'static str),
    /// In an object that it holds, an item of the field named.
    Object(&'static str, &'a Node),
}

/// Finds the data of a Secret in an object that Kubernetes does not take for one: in a kind that is misspelt, in another API
/// group, in a field that only Secrets have, in a list, in a template of `OpenShift`.
///
/// Other fields of custom resources are their author's: what they hold is not known to be a Secret.
pub fn plain_data(root: &Node) -> Option<PlainData<'_>> {
    if let Some(field) = own_data(root) {
        return Some(PlainData::Field(field));
    }
    let held = ["items", "objects"].into_iter().flat_map(|field| {
        let objects = root.get(field).map_or(&[][..], Node::items);
        objects.iter().map(move |object| (field, object))
    });
    held.into_iter()
        .find(|(_, object)| plain_data(object).is_some() || is_plain_secret(object))
        .map(|(field, object)| PlainData::Object(field, object))
}

fn own_data(root: &Node) -> Option<&'static str> {
    let is_core = root.get("kind").and_then(Node::as_str) == Some("Secret")
        && root.get("apiVersion").and_then(Node::as_str).is_some_and(|version| !version.contains('/'));
    if is_core {
        return None;
    }
    let holds = |field: &str| root.get(field).is_some_and(is_filled);
    let kind = root.get("kind").and_then(Node::as_str).unwrap_or_default();
    match () {
        () if holds("stringData") => Some("stringData"),
        () if resembles_secret(kind) && holds("data") => Some("data"),
        () => None,
    }
}

/// A Secret within another object, with values that are more than parameters of a template (`${NAME}`).
fn is_plain_secret(object: &Node) -> bool {
    let kind = object.get("kind").and_then(Node::as_str).unwrap_or_default();
    let is_literal = |value: &Node| !value.as_str().is_some_and(is_parameter);
    resembles_secret(kind)
        && ["data", "stringData"].iter().filter_map(|field| object.get(field)).any(|data| {
            data.as_mapping().map_or_else(
                || is_filled(data),
                |items| items.entries().iter().any(|entry| is_literal(&entry.value)),
            )
        })
}

/// `${NAME}` or `${{NAME}}`, and nothing else.
fn is_parameter(text: &str) -> bool {
    let name = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let name =
        name.map(|name| name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name));
    name.is_some_and(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}

fn is_filled(node: &Node) -> bool {
    match &node.value {
        Value::Mapping(mapping) => !mapping.is_empty(),
        Value::Null => false,
        _ => true,
    }
}

/// Returns whether a kind is `Secret`, or what a slip of the keyboard or a look-alike makes of it.
fn resembles_secret(kind: &str) -> bool {
    const LONGEST: usize = 32;
    if kind.len() > LONGEST {
        return false;
    }
    let letters: String =
        kind.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let slips = if letters.len() == kind.len() { 1 } else { 2 };
    strsim::osa_distance(&letters, "secret") <= slips
}

/// Whether the key of a Secret's field may be named in a message.
pub fn may_name(path: &[&str], key: &str, value: &Node) -> bool {
    match path {
        [] => FIELDS.contains(&key),
        ["data" | "stringData"] => is_item_key(key) && value.as_str().is_some(),
        ["metadata"] => METADATA.contains(&key),
        ["metadata", ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use sealwave_testkit::node;

    #[test]
    fn kinds_that_resemble_a_secret() {
        for kind in [
            "Secret",
            "secret",
            "SECRET",
            " Secret",
            "Secret\u{200b}",
            "\u{405}ecret",
            "Secert",
            "Secrets",
            "Scret",
        ] {
            assert!(resembles_secret(kind), "{kind}");
        }
        for kind in [
            "ConfigMap",
            "SealedSecret",
            "ExternalSecret",
            "SecretStore",
            "Select",
            "Service",
            "SopsSecret",
            "",
        ] {
            assert!(!resembles_secret(kind), "{kind}");
        }
    }

    #[test]
    fn data_of_a_secret_is_found_where_kubernetes_sees_none() {
        let field = |json| matches!(plain_data(&node(&json)), Some(PlainData::Field(_)));
        assert!(field(json!({"apiVersion": "v1", "kind": "secret", "data": {"a": "eA=="}})));
        assert!(field(json!({"apiVersion": "core/v1", "kind": "Secret", "stringData": {"a": "x"}})));
        assert!(field(json!({"apiVersion": "v1", "kind": "ConfigMap", "stringData": {"a": "x"}})));
        assert!(!field(json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"a": "x"}})));
        assert!(!field(json!({"apiVersion": "v1beta1", "kind": "Secret", "stringData": {"a": "x"}})));
        assert!(!field(json!({"apiVersion": "v1", "kind": "secret", "data": {}})));
        assert!(!field(json!({"apiVersion": "a.io/v1", "kind": "EnvironmentConfig", "data": {"a": "x"}})));
        let held = |field: &str, secret| {
            let object = json!({"apiVersion": "a.io/v1", "kind": "Any", field: [{"kind": "X"}, secret]});
            matches!(plain_data(&node(&object)), Some(PlainData::Object(..)))
        };
        let secret = |text| json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"a": text}});
        assert!(held("items", secret("x")) && held("objects", secret("x")) && !held("spec", secret("x")));
        assert!(held("objects", json!({"kind": "List", "items": [secret("x")]})));
        assert!(!held("objects", secret("${PASSWORD}")) && !held("objects", secret("${{PASSWORD}}")));
        assert!(held("objects", secret("${PASSWORD}x")) && held("objects", secret("${a b}")));
    }
}
