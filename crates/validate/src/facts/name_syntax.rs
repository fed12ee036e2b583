//! Syntax of names, label values and keys, as in Kubernetes' `validation` package.

use sealwave_core::names::dns::{MAX_LABEL, is_subdomain};
use sealwave_core::text::split_at_byte;

/// Returns whether a string can be a segment of a URL path, like names of roles and bindings.
pub(crate) fn is_path_segment(text: &str) -> bool {
    !text.is_empty() && text != "." && text != ".." && !text.contains(['/', '%'])
}

/// Returns whether a string is a label value: empty, or at most 63 letters, digits, `-`, `_` and `.` with alphanumeric ends.
pub(crate) fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_name_part(text)
}

/// Returns whether a string is a label key: a name, optionally after a subdomain and a slash.
pub(crate) fn is_qualified_name(text: &str) -> bool {
    match split_at_byte(text, b'/') {
        None => is_name_part(text),
        // The most frequent prefix.
        Some(("app.kubernetes.io", name)) => is_name_part(name),
        Some((prefix, name)) => is_subdomain(prefix) && is_name_part(name),
    }
}

fn is_name_part(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let is_inside = |byte: &u8| NAME_BYTES.get(usize::from(*byte)).is_some_and(|allowed| *allowed);
    (1..=MAX_LABEL).contains(&bytes.len())
        && is_end(bytes.first())
        && is_end(bytes.last())
        && bytes.iter().all(is_inside)
}

/// The bytes allowed within a name; a table, since every object has several names.
static NAME_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "it is below 256")]
        let as_byte = byte as u8;
        table[byte] = as_byte.is_ascii_alphanumeric() || matches!(as_byte, b'-' | b'_' | b'.');
        byte += 1;
    }
    table
};

/// Returns whether a string contains whitespace of any kind.
pub(crate) fn has_whitespace(text: &str) -> bool {
    if text.is_ascii() {
        text.bytes().any(|byte| matches!(byte, b'\t'..=b'\r' | b' '))
    } else {
        text.contains(char::is_whitespace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealwave_core::names::dns::is_label;

    #[test]
    fn name_syntax_matches_kubernetes() {
        let long = "a".repeat(64);
        let dotted = vec!["a".repeat(63); 4].join(".");
        for (text, label, subdomain, segment) in [
            ("a", true, true, true),
            ("a-b.c", false, true, true),
            ("0a", true, true, true),
            ("A", false, false, true),
            ("a_b", false, false, true),
            ("a:b", false, false, true),
            ("-a", false, false, true),
            ("a-", false, false, true),
            ("a..b", false, false, true),
            ("a/b", false, false, false),
            ("a%b", false, false, false),
            ("..", false, false, false),
            ("", false, false, false),
            (long.as_str(), false, true, true),
            (dotted.as_str(), false, false, true),
        ] {
            assert_eq!(
                (is_label(text), is_subdomain(text), is_path_segment(text)),
                (label, subdomain, segment),
                "{text}"
            );
        }
    }

    #[test]
    fn label_syntax_matches_kubernetes() {
        let long = "a".repeat(64);
        for (text, value, key) in [
            ("a", true, true),
            ("A_b.c-d", true, true),
            ("", true, false),
            ("_", false, false),
            ("a b", false, false),
            ("a:1", false, false),
            ("v1.0+a", false, false),
            (long.as_str(), false, false),
            ("example.org/a", false, true),
            ("Example.org/a", false, false),
            ("example.org/", false, false),
            ("/a", false, false),
            ("a/b/c", false, false),
        ] {
            assert_eq!((is_label_value(text), is_qualified_name(text)), (value, key), "{text}");
        }
    }
}
