//! Hints for a `toYaml` or `file` whose lines are not indented alike.

use super::parts::TagParts;
use super::scan::{ScannedTag, TagEnd, scan_tags};
use super::walk::MAX_TAG;
use crate::render::helpers;
use sealwave_core::diagnostic::printable;

/// Returns the hint for the first `toYaml` or `file` of a line.
pub(crate) fn yaml_hint_in_line(line: &str) -> Option<String> {
    let tag = scan_tags(line).find(|tag| call_of(tag).is_some())?;
    hint(line, &tag)
}

/// Returns the hint for the tag of a line that starts at a column, from 1.
pub(crate) fn yaml_hint_at(line: &str, column: usize) -> Option<String> {
    let tag = scan_tags(line).find(|tag| tag.start.1 == column)?;
    hint(line, &tag)
}

/// Returns the call of a helper that writes several lines in a tag, without an `indent` around it, and the helper.
fn call_of<'t>(tag: &ScannedTag<'t>) -> Option<(&'t str, &'static str)> {
    let parts = TagParts::new(tag.text).filter(|parts| parts.sigil.is_none())?;
    let inner = parts.body.strip_prefix("indent").and_then(|rest| rest.split_once('('));
    let inner = inner.and_then(|(_, rest)| rest.trim_end().strip_suffix(')'));
    let call = inner.unwrap_or(parts.body).trim();
    let helper = helpers::line_writer(call.split_whitespace().next()?)?;
    Some((call, helper))
}

fn hint(line: &str, tag: &ScannedTag<'_>) -> Option<String> {
    let (call, helper) = call_of(tag).filter(|_| tag.end == TagEnd::Closed)?;
    let is_shown = call.len() <= MAX_TAG && !call.contains(['"', '\'', '`']);
    let example = if helper == "file" { "file \"PATH\"" } else { "toYaml value" };
    let call = if is_shown { printable(call) } else { example.to_owned() };
    let before: String = line.chars().take(tag.start.1.saturating_sub(1)).collect();
    let indentation = before.len() - before.trim_start().len();
    if indentation == before.len() {
        return Some(format!(
            "write `{{{{indent {indentation} ({call})}}}}` at the start of the line: `{helper}` writes several lines"
        ));
    }
    // The dashes of items in a line count as indentation.
    let mut key = before.trim_start();
    while let Some(rest) = key.strip_prefix('-').filter(|rest| rest.starts_with(' ') || rest.is_empty()) {
        key = rest.trim_start();
    }
    let indentation = if key.is_empty() { before.len() } else { before.len() - key.len() + 2 };
    Some(format!("`{helper}` writes several lines: write `{{{{nindent {indentation} ({call})}}}}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_depends_on_the_text_before_the_tag() {
        for (line, call) in [
            ("data: {{toYaml m}}", "{{nindent 2 (toYaml m)}}"),
            ("    data: {{ toYaml m }} # text", "{{nindent 6 (toYaml m)}}"),
            ("  - data: {{~toYaml m.a}}", "{{nindent 6 (toYaml m.a)}}"),
            ("  - {{toYaml m}}", "{{nindent 4 (toYaml m)}}"),
            ("    {{toYaml m}}", "{{indent 4 (toYaml m)}}"),
            ("    {{indent 4 (toYaml m)}}", "{{indent 4 (toYaml m)}}"),
            ("  x: {{ indent 4 (toYaml m) }}", "{{nindent 4 (toYaml m)}}"),
            ("  x: {{toYaml (get m \"k\")}}", "{{nindent 4 (toYaml value)}}"),
            ("  x: {{file path}}", "`file` writes several lines: write `{{nindent 4 (file path)}}`"),
            ("    {{file \"a.conf\"}}", "{{indent 4 (file \"PATH\")}}"),
        ] {
            let column = line.find("{{").unwrap() + 1;
            let hint = yaml_hint_at(line, column).unwrap();
            assert!(hint.contains(call), "{line}: {hint}");
        }
        assert_eq!(yaml_hint_at("a: {{b}}", 4), None);
        assert_eq!(yaml_hint_in_line("a: {{b}} {{quote (toYaml c)}}"), None);
        assert!(yaml_hint_in_line("  a: {{b}} {{toYaml c}}").unwrap().contains("nindent 4"));
    }
}
