//! Writes `JMESPath` expressions in the subset that the provider's implementation (go-jmespath 0.4) supports.
//!
//! Joined values must be strings: the provider rejects numbers, so that a pod does not start instead of getting an
//! unchecked text. A missing key has the same effect.

use std::fmt::Write as _;

use sealwave_secrets::placeholder::JsonStep;
use sealwave_secrets::values::KeyPath;

/// A piece of a text to join.
pub(super) enum JoinPiece<'a> {
    /// Literal text.
    Literal(&'a str),
    /// An expression for a value.
    Expression(String),
}

/// Returns the expression that joins all pieces.
pub(super) fn join(pieces: &[JoinPiece<'_>]) -> String {
    let pieces: Vec<String> = pieces
        .iter()
        .map(|piece| match piece {
            JoinPiece::Literal(text) => literal(text),
            JoinPiece::Expression(expression) => expression.clone(),
        })
        .collect();
    format!("join('', [{}])", pieces.join(", "))
}

/// Returns the expression for a key: an unquoted text is first one key and then a path.
pub(super) fn key(key: &KeyPath) -> String {
    match key.exact() {
        Some(text) if key.names().len() < 2 => identifier(text),
        // Not `||`, which would also skip an empty text.
        Some(text) => format!("not_null({}, {})", identifier(text), names(key)),
        None => names(key),
    }
}

/// Returns the expression for the names of a path; a number may be an index or a key.
fn names(key: &KeyPath) -> String {
    let mut out = String::new();
    for (name, is_index) in key.names() {
        if out.is_empty() {
            out = identifier(name);
        } else if is_index {
            out = format!("({out} | not_null([{name}], {}))", identifier(name));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, ".{}", identifier(name));
        }
    }
    out
}

/// Returns the expression for a JSON path.
pub(super) fn path(steps: &[JsonStep]) -> String {
    let mut out = String::new();
    for step in steps {
        match step {
            JsonStep::Field(name) => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(&identifier(name));
            }
            // Writing to a string cannot fail.
            JsonStep::Index(index) => _ = write!(out, "[{index}]"),
        }
    }
    out
}

/// Formats a name, quoted if necessary.
fn identifier(name: &str) -> String {
    let has_valid_start = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if has_valid_start && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        name.to_owned()
    } else {
        json_string(name)
    }
}

/// Formats literal text: in single quotes, unless it contains characters that implementations treat differently there.
fn literal(text: &str) -> String {
    if text.chars().any(|c| c == '\\' || c.is_control()) {
        format!("`{}`", json_string(text).replace('`', "\\u0060"))
    } else {
        format!("'{}'", text.replace('\'', "\\'"))
    }
}

fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
