//! Kubernetes' named formats.

use super::super::budget::{Budget, Stop};
use super::super::eval::Outcome;
use super::super::value::Value;
use sealwave_core::names::dns;

/// The implemented formats.
const NAMES: [&str; 2] = ["dns1123Label", "dns1123Subdomain"];

/// Returns a named format, as `format.dns1123Label()`.
pub(super) fn named(name: &str) -> Outcome {
    NAMES.iter().find(|known| **known == name).map(|known| Value::Format(known)).ok_or(Stop::Unknown)
}

/// Implements `validate`, which returns no value if the text matches the format.
pub fn member(name: &str, format: &str, rest: &[Value], budget: &mut Budget) -> Outcome {
    let ("validate", [Value::Text(text)]) = (name, rest) else { return Err(Stop::Unknown) };
    budget.spend_bytes(text.len())?;
    let holds = match format {
        "dns1123Label" => dns::is_label(text),
        "dns1123Subdomain" => dns::is_subdomain(text),
        _ => return Err(Stop::Unknown),
    };
    // The value is a list of messages, which is not modeled.
    if holds {
        Ok(Value::Optional(None))
    } else {
        Ok(Value::Optional(Some(std::sync::Arc::new(Value::Opaque))))
    }
}
