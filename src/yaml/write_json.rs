//! JSON for `generate`: one document per line, in a form that survives both times Argo CD reads it.
//!
//! Argo CD reads the output as JSON and then reads each document again as YAML 1.1. So control characters and what
//! YAML takes for a line break are always escaped; `/` never is, and nothing becomes a pair of surrogates.

use std::fmt::Write as _;

use compact_str::format_compact;

use crate::model::{Node, Number, Value};

/// The output would be larger than it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputFull;

/// Writes a tree as one line of compact JSON, with the keys in their order.
///
/// Deterministic: equal trees give equal bytes.
pub fn write_json(node: &Node, out: &mut Vec<u8>) {
    // There is no limit that it could pass.
    let _ = write_json_within(node, out, usize::MAX);
}

/// Writes the same where it takes no more than `limit` bytes, and nothing at all where it takes more.
///
/// # Errors
/// It takes more; memory was used for little more than the limit.
pub fn write_json_within(node: &Node, out: &mut Vec<u8>, limit: usize) -> Result<(), OutputFull> {
    let mut text = String::new();
    value(node, &mut text, limit)?;
    text.push('\n');
    if text.len() > limit {
        return Err(OutputFull);
    }
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

fn value(node: &Node, out: &mut String, limit: usize) -> Result<(), OutputFull> {
    match &node.value {
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Mapping(mapping) => {
            out.push('{');
            for (index, entry) in mapping.entries().iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                string(&entry.key, out, limit)?;
                out.push(':');
                value(&entry.value, out, limit)?;
            }
            out.push('}');
        }
        Value::Null => out.push_str("null"),
        Value::Number(found) => number(*found, out),
        Value::Sequence(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                value(item, out, limit)?;
            }
            out.push(']');
        }
        Value::String(text) => string(text, out, limit)?,
    }
    if out.len() > limit { Err(OutputFull) } else { Ok(()) }
}

/// Writes a number as Go's JSON does: floats in their shortest digits, with an exponent only outside 1e-6 … 1e21.
pub(super) fn number(number: Number, out: &mut String) {
    match number {
        Number::Int(int) => _ = write!(out, "{int}"),
        Number::Uint(uint) => _ = write!(out, "{uint}"),
        Number::Float(float) if !float.is_finite() => out.push_str("null"),
        Number::Float(float) if float == 0.0 || (1e-6..1e21).contains(&float.abs()) => {
            _ = write!(out, "{float}");
        }
        Number::Float(float) => {
            let text = format_compact!("{float:e}");
            match text.split_once('e') {
                Some((mantissa, exponent)) if !exponent.starts_with('-') => {
                    _ = write!(out, "{mantissa}e+{exponent}");
                }
                _ => out.push_str(&text),
            }
        }
    }
}

fn string(text: &str, out: &mut String, limit: usize) -> Result<(), OutputFull> {
    out.push('"');
    let mut rest = text;
    while let Some((at, found)) = rest.char_indices().find(|(_, c)| needs_escape(*c)) {
        if out.len().saturating_add(rest.len()) > limit {
            return Err(OutputFull);
        }
        out.push_str(rest.get(..at).unwrap_or(""));
        escape(found, out);
        rest = rest.get(at.saturating_add(found.len_utf8())..).unwrap_or("");
    }
    if out.len().saturating_add(rest.len()) > limit {
        return Err(OutputFull);
    }
    out.push_str(rest);
    out.push('"');
    Ok(())
}

/// What cannot stand for itself in a double-quoted string of YAML 1.1, read as JSON or as YAML.
pub(super) const fn needs_escape(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{1f}' | '"' | '\\' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    )
}

/// Writes an escape that JSON and YAML read alike.
pub(super) fn escape(c: char, out: &mut String) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        _ => _ = write!(out, "\\u{:04x}", u32::from(c)),
    }
}
