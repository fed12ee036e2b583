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

use super::budget::{Budget, Fault, Stop};
use super::eval::Outcome;
use super::value::Value;

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
pub(super) fn global(name: &str, arguments: &[Value], budget: &mut Budget) -> Outcome {
    match (name, arguments) {
        ("size", [value]) => size(value, budget),
        ("matches", [text, pattern]) => strings::matches(text, pattern, budget),
        ("quantity" | "isQuantity", [text]) => quantities::parse(name, text),
        ("ip" | "isIP" | "cidr" | "isCIDR", [text]) => net::parse(name, text),
        (_, [value]) => convert::convert(name, value),
        _ => Err(Stop::Unknown),
    }
}

/// Calls a function of a namespace.
pub(super) fn qualified(namespace: &str, name: &str, arguments: &[Value], budget: &mut Budget) -> Outcome {
    match (namespace, name, arguments) {
        ("optional", "none", []) => Ok(Value::Optional(None)),
        ("optional", "of", [value]) => Ok(Value::Optional(Some(Arc::new(value.clone().visible()?)))),
        ("sets", _, [left, right]) => lists::sets(name, left, right, budget),
        ("format", _, []) => formats::named(name),
        ("ip", "isCanonical", [text]) => net::is_canonical(text),
        _ => Err(Stop::Unknown),
    }
}

/// Calls a function with a receiver, which is the first argument.
pub fn member(name: &str, arguments: &[Value], budget: &mut Budget) -> Outcome {
    let [receiver, rest @ ..] = arguments else { return Err(Stop::Unknown) };
    match receiver {
        Value::Text(text) => strings::member(name, text, rest, budget),
        Value::List(list) => lists::member(name, list, rest, budget),
        Value::Map(_) | Value::Bytes(_) if name == "size" && rest.is_empty() => size(receiver, budget),
        Value::Duration(span) => time::member(name, *span, rest),
        Value::Format(format) => formats::member(name, format, rest, budget),
        Value::Ip(_) | Value::Cidr(..) => net::member(name, receiver, rest),
        Value::Optional(value) => optional(name, value.as_deref(), rest),
        Value::Quantity(quantity) => quantities::member(name, *quantity, rest),
        _ => Err(Stop::Unknown),
    }
}

fn size(value: &Value, budget: &mut Budget) -> Outcome {
    let size = match value {
        Value::Text(text) => {
            budget.spend_bytes(text.len())?;
            text.chars().count()
        }
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.items.len(),
        Value::Map(map) if map.kind == super::value::MapKind::Data => map.entries.len(),
        _ => return Err(Stop::Unknown),
    };
    integer(size)
}

fn optional(name: &str, value: Option<&Value>, rest: &[Value]) -> Outcome {
    match (name, value, rest) {
        ("hasValue", value, []) => Ok(Value::Bool(value.is_some())),
        ("value" | "orValue", Some(value), _) => Ok(value.clone()),
        ("value", None, []) => Err(Stop::Fault(Fault::NoSuchKey)),
        ("or", Some(value), [Value::Optional(_)]) => Ok(Value::Optional(Some(Arc::new(value.clone())))),
        ("orValue", None, [other]) | ("or", None, [other @ Value::Optional(_)]) => Ok(other.clone()),
        _ => Err(Stop::Unknown),
    }
}

/// Converts a size or position to a value.
fn integer(number: usize) -> Outcome {
    i64::try_from(number).map(Value::Int).map_err(|_| Stop::Unknown)
}
