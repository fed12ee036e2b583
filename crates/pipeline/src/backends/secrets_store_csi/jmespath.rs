//! `JMESPath` expressions, in the part of the language that the provider's implementation (go-jmespath 0.4) knows.
//!
//! What is joined must be strings: the provider refuses a number, and so a pod does not start rather than getting a text
//! that nobody checked. A key that is missing does the same.

use std::fmt::Write as _;

use sealwave_secrets::placeholder::JsonStep;
use sealwave_secrets::values::KeyPath;

/// A piece of a text.
pub(super) enum Piece<'a> {
    /// Stands for itself.
    Literal(&'a str),
    /// Stands for its value.
    Expression(String),
}

/// The text of all pieces.
pub(super) fn join(pieces: &[Piece<'_>]) -> String {
    let pieces: Vec<String> = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Literal(text) => literal(text),
            Piece::Expression(expression) => expression.clone(),
        })
        .collect();
    format!("join('', [{}])", pieces.join(", "))
}

/// Returns the expression for a key: as everywhere, a text without quotes is one key first, and then a path.
pub(super) fn key(key: &KeyPath) -> String {
    match key.exact() {
        Some(text) if key.names().len() < 2 => identifier(text),
        // Not `||`, which passes over an empty text as well.
        Some(text) => format!("not_null({}, {})", identifier(text), names(key)),
        None => names(key),
    }
}

/// Returns the expression for the names of a path; one that is a number may be an index or a key.
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

/// The value at the end of a path.
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

/// A name, in quotes where it needs them.
fn identifier(name: &str) -> String {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        name.to_owned()
    } else {
        json_string(name)
    }
}

/// A text that stands for itself: in single quotes, unless it holds what implementations read differently there.
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
