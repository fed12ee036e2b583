//! The YAML that sealwave's own files may use: what the YAML crate and our reader, which is Kubernetes', both read, and
//! read alike.
//!
//! Fields of type text take a scalar as it is written: `1.10` and `no` are texts in them. So both parsers agree on plain
//! files, and only unusual files are read by both, to compare.

use sealwave_core::document::{Node, NodeValue, Number, Origin, WrittenScalars};

use super::trace::Trace;

/// The maximum size of a file that is read by the YAML crate only. It cannot have more nodes than our reader allows.
const PLAIN_BYTES: usize = 32 << 10;

/// The maximum number of opening brackets of such a file. The YAML crate's time grows with the square of the depth of
/// collections in brackets, and it only refuses deep ones at the end; our reader stops at once.
const PLAIN_BRACKETS: usize = 1 << 10;

/// Reports whether both parsers are known to agree on a text, apart from unclear keys and texts. A false alarm costs only time.
///
/// Plain texts have none of these: anchors, aliases, tags, merge keys, explicit keys, block scalars, directives, further
/// documents, escapes, tabs, and characters and colons that one of the parsers treats in its own way.
pub(super) fn is_plain(text: &str) -> bool {
    text.len() <= PLAIN_BYTES
        && text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).nth(PLAIN_BRACKETS).is_none()
        // Our reader reads JSON.
        && !text.trim_start().starts_with('{')
        && text.chars().all(is_plain_character)
        && !text.contains("<<")
        && text.split('\n').enumerate().all(|(index, line)| is_plain_line(line, index == 0))
}

fn is_plain_character(c: char) -> bool {
    match c {
        // In a flow collection, our reader treats `?` as the start of a key.
        '?' | '\\' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => false,
        '\n' | ' '..='~' => true,
        _ => c >= '\u{a0}',
    }
}

fn is_plain_line(line: &str, is_first: bool) -> bool {
    if line.starts_with('%')
        || line.starts_with("...")
        || line.starts_with("---") && !(is_first && line == "---")
    {
        return false;
    }
    let mut before = ' ';
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        let starts_token = matches!(before, ' ' | '[' | '{' | ',' | ':');
        if starts_token && matches!(c, '!' | '&' | '*' | '>' | '|') {
            return false;
        }
        let follows_quote = matches!(before, '"' | '\'');
        let is_odd_colon = match characters.peek() {
            None | Some(' ') => false,
            Some(next) => follows_quote || matches!(next, ',' | '[' | ']' | '{' | '}'),
        };
        if c == ':' && is_odd_colon {
            return false;
        }
        before = c;
    }
    true
}

/// Reports whether an unquoted key is this text for both parsers. Others, such as `no` or `0x10`, may be quoted.
pub(super) fn is_clear_key(key: &str) -> bool {
    const WORDS: [&str; 9] = ["false", "n", "no", "null", "off", "on", "true", "y", "yes"];
    key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && !WORDS.iter().any(|word| key.eq_ignore_ascii_case(word))
}

/// Reports whether our reader is known to agree on an unquoted scalar. It refuses infinite numbers and those out of range.
pub(super) fn is_clear_scalar(scalar: &Trace) -> bool {
    match scalar {
        Trace::Bool(_) | Trace::Null => true,
        Trace::Integer(value) => i64::try_from(*value).is_ok(),
        Trace::Text(text) => {
            let is_in_number = |c: char| c.is_ascii_digit() || "+-.:/".contains(c);
            !text.starts_with(is_in_number) || text.len() <= 15 && text.chars().all(is_in_number)
        }
        Trace::Float(_) | Trace::Mapping(_) | Trace::Sequence(_) | Trace::Unread => false,
    }
}

/// The first difference between what the YAML crate and our reader read.
#[derive(Debug, PartialEq)]
pub(super) enum Difference {
    /// A key is another text for our reader.
    Key { at: Origin, read_as: String },
    /// A value differs.
    Value { at: Origin },
}

/// Returns the first difference between what the YAML crate and our reader read.
pub(super) fn first_difference(trace: &Trace, node: &Node, written: &WrittenScalars) -> Option<Difference> {
    let agrees = match (trace, &node.value) {
        (Trace::Unread, _) | (Trace::Null, NodeValue::Null) => true,
        (Trace::Bool(value), NodeValue::Bool(node)) => value == node,
        (Trace::Float(value), NodeValue::Number(Number::Float(node))) => {
            value.to_bits() == node.get().to_bits()
        }
        (Trace::Integer(value), NodeValue::Number(Number::Int(node))) => *value == i128::from(*node),
        (Trace::Integer(value), NodeValue::Number(Number::Uint(node))) => *value == i128::from(*node),
        (Trace::Text(text), NodeValue::String(node)) => text == node,
        (Trace::Text(text), NodeValue::Bool(_) | NodeValue::Number(_)) => {
            let printed = || node.to_json().to_string();
            written.text(node).map_or_else(|| printed() == *text, |written| text == written)
        }
        (Trace::Text(text), NodeValue::Null) => {
            matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
        }
        // An empty value is an empty collection if the field's type is one.
        (Trace::Mapping(entries), NodeValue::Null) => entries.is_empty(),
        (Trace::Sequence(items), NodeValue::Null) => items.is_empty(),
        (Trace::Mapping(entries), NodeValue::Mapping(mapping)) => {
            // Both keep the order in which the entries were written.
            let mut pairs = entries.iter().zip(mapping.entries());
            let difference = pairs.find_map(|((key, value), entry)| match key.as_str() {
                key if key == entry.key => first_difference(value, &entry.value, written),
                "<<" => Some(Difference::Value { at: entry.key_origin }),
                _ => Some(Difference::Key { at: entry.key_origin, read_as: entry.key.to_string() }),
            });
            if difference.is_some() {
                return difference;
            }
            entries.len() == mapping.len()
        }
        (Trace::Sequence(items), NodeValue::Sequence(nodes)) => {
            let mut pairs = items.iter().zip(nodes);
            let difference = pairs.find_map(|(item, node)| first_difference(item, node, written));
            if difference.is_some() {
                return difference;
            }
            items.len() == nodes.len()
        }
        _ => false,
    };
    (!agrees).then_some(Difference::Value { at: node.origin })
}
