//! Improves the messages of schema violations: adds the field's name, and hints for frequent mistakes.

use super::pointer::NodePath;
use crate::facts::checked_object::CheckedObject;
use crate::facts::later_stage::LaterStage;
use sealwave_core::document::{Mapping, Node, NodeValue};
use sealwave_core::yaml;
use sealwave_kube::is_secret_like;
use sealwave_kube::schema::{JsonType, ValueType, Violation, ViolationKind, ViolationMessage};

/// Returns the message of a violation; names the field instead of "value", as not every report shows the line.
///
/// For a Secret, the name is omitted, since a key may be a misplaced value.
pub(super) fn message(root: &Node, pointer: &str, kind: &ViolationKind<'_>) -> String {
    match kind.message() {
        ViolationMessage::OfValue(rest) if !pointer.is_empty() && !is_secret_like(root) => {
            format!("`{}` {rest}", path(pointer))
        }
        message => message.to_string(),
    }
}

/// Returns a pointer as a path: `spec.containers[].image`, without indices, so that it is stable when items move.
fn path(pointer: &str) -> String {
    let mut path = String::new();
    for step in pointer.split('/').skip(1) {
        if !path.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit()) {
            path.push_str("[]");
            continue;
        }
        if !path.is_empty() {
            path.push('.');
        }
        let step = step.replace("~1", "/").replace("~0", "~");
        path.extend(step.chars().map(|c| if c.is_control() || c == '`' { '?' } else { c }));
    }
    path
}

