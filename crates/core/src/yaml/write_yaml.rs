//! Writes YAML for people: block style, keys in their order, literal blocks for multi-line text.
//!
//! YAML 1.1 and 1.2 readers get the same tree: a string is unquoted only if no reader could misinterpret it. The layout
//! is that of kubectl: two spaces, and sequences indented like their key.

use super::scalar::{ResolvedScalar, resolve_plain};
use super::write_json::{OutputFull, needs_escape, write_escape, write_number};
use crate::document::{Mapping, Node, NodeValue, WrittenScalars};

/// Maximum length of a key before a colon: YAML allows 1,024 characters, including escapes.
const MAX_SIMPLE_KEY: usize = 1000;

/// Writes several documents.
pub fn write_documents<'a>(nodes: impl IntoIterator<Item = &'a Node>, out: &mut Vec<u8>) {
    for node in nodes {
        write_yaml(node, out);
    }
}

/// Writes a tree as one document that starts with `---`.
///
/// Deterministic: equal trees produce equal bytes.
pub fn write_yaml(node: &Node, out: &mut Vec<u8>) {
    // Without a limit, this cannot fail.
    let _ = write_yaml_within(node, out, usize::MAX);
}

/// Like [`write_yaml`], but writes nothing if the output exceeds `limit` bytes.
///
/// # Errors
/// The output exceeds the limit; memory use stays close to the limit.
pub fn write_yaml_within(node: &Node, out: &mut Vec<u8>, limit: usize) -> Result<(), OutputFull> {
    write_yaml_as_written(node, &WrittenScalars::default(), out, limit)
}

/// Like [`write_yaml_within`], but writes each scalar whose text is known as that text. Reading the output gives the
/// same tree, since the value was read from this text.
///
/// # Errors
/// See [`write_yaml_within`].
pub fn write_yaml_as_written(
    node: &Node,
    written: &WrittenScalars,
    out: &mut Vec<u8>,
    limit: usize,
) -> Result<(), OutputFull> {
    let mut writer = YamlWriter { out: String::from("---\n"), limit, written };
    match &node.value {
        NodeValue::Mapping(mapping) if !mapping.is_empty() => writer.mapping(mapping, 0),
        NodeValue::Sequence(items) if !items.is_empty() => writer.sequence(items, 0),
        _ => {
            writer.scalar(node, 2);
            writer.out.push('\n');
        }
    }
    if writer.is_full() {
        return Err(OutputFull);
    }
    out.extend_from_slice(writer.out.as_bytes());
    Ok(())
}

/// Returns a string as a scalar or key on one line, in quotes unless no reader requires them.
#[must_use]
pub fn yaml_string(text: &str) -> String {
    let mut writer =
        YamlWriter { out: String::new(), limit: usize::MAX, written: &WrittenScalars::default() };
    writer.string(text);
    writer.out
}

/// A YAML output. After it exceeds the limit, nothing more is written and the output is discarded.
struct YamlWriter<'w> {
    out: String,
    limit: usize,
    written: &'w WrittenScalars,
}

