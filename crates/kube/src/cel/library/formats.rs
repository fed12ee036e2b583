//! Kubernetes' named formats.

use super::super::budget::{CelBudget, EvalStop};
use super::super::value::{CelValue, EvalResult};
use sealwave_core::names::dns;

/// The implemented formats.
const NAMES: [&str; 2] = ["dns1123Label", "dns1123Subdomain"];

/// Returns a named format, as `format.dns1123Label()`.
pub(super) fn format_by_name(name: &str) -> EvalResult {
    NAMES.iter().find(|known| **known == name).map(|known| CelValue::Format(known)).ok_or(EvalStop::Unknown)
}

/// Implements `validate`, which returns no value if the text matches the format.
pub(crate) fn member(name: &str, format: &str, rest: &[CelValue], budget: &mut CelBudget) -> EvalResult {
    let ("validate", [CelValue::Text(text)]) = (name, rest) else { return Err(EvalStop::Unknown) };
    budget.spend_bytes(text.len())?;
    let holds = match format {
        "dns1123Label" => dns::is_label(text),
        "dns1123Subdomain" => dns::is_subdomain(text),
        _ => return Err(EvalStop::Unknown),
    };
    // The value is a list of messages, which is not modeled.
    if holds {
        Ok(CelValue::Optional(None))
    } else {
        Ok(CelValue::Optional(Some(std::sync::Arc::new(CelValue::Opaque))))
    }
}
