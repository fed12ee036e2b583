//! Checks of port numbers and names, as in Kubernetes' validation.

use crate::facts::later_stage::LaterStage;
use sealwave_core::document::{Node, NodeValue, Number};

/// Message and hint for an invalid port.
pub(crate) struct PortFault {
    pub(crate) message: &'static str,
    pub(crate) hint: &'static str,
}

/// Returns the fault of a port number, if it is not valid.
pub(crate) fn number_fault(node: &Node) -> Option<PortFault> {
    let NodeValue::Number(number) = node.value else { return None };
    let fits = matches!(number, Number::Int(1..=65_535)) || matches!(number, Number::Float(_));
    (!fits).then_some(PortFault {
        message: "port is not between 1 and 65535",
        hint: "write a number from 1 to 65535",
    })
}

/// Returns the fault of a port name, if it is not valid.
pub(crate) fn name_fault(text: &str, stage: LaterStage) -> Option<PortFault> {
    const HINT: &str =
        "use at most 15 lower-case letters, digits and single `-` inside, with a letter among them";
    if is_service_name(text) || stage.may_fill(text) {
        return None;
    }
    let message =
        if text.len() > 15 { "port name has more than 15 characters" } else { "port name is not valid" };
    Some(PortFault { message, hint: HINT })
}

/// Returns the fault of a port given by number or name, if it is not valid.
pub(crate) fn port_fault(node: &Node, stage: LaterStage) -> Option<PortFault> {
    match node.as_str() {
        Some(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => Some(PortFault {
            message: "port number is in quotes, which makes it a name",
            hint: "remove the quotes",
        }),
        Some(text) => name_fault(text, stage),
        None => number_fault(node),
    }
}

/// Returns whether a string is a service name by RFC 6335.
pub(crate) fn is_service_name(text: &str) -> bool {
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
    fn port_names_follow_rfc_6335() {
        for good in ["http", "a", "grpc-web", "8a", "http2", "abcdefghijklmno"] {
            assert!(is_service_name(good), "{good}");
        }
        for bad in ["", "80", "HTTP", "a_b", "-a", "a-", "a--b", "abcdefghijklmnop", "a.b"] {
            assert!(!is_service_name(bad), "{bad}");
        }
    }
}
