//! Escapes text for XML.

use sealwave_core::diagnostic::printable;

/// Escapes text for an element or a quoted attribute value, in one line.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in printable(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // Besides control characters, XML does not allow these two.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Asserts that tags are balanced, attributes are quoted and all characters are allowed in XML.
#[cfg(test)]
pub(super) fn assert_well_formed(xml: &str) {
    let mut open: Vec<&str> = Vec::new();
    let body = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").expect("a declaration");
    for piece in body.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("a tag that ends");
        assert!(!text.contains("]]>"));
        for entity in piece.split('&').skip(1) {
            let name = entity.split(';').next().unwrap();
            assert!(["amp", "lt", "gt", "quot", "apos"].contains(&name), "{name}");
        }
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else {
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
            if !tag.ends_with('/') {
                open.push(tag.split(' ').next().unwrap());
            }
        }
    }
    assert_eq!(open, Vec::<&str>::new());
    assert!(xml.chars().all(|c| (c >= ' ' || c == '\n') && !('\u{7f}'..='\u{9f}').contains(&c)));
    assert!(!xml.contains(['\u{fffe}', '\u{ffff}']));
}
