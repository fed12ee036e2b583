//! Writes Go templates for the engine `v2` of the External Secrets Operator. They contain only actions that are generated here.

use std::fmt::Write as _;

/// Writes literal text. `before_action` is set if an action follows directly.
///
/// Braces that could open an action are written as an action: two in a row, and one right before an action, which would
/// be parsed as the first of three.
pub(super) fn write_literal(out: &mut String, text: &str, before_action: bool) {
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let (before, braces) = rest.split_at(start);
        let count = braces.len() - braces.trim_start_matches('{').len();
        let (braces, after) = braces.split_at(count);
        out.push_str(before);
        if count > 1 || (before_action && after.is_empty()) {
            // Writing to a string cannot fail.
            let _ = write!(out, "{{{{ \"{braces}\" }}}}");
        } else {
            out.push_str(braces);
        }
        rest = after;
    }
    out.push_str(rest);
}

/// Writes the action that inserts a value.
pub(super) fn write_action(out: &mut String, number: usize, filters: &[&'static str]) {
    let _ = write!(out, "{{{{ .r{number}");
    for filter in filters {
        let _ = write!(out, " | {filter}");
    }
    out.push_str(" }}");
}
