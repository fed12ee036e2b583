//! What a violation says where more is known than its schema: the field's name, and what was probably meant.

use super::schemas::node_at;
use crate::lints::{Object, is_unfinished};
use crate::model::Node;
use crate::schema::{Violation, ViolationKind};

/// The message of a violation; one that speaks of "value" names the field, as not every report shows the line.
pub(super) fn message(pointer: &str, kind: &ViolationKind<'_>) -> String {
    let message = kind.to_string();
    match message.strip_prefix("value ") {
        Some(rest) if !pointer.is_empty() => format!("`{}` {rest}", path(pointer)),
        _ => message,
    }
}

/// A pointer as people write it: `spec.containers[].image`, without numbers, so that it stays when items move.
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

/// What to do about some frequent slips.
pub(super) fn hint(object: &Object<'_>, violation: &Violation<'_>) -> Option<String> {
    let pointer = violation.pointer.as_str();
    let hint = match &violation.kind {
        ViolationKind::UnknownField { field: "name", .. }
            if pointer.ends_with("/secret") && pointer.contains("/volumes/") =>
        {
            "a Secret in a volume is named by `secretName`"
        }
        ViolationKind::UnknownField { .. } if pointer == "/spec/selector" && object.group == "apps" => {
            "put the labels below `matchLabels`"
        }
        ViolationKind::WrongType { expected: "object", found: "integer" } if is_port(object, pointer) => {
            "write `port: {number: …}`"
        }
        ViolationKind::WrongType { expected: "object", found: "string" } if is_port(object, pointer) => {
            "write `port: {name: …}`"
        }
        ViolationKind::WrongType { found: "string", .. } => {
            let node = node_at(object.manifest.root(), pointer).map(|(node, _)| node);
            let is_later = node.and_then(Node::as_str).is_some_and(is_unfinished);
            return is_later.then(|| "something else fills this in: validate what it makes of it".to_owned());
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

fn is_port(object: &Object<'_>, pointer: &str) -> bool {
    object.is("networking.k8s.io", "Ingress") && pointer.ends_with("/service/port")
}
