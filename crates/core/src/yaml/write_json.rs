//! Writes JSON for `generate`: one document per line, in a form that Argo CD reads correctly as JSON and as YAML.
//!
//! Argo CD reads the output as JSON, and then each document again as YAML 1.1. So control characters and YAML's line
//! breaks are always escaped, `/` is never escaped, and surrogate pairs are never written.

use std::fmt::Write as _;

use compact_str::format_compact;

use crate::document::{Node, NodeValue, Number};

/// The error of an output that exceeds its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputFull;

/// Writes a tree as one line of compact JSON, with keys in their order.
///
/// Deterministic: equal trees produce equal bytes.
pub fn write_json(node: &Node, out: &mut Vec<u8>) {
    // Without a limit, this cannot fail.
    let _ = write_json_within(node, out, usize::MAX);
}

/// Like [`write_json`], but writes nothing if the output exceeds `limit` bytes.
///
/// # Errors
/// The output exceeds the limit; memory use stays close to the limit.
pub fn write_json_within(node: &Node, out: &mut Vec<u8>, limit: usize) -> Result<(), OutputFull> {
    let start = out.len();
    let mut json = JsonWriter { out, end: start.saturating_add(limit) };
    let written = json.value(node).and_then(|()| json.push(b"\n"));
    if written.is_err() {
        out.truncate(start);
    }
    written
}

/// A JSON output with a limited size.
struct JsonWriter<'a> {
    out: &'a mut Vec<u8>,
    end: usize,
}

impl JsonWriter<'_> {
    fn push(&mut self, bytes: &[u8]) -> Result<(), OutputFull> {
        if self.out.len().saturating_add(bytes.len()) > self.end {
            return Err(OutputFull);
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn value(&mut self, node: &Node) -> Result<(), OutputFull> {
        match &node.value {
            NodeValue::Bool(flag) => self.push(if *flag { b"true" } else { b"false" }),
            NodeValue::Mapping(mapping) => {
                self.push(b"{")?;
                for (index, entry) in mapping.entries().iter().enumerate() {
                    self.push(if index > 0 { b"," } else { b"" })?;
                    self.string(&entry.key)?;
                    self.push(b":")?;
                    self.value(&entry.value)?;
                }
                self.push(b"}")
            }
            NodeValue::Null => self.push(b"null"),
            NodeValue::Number(found) => {
                let mut text = String::new();
                write_number(*found, &mut text);
                self.push(text.as_bytes())
            }
            NodeValue::Sequence(items) => {
                self.push(b"[")?;
                for (index, item) in items.iter().enumerate() {
                    self.push(if index > 0 { b"," } else { b"" })?;
                    self.value(item)?;
                }
                self.push(b"]")
            }
            NodeValue::String(text) => self.string(text),
        }
    }

    fn string(&mut self, text: &str) -> Result<(), OutputFull> {
        self.push(b"\"")?;
        let bytes = text.as_bytes();
        let (mut copied, mut at) = (0, 0);
        while let Some(step) = bytes[at..].iter().position(|byte| MAY_NEED_ESCAPE[usize::from(*byte)]) {
            at += step;
            let Some(found) = text[at..].chars().next() else { break };
            let next = at + found.len_utf8();
            if needs_escape(found) {
                self.push(&bytes[copied..at])?;
                self.escape(found)?;
                copied = next;
            }
            at = next;
        }
        self.push(&bytes[copied..])?;
        self.push(b"\"")
    }

    fn escape(&mut self, c: char) -> Result<(), OutputFull> {
        if let Some(short) = short_escape(c) {
            return self.push(short.as_bytes());
        }
        let mut text = String::new();
        write_escape(c, &mut text);
        self.push(text.as_bytes())
    }
}

/// Writes a number like Go's JSON: floats in their shortest digits, with an exponent only outside 1e-6 … 1e21.
pub(super) fn write_number(number: Number, out: &mut String) {
    match number {
        Number::Int(int) => _ = write!(out, "{int}"),
        Number::Uint(uint) => _ = write!(out, "{uint}"),
        Number::Float(float) => write_float(float.get(), out),
    }
}

fn write_float(float: f64, out: &mut String) {
    if float == 0.0 || (1e-6..1e21).contains(&float.abs()) {
        _ = write!(out, "{float}");
        return;
    }
    let text = format_compact!("{float:e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) if !exponent.starts_with('-') => {
            _ = write!(out, "{mantissa}e+{exponent}");
        }
        _ => out.push_str(&text),
    }
}

/// Reports whether a character must be escaped in a double-quoted string of JSON or YAML 1.1.
pub(super) const fn needs_escape(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{1f}' | '"' | '\\' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    )
}

/// The first bytes of characters that may need an escape; none of them occurs within a character.
const MAY_NEED_ESCAPE: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table[0x7f] = true;
    // U+0080 to U+009F; U+2028 and U+2029; U+FEFF, U+FFFE and U+FFFF.
    table[0xc2] = true;
    table[0xe2] = true;
    table[0xef] = true;
    table
};

/// Writes an escape that JSON and YAML read the same way.
pub(super) fn write_escape(c: char, out: &mut String) {
    match short_escape(c) {
        Some(short) => out.push_str(short),
        None => _ = write!(out, "\\u{:04x}", u32::from(c)),
    }
}

const fn short_escape(c: char) -> Option<&'static str> {
    match c {
        '"' => Some("\\\""),
        '\\' => Some("\\\\"),
        '\n' => Some("\\n"),
        '\r' => Some("\\r"),
        '\t' => Some("\\t"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_covers_each_character_that_needs_an_escape() {
        let mut buffer = [0; 4];
        let mut count = 0;
        for c in ('\0'..=char::MAX).filter(|c| needs_escape(*c)) {
            count += 1;
            let first = c.encode_utf8(&mut buffer).as_bytes()[0];
            assert!(MAY_NEED_ESCAPE[usize::from(first)], "{c:?}");
        }
        assert!(count > 60, "{count}");
        assert!(MAY_NEED_ESCAPE[0x80..0xc0].iter().all(|may| !may), "continuation bytes");
    }
}