/// Returns hints for frequent mistakes.
pub(super) fn hint(object: &CheckedObject<'_>, violation: &Violation<'_>) -> Option<String> {
    let pointer = violation.pointer.as_str();
    if let ViolationKind::UnknownField { field, .. } = &violation.kind
        && let Some(hidden) = field.chars().find(|c| yaml::is_invisible(*c))
    {
        let code = u32::from(hidden);
        return Some(format!(
            "its name has the invisible character U+{code:04X}: replace it with a space, or remove it"
        ));
    }
    let hint = match &violation.kind {
        ViolationKind::UnknownField { field: "name", .. }
            if pointer.ends_with("/secret") && pointer.contains("/volumes/") =>
        {
            "a volume refers to a Secret by `secretName`"
        }
        ViolationKind::UnknownField { .. } if pointer == "/spec/selector" && object.group == "apps" => {
            "put the labels below `matchLabels`"
        }
        ViolationKind::WrongType { expected: ValueType::Object, found: JsonType::Integer }
            if is_port(object, pointer) =>
        {
            "write `port: {number: …}`"
        }
        ViolationKind::WrongType { expected: ValueType::Object, found: JsonType::String }
            if is_port(object, pointer) =>
        {
            "write `port: {name: …}`"
        }
        ViolationKind::WrongType { expected: ValueType::Object, found: JsonType::String }
            if is_key_without_space(object, pointer) =>
        {
            "write a space after the colon of each key"
        }
        ViolationKind::WrongType { found: JsonType::Object, .. } if is_single_brace(object, pointer) => {
            "a tag of a template has two braces, `{{name}}`, in a file whose name ends with `.hbs`"
        }
        ViolationKind::WrongType { found: JsonType::String, expected } => {
            let (node, _) = NodePath::from_pointer(object.manifest.root(), pointer).end();
            node.as_str().and_then(|text| hint_for_text(text, *expected))?
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Returns a hint for a string of the wrong type; `None` if removing the quotes is enough.
fn hint_for_text(text: &str, expected: ValueType) -> Option<&'static str> {
    if LaterStage::Variables.may_fill(text) {
        return Some("value is a variable; validate the output of the tool that replaces it");
    }
    match expected {
        ValueType::Integer if text.parse::<i64>().is_err() => Some("write a whole number in digits"),
        ValueType::Number if text.parse::<f64>().is_err() => Some("write a number in digits"),
        ValueType::Boolean if !matches!(text, "false" | "true") => Some("write `true` or `false`"),
        _ => None,
    }
}

/// Reports whether a text where a mapping belongs is a key whose colon has no space after it.
fn is_key_without_space(object: &CheckedObject<'_>, pointer: &str) -> bool {
    let (node, _) = NodePath::from_pointer(object.manifest.root(), pointer).end();
    let key = node
        .as_str()
        .and_then(|text| text.split_once(':'))
        .filter(|(_, value)| !value.starts_with(['/', ' ']));
    key.is_some_and(|(key, _)| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Reports whether a mapping is a name in braces: `{name}`, as some template languages write an expression.
fn is_single_brace(object: &CheckedObject<'_>, pointer: &str) -> bool {
    let (node, _) = NodePath::from_pointer(object.manifest.root(), pointer).end();
    let entries = node.as_mapping().map(Mapping::entries).unwrap_or_default();
    matches!(entries, [entry] if entry.value.value == NodeValue::Null)
}

fn is_port(object: &CheckedObject<'_>, pointer: &str) -> bool {
    object.is("networking.k8s.io", "Ingress") && pointer.ends_with("/service/port")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use sealwave_kube::schema::{CheckOptions, KubeVersion, Schemas};
    use sealwave_testkit::manifest;

    #[test]
    fn messages_name_the_field_except_in_secrets() {
        let kind = ViolationKind::WrongType { expected: ValueType::Integer, found: JsonType::String };
        let message_for = |name: &str, pointer: &str| {
            let object = manifest(&json!({"apiVersion": "v1", "kind": name, "metadata": {"name": "a"}}));
            message(object.root(), pointer, &kind)
        };
        assert_eq!(message_for("Pod", "/spec/replicas"), "`spec.replicas` is of type string, not integer");
        let named = message_for("Pod", "/spec/containers/0/ports/12/containerPort");
        assert!(named.starts_with("`spec.containers[].ports[].containerPort` is "), "{named}");
        assert!(message_for("Pod", "/metadata/labels/a~1b").starts_with("`metadata.labels.a/b` is "));
        assert!(message_for("Pod", "").starts_with("value is "));
        assert!(message_for("Secret", "/stringData/a").starts_with("value is "));
    }

    fn hints(api_version: &str, kind: &str, spec: &Value) -> Vec<String> {
        let object = manifest(&json!({
            "apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}, "spec": spec
        }));
        let object = CheckedObject::new(&object, &[]);
        let schemas = Schemas::new(KubeVersion::NEWEST);
        let version = api_version.rsplit('/').next().expect("a version");
        let schema = schemas.kind(object.group, version, kind).expect("a schema");
        let mut found = Vec::new();
        schemas.check_kind(schema, object.manifest.root(), CheckOptions { strict: true }, &mut |violation| {
            found.extend(hint(&object, &violation));
        });
        found
    }

    #[test]
    fn frequent_mistakes_have_hints() {
        let deployment = |replicas: Value, selector: Value, volume: Value| {
            hints(
                "apps/v1",
                "Deployment",
                &json!({
                    "replicas": replicas,
                    "selector": selector,
                    "template": {"spec": {"containers": [{"name": "a", "image": "a"}], "volumes": [volume]}},
                }),
            )
        };
        let labels = json!({"matchLabels": {"app": "a"}});
        let volume = json!({"name": "v", "emptyDir": {}});
        let hints_for = |replicas: &str| deployment(json!(replicas), labels.clone(), volume.clone());
        assert_eq!(
            hints_for("${REPLICAS}"),
            ["value is a variable; validate the output of the tool that replaces it"]
        );
        assert!(hints_for("3").is_empty());
        assert_eq!(hints_for("two"), ["write a whole number in digits"]);
        assert_eq!(hints_for("3.5"), ["write a whole number in digits"]);
        let selector = deployment(json!(1), json!({"app": "a"}), volume.clone());
        assert_eq!(selector, ["put the labels below `matchLabels`"]);
        let colon = deployment(json!(1), json!("matchLabels:x"), volume.clone());
        assert_eq!(colon, ["write a space after the colon of each key"]);
        let hidden = hints("v1", "Service", &json!({"\u{a0}type": "ClusterIP"}));
        assert_eq!(
            hidden,
            ["its name has the invisible character U+00A0: replace it with a space, or remove it"]
        );
        let secret = deployment(json!(1), labels.clone(), json!({"name": "v", "secret": {"name": "s"}}));
        assert_eq!(secret, ["a volume refers to a Secret by `secretName`"]);
        for (port, expected) in
            [(json!(80), "write `port: {number: …}`"), (json!("web"), "write `port: {name: …}`")]
        {
            let backend = json!({"service": {"name": "w", "port": port}});
            assert_eq!(
                hints("networking.k8s.io/v1", "Ingress", &json!({"defaultBackend": backend})),
                [expected]
            );
        }
    }
}
