//! Text helpers shared by several formats.

use crate::{Finding, ObjectRef};
use sealwave_core::diagnostic::is_deceptive;
use sealwave_secrets::settings::APP_FILE;

/// The most characters of a message that are shown.
const MAX_MESSAGE: usize = 2000;

/// Returns a text as one line, without terminal control, hidden characters or CI commands.
pub(super) fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_deceptive(c) {
            out.extend(c.escape_default());
        } else if c == '[' && starts_command(&out) {
            out.push_str(" [");
        } else {
            out.push(c);
        }
    }
    out
}

/// Returns a text as one line that can be first on its line: GitHub executes lines that start with `::`.
pub(super) fn first_on_line(text: &str) -> String {
    let text = one_line(text);
    match text.trim_start().strip_prefix("::") {
        Some(rest) => format!("\\u{{3a}}:{rest}"),
        None => text,
    }
}

/// Reports whether a `[` after this text would start a command: `##[` (GitHub), `##vso[` (Azure Pipelines) and
/// `##teamcity[` are executed anywhere on a line.
pub(super) fn starts_command(before: &str) -> bool {
    before
        .trim_end_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        .ends_with("##")
}

/// Returns a text of a finding as one line of limited length.
pub(super) fn limited_line(text: &str) -> String {
    ellipsize(one_line(text), MAX_MESSAGE)
}

/// Truncates a text to `max` characters and marks the cut with an ellipsis.
pub(super) fn ellipsize(mut text: String, max: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(max) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Returns message, environments and hint of a finding, one line each.
pub(super) fn message_lines(finding: &Finding) -> Vec<String> {
    let environments = finding.environments.join(", ");
    let environments = (!environments.is_empty()).then(|| limited_line(&format!("in: {environments}")));
    let hint = finding.hint.as_deref().map(|hint| limited_line(&format!("help: {hint}")));
    std::iter::once(limited_line(&finding.message)).chain(environments).chain(hint).collect()
}

/// Returns the file of a finding, or the app file if it has no place.
pub(super) fn display_file(finding: &Finding) -> Option<String> {
    let path = match &finding.span {
        Some(span) => span.place.path.clone(),
        None if finding.app.is_empty() => return None,
        None => format!("{}/{APP_FILE}", finding.app.trim_end_matches('/')),
    };
    Some(path.strip_prefix("./").map_or(path.clone(), str::to_owned))
}

/// Returns the name of an object, such as `Deployment shop/web`.
pub(super) fn object_name(object: &ObjectRef) -> String {
    object.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_a_ci_command() {
        for (text, shown) in [
            ("a ##[error]b", "a ## [error]b"),
            ("###[group]", "### [group]"),
            ("x##vso[task.setvariable variable=a]b", "x##vso [task.setvariable variable=a]b"),
            ("##teamcity[message text='a']", "##teamcity [message text='a']"),
            ("a[0] # [b]", "a[0] # [b]"),
            ("## a[0]", "## a[0]"),
            ("a\n::error::b", "a\\n::error::b"),
            ("\u{1b}[0Ksection_start:1:a\r\u{1b}[0K", "\\u{1b}[0Ksection_start:1:a\\r\\u{1b}[0K"),
        ] {
            assert_eq!(one_line(text), shown);
        }
        assert_eq!(first_on_line(" ::error::a"), "\\u{3a}:error::a");
        assert_eq!(first_on_line("a::b"), "a::b");
    }
}