impl YamlWriter<'_> {
    fn is_full(&self) -> bool {
        self.out.len() > self.limit
    }

    fn indent(&mut self, spaces: usize) {
        self.out.extend(std::iter::repeat_n(' ', spaces));
    }

    /// Writes a mapping whose first key is at the current position.
    fn mapping(&mut self, mapping: &Mapping, indent: usize) {
        for (index, entry) in mapping.entries().iter().enumerate() {
            if self.is_full() {
                return;
            }
            if index > 0 {
                self.indent(indent);
            }
            self.key(&entry.key, indent);
            self.value(&entry.value, indent);
        }
    }

    fn key(&mut self, key: &str, indent: usize) {
        let start = self.out.len();
        self.string(key);
        if self.out.len().saturating_sub(start) > MAX_SIMPLE_KEY {
            self.out.insert_str(start, "? ");
            self.out.push('\n');
            self.indent(indent);
        }
        self.out.push(':');
    }

    /// Writes the text after the colon of a key at `indent`.
    fn value(&mut self, node: &Node, indent: usize) {
        match &node.value {
            NodeValue::Mapping(mapping) if !mapping.is_empty() => {
                self.out.push('\n');
                self.indent(indent + 2);
                self.mapping(mapping, indent + 2);
            }
            NodeValue::Sequence(items) if !items.is_empty() => {
                self.out.push('\n');
                self.indent(indent);
                self.sequence(items, indent);
            }
            _ => {
                self.out.push(' ');
                self.scalar(node, indent + 2);
                self.out.push('\n');
            }
        }
    }

    /// Writes a sequence whose first dash is at the current position.
    fn sequence(&mut self, items: &[Node], indent: usize) {
        for (index, item) in items.iter().enumerate() {
            if self.is_full() {
                return;
            }
            if index > 0 {
                self.indent(indent);
            }
            self.out.push_str("- ");
            match &item.value {
                NodeValue::Mapping(mapping) if !mapping.is_empty() => self.mapping(mapping, indent + 2),
                NodeValue::Sequence(items) if !items.is_empty() => self.sequence(items, indent + 2),
                _ => {
                    self.scalar(item, indent + 2);
                    self.out.push('\n');
                }
            }
        }
    }

    /// Writes a scalar or empty collection; lines of a block scalar are indented by `indent`.
    fn scalar(&mut self, node: &Node, indent: usize) {
        if let Some(text) = self.written.text(node) {
            return self.out.push_str(text);
        }
        match &node.value {
            NodeValue::Bool(flag) => self.out.push_str(if *flag { "true" } else { "false" }),
            NodeValue::Mapping(_) => self.out.push_str("{}"),
            NodeValue::Null => self.out.push_str("null"),
            NodeValue::Number(found) => write_number(*found, &mut self.out),
            NodeValue::Sequence(_) => self.out.push_str("[]"),
            NodeValue::String(text) if fits_literal(text) => self.literal(text, indent),
            NodeValue::String(text) => self.string(text),
        }
    }

    fn literal(&mut self, text: &str, indent: usize) {
        let body = text.strip_suffix('\n');
        self.out.push_str(match body {
            None => "|-",
            Some(body) if body.ends_with('\n') => "|+",
            Some(_) => "|",
        });
        for line in body.unwrap_or(text).split('\n') {
            if self.is_full() {
                return;
            }
            self.out.push('\n');
            if !line.is_empty() {
                self.indent(indent);
                self.out.push_str(line);
            }
        }
    }

    fn string(&mut self, text: &str) {
        if is_plain(text) {
            self.out.push_str(text);
            return;
        }
        self.out.push('"');
        for c in text.chars() {
            if needs_escape(c) || is_invisible(c) { write_escape(c, &mut self.out) } else { self.out.push(c) }
        }
        self.out.push('"');
    }
}

/// Reports whether a literal block preserves a text: several lines, none only blank, the first not indented.
fn fits_literal(text: &str) -> bool {
    text.contains('\n')
        && text.trim_start_matches('\n').chars().next().is_some_and(|first| !matches!(first, ' ' | '\t'))
        && text
            .chars()
            .all(|c| matches!(c, '\n' | '\t' | '"' | '\\') || !(needs_escape(c) || is_invisible(c)))
        && text.split('\n').all(|line| line.is_empty() || !line.trim().is_empty())
}

/// Reports whether a character is invisible or looks like another one, and is escaped for readability.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

/// Reports whether no reader requires quotes for a string.
fn is_plain(text: &str) -> bool {
    resolve_plain(text) == ResolvedScalar::Text
        && starts_plain(text)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.chars().any(|c| needs_escape(c) && !matches!(c, '"' | '\\') || is_invisible(c))
        && !is_word(text)
        && !is_numeric(text)
}

fn starts_plain(text: &str) -> bool {
    let mut chars = text.chars();
    match chars.next() {
        Some('-') => match chars.next() {
            Some('-') => chars.next().is_some_and(char::is_alphanumeric),
            Some(second) => second.is_alphabetic(),
            None => false,
        },
        Some('.') => chars.next().is_some_and(char::is_alphabetic),
        Some(first) => first.is_alphanumeric() || matches!(first, '/' | '_' | '$' | '('),
        None => false,
    }
}

/// Reports whether some reader reads a word as a boolean or null, in any case.
fn is_word(text: &str) -> bool {
    const WORDS: [&str; 9] = ["false", "n", "no", "null", "off", "on", "true", "y", "yes"];
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Reports whether some reader reads a text as a number, time or date.
fn is_numeric(text: &str) -> bool {
    let looks_numeric = |text: &str| {
        text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'_' | b'.' | b':' | b'+' | b'-' | b'e' | b'E'))
    };
    let bytes = text.as_bytes();
    let prefixed = matches!(bytes, [b'0', b'x' | b'X' | b'o' | b'O' | b'b' | b'B', ..]);
    let dated = bytes.get(4) == Some(&b'-')
        && [0, 1, 2, 3, 5].iter().all(|at| bytes.get(*at).is_some_and(u8::is_ascii_digit));
    bytes.first().is_some_and(u8::is_ascii_digit) && (prefixed || dated || looks_numeric(text))
        || matches!(text.to_ascii_lowercase().as_str(), ".inf" | "-.inf" | "+.inf" | ".nan")
}
