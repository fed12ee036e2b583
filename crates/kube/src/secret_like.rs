//! Recognition of Secrets and of objects meant to be Secrets, and the parts of them that messages may name.

use sealwave_core::document::{Node, NodeValue};
use sealwave_core::names::is_item_key;

/// The fields of a Secret; any other top-level field may be a misplaced value.
const FIELDS: &[&str] = &["apiVersion", "kind", "metadata", "data", "stringData", "type", "immutable"];

/// The fields of `metadata`.
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

/// Reports whether a tree is a Secret or a mistyped one: its values must not appear in messages.
pub fn is_secret_like(root: &Node) -> bool {
    let kind = root.get("kind").and_then(Node::as_str).unwrap_or_default();
    let known = matches!(kind, "ConfigMap" | "SealedSecret" | "ExternalSecret" | "SecretProviderClass");
    resembles_secret(kind)
        || root.get("stringData").is_some()
        || (root.get("data").is_some_and(|data| data.as_mapping().is_some()) && !known && !kind.is_empty())
}

/// The location of a Secret's data in a tree that is not a core Secret, which would print it in plaintext.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PlainData<'a> {
    /// In a field of the object.
    Field(&'static str),
    /// In a nested object, an item of the named field.
    Object(&'static str, &'a Node),
}

/// Finds the data of a Secret in an object that Kubernetes does not treat as one: in a misspelled kind, in another API
/// group, in a field that only Secrets have, in a list, in an `OpenShift` template.
///
/// Other fields of custom resources are not searched: their content is not known to be secret.
#[must_use]
pub fn plain_data(root: &Node) -> Option<PlainData<'_>> {
    if let Some(field) = own_data(root) {
        return Some(PlainData::Field(field));
    }
    let nested = ["items", "objects"].into_iter().flat_map(|field| {
        let objects = root.items_at(&[field]);
        objects.iter().map(move |object| (field, object))
    });
    nested
        .into_iter()
        .find(|(_, object)| plain_data(object).is_some() || is_plain_secret(object))
        .map(|(field, object)| PlainData::Object(field, object))
}

fn own_data(root: &Node) -> Option<&'static str> {
    let is_core = root.get("kind").and_then(Node::as_str) == Some("Secret")
        && root.get("apiVersion").and_then(Node::as_str).is_some_and(|version| !version.contains('/'));
    if is_core {
        return None;
    }
    let has_content = |field: &str| root.get(field).is_some_and(is_filled);
    let kind = root.get("kind").and_then(Node::as_str).unwrap_or_default();
    match () {
        () if has_content("stringData") => Some("stringData"),
        () if resembles_secret(kind) && has_content("data") => Some("data"),
        () => None,
    }
}

/// Reports whether a nested object is a Secret with values other than template parameters (`${NAME}`).
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

/// Reports whether a text is just `${NAME}` or `${{NAME}}`.
fn is_parameter(text: &str) -> bool {
    let name = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let name =
        name.map(|name| name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name));
    name.is_some_and(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}

fn is_filled(node: &Node) -> bool {
    match &node.value {
        NodeValue::Mapping(mapping) => !mapping.is_empty(),
        NodeValue::Null => false,
        _ => true,
    }
}

/// Reports whether a kind is `Secret`, or a typo or look-alike of it.
fn resembles_secret(kind: &str) -> bool {
    const MAX_LENGTH: usize = 32;
    if kind.len() > MAX_LENGTH {
        return false;
    }
    let letters: String =
        kind.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let max_distance = if letters.len() == kind.len() { 1 } else { 2 };
    strsim::osa_distance(&letters, "secret") <= max_distance
}

/// Reports whether the key of a Secret's field may be shown in a message.
#[must_use]
pub fn may_show_key(path: &[&str], key: &str, value: &Node) -> bool {
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
    fn data_of_a_secret_is_found_in_other_objects() {
        let field = |json| matches!(plain_data(&node(&json)), Some(PlainData::Field(_)));
        assert!(field(json!({"apiVersion": "v1", "kind": "secret", "data": {"a": "eA=="}})));
        assert!(field(json!({"apiVersion": "core/v1", "kind": "Secret", "stringData": {"a": "x"}})));
        assert!(field(json!({"apiVersion": "v1", "kind": "ConfigMap", "stringData": {"a": "x"}})));
        assert!(!field(json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"a": "x"}})));
        assert!(!field(json!({"apiVersion": "v1beta1", "kind": "Secret", "stringData": {"a": "x"}})));
        assert!(!field(json!({"apiVersion": "v1", "kind": "secret", "data": {}})));
        assert!(!field(json!({"apiVersion": "a.io/v1", "kind": "EnvironmentConfig", "data": {"a": "x"}})));
        let is_nested = |field: &str, secret| {
            let object = json!({"apiVersion": "a.io/v1", "kind": "Any", field: [{"kind": "X"}, secret]});
            matches!(plain_data(&node(&object)), Some(PlainData::Object(..)))
        };
        let secret = |text| json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"a": text}});
        assert!(
            is_nested("items", secret("x"))
                && is_nested("objects", secret("x"))
                && !is_nested("spec", secret("x"))
        );
        assert!(is_nested("objects", json!({"kind": "List", "items": [secret("x")]})));
        assert!(
            !is_nested("objects", secret("${PASSWORD}")) && !is_nested("objects", secret("${{PASSWORD}}"))
        );
        assert!(is_nested("objects", secret("${PASSWORD}x")) && is_nested("objects", secret("${a b}")));
    }
}
