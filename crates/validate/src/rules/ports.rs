//! Numbers and names of ports, as Kubernetes' validation takes them.

use super::LaterStage;
use sealwave_core::document::{Node, Number, Value};

/// A fault of a port, and what to do about it.
pub(super) struct Fault {
    pub(super) message: &'static str,
    pub(super) hint: &'static str,
}

/// What is wrong with the number of a port.
pub(super) fn number(node: &Node) -> Option<Fault> {
    let Value::Number(number) = node.value else { return None };
    let fits = matches!(number, Number::Int(1..=65_535)) || matches!(number, Number::Float(_));
    (!fits).then_some(Fault {
        message: "port is not between 1 and 65535",
        hint: "write a number from 1 to 65535",
    })
}

/// What is wrong with the name of a port.
pub(super) fn name(text: &str, stage: LaterStage) -> Option<Fault> {
    const HINT: &str =
        "use at most 15 lower-case letters, digits and single `-` inside, with a letter among them";
    if is_service_name(text) || stage.may_fill(text) {
        return None;
    }
    let message = if text.len() > 15 {
        "name of a port has more than 15 characters"
    } else {
        "name of a port is not valid"
    };
    Some(Fault { message, hint: HINT })
}

/// What is wrong with a port that is a number or a name.
pub(super) fn number_or_name(node: &Node, stage: LaterStage) -> Option<Fault> {
    match node.as_str() {
        Some(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => Some(Fault {
            message: "number of a port is in quotes, which makes it a name",
            hint: "remove the quotes",
        }),
        Some(text) => name(text, stage),
        None => number(node),
    }
}

/// A service name by RFC 6335.
pub(super) fn is_service_name(text: &str) -> bool {
    (1..=15).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
}

#[cfg(test)]
mod tests {
    use super::is_service_name;

    #[test]
    fn names_are_those_of_rfc_6335() {
        for good in ["http", "a", "grpc-web", "8a", "http2", "abcdefghijklmno"] {
            assert!(is_service_name(good), "{good}");
        }
        for bad in ["", "80", "HTTP", "a_b", "-a", "a-", "a--b", "abcdefghijklmnop", "a.b"] {
            assert!(!is_service_name(bad), "{bad}");
        }
    }
}
