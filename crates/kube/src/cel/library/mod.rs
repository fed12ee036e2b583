//! Functions of CEL and of Kubernetes' libraries. Unimplemented functions and combinations of types have an unknown
//! result; it is never guessed.

mod convert;
mod formats;
mod lists;
mod net;
mod quantities;
mod strings;
mod time;

pub(super) use time::{parse_duration, parse_timestamp};

use std::sync::Arc;

use super::budget::{CelBudget, EvalError, EvalStop};
use super::value::{CelValue, EvalResult};

/// Namespaces of functions, such as `sets` in `sets.contains`.
pub(super) const NAMESPACES: [&str; 16] = [
    "Object",
    "authorizer",
    "base64",
    "cel",
    "format",
    "google",
    "ip",
    "jsonpatch",
    "kubernetes",
    "lists",
    "math",
    "net",
    "optional",
    "regex",
    "sets",
    "strings",
];

/// Calls a function without a receiver.
pub(super) fn global(name: &str, arguments: &[CelValue], budget: &mut CelBudget) -> EvalResult {
    match (name, arguments) {
        ("size", [value]) => size(value, budget),
        ("matches", [text, pattern]) => strings::matches(text, pattern, budget),
        ("quantity" | "isQuantity", [text]) => quantities::parse(name, text),
        ("ip" | "isIP" | "cidr" | "isCIDR", [text]) => net::parse(name, text),
        (_, [value]) => convert::convert(name, value),
        _ => Err(EvalStop::Unknown),
    }
}

/// Calls a function of a namespace.
pub(super) fn qualified(
    namespace: &str,
    name: &str,
    arguments: &[CelValue],
    budget: &mut CelBudget,
) -> EvalResult {
    match (namespace, name, arguments) {
        ("optional", "none", []) => Ok(CelValue::Optional(None)),
        ("optional", "of", [value]) => Ok(CelValue::Optional(Some(Arc::new(value.clone().visible()?)))),
        ("sets", _, [left, right]) => lists::sets(name, left, right, budget),
        ("format", _, []) => formats::format_by_name(name),
        ("ip", "isCanonical", [text]) => net::is_canonical(text),
        _ => Err(EvalStop::Unknown),
    }
}

/// Calls a function with a receiver, which is the first argument.
pub(crate) fn member(name: &str, arguments: &[CelValue], budget: &mut CelBudget) -> EvalResult {
    let [receiver, rest @ ..] = arguments else { return Err(EvalStop::Unknown) };
    match receiver {
        CelValue::Text(text) => strings::member(name, text, rest, budget),
        CelValue::List(list) => lists::member(name, list, rest, budget),
        CelValue::Map(_) | CelValue::Bytes(_) if name == "size" && rest.is_empty() => size(receiver, budget),
        CelValue::Duration(span) => time::member(name, *span, rest),
        CelValue::Format(format) => formats::member(name, format, rest, budget),
        CelValue::Ip(_) | CelValue::Cidr(..) => net::member(name, receiver, rest),
        CelValue::Optional(value) => optional(name, value.as_deref(), rest),
        CelValue::Quantity(quantity) => quantities::member(name, *quantity, rest),
        _ => Err(EvalStop::Unknown),
    }
}

fn size(value: &CelValue, budget: &mut CelBudget) -> EvalResult {
    let size = match value {
        CelValue::Text(text) => {
            budget.spend_bytes(text.len())?;
            text.chars().count()
        }
        CelValue::Bytes(bytes) => bytes.len(),
        CelValue::List(list) => list.items.len(),
        CelValue::Map(map) if map.kind == super::value::MapKind::Data => map.entries.len(),
        _ => return Err(EvalStop::Unknown),
    };
    integer(size)
}

fn optional(name: &str, value: Option<&CelValue>, rest: &[CelValue]) -> EvalResult {
    match (name, value, rest) {
        ("hasValue", value, []) => Ok(CelValue::Bool(value.is_some())),
        ("value" | "orValue", Some(value), _) => Ok(value.clone()),
        ("value", None, []) => Err(EvalStop::Fault(EvalError::NoSuchKey)),
        ("or", Some(value), [CelValue::Optional(_)]) => Ok(CelValue::Optional(Some(Arc::new(value.clone())))),
        ("orValue", None, [other]) | ("or", None, [other @ CelValue::Optional(_)]) => Ok(other.clone()),
        _ => Err(EvalStop::Unknown),
    }
}

/// Converts a size or position to a value.
fn integer(number: usize) -> EvalResult {
    i64::try_from(number).map(CelValue::Int).map_err(|_| EvalStop::Unknown)
}
