//! Words that several forms share.

use crate::{Finding, ObjectRef, Report};
use sealwave_core::diagnostic::{Severity, deceives};
use sealwave_secrets::settings::APP_FILE;

/// Characters of a message that are shown.
const MAX_MESSAGE: usize = 2000;

/// A text in one line that drives no terminal, hides nothing, and gives no CI system a command.
pub(super) fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if deceives(c) {
            out.extend(c.escape_default());
        } else if c == '[' && starts_command(&out) {
            out.push_str(" [");
        } else {
            out.push(c);
        }
    }
    out
}

/// The same for text that nothing but blanks may stand before on its line: GitHub obeys a line that starts with `::`.
pub(super) fn first_on_line(text: &str) -> String {
    let text = one_line(text);
    match text.trim_start().strip_prefix("::") {
        Some(rest) => format!("\\u{{3a}}:{rest}"),
        None => text,
    }
}

/// Whether a `[` behind this text would be the start of a command: `##[` of GitHub, `##vso[` of Azure Pipelines and
/// `##teamcity[` are obeyed wherever they stand on a line.
pub(super) fn starts_command(before: &str) -> bool {
    before
        .trim_end_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        .ends_with("##")
}

/// A text of a finding in one line, of a length that people read.
pub fn shown(text: &str) -> String {
    shorter(one_line(text), MAX_MESSAGE)
}

/// A text of at most so many characters, and an ellipsis where it was longer.
pub(super) fn shorter(mut text: String, max: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(max) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// What there is to say of a finding beside its place: message, environments, hint; a line each.
pub(super) fn said(finding: &Finding) -> Vec<String> {
    let environments = finding.environments.join(", ");
    let environments = (!environments.is_empty()).then(|| shown(&format!("in: {environments}")));
    let hint = finding.hint.as_deref().map(|hint| shown(&format!("help: {hint}")));
    std::iter::once(shown(&finding.message)).chain(environments).chain(hint).collect()
}

/// The file to show a finding in: its own, or the app file where it has none.
pub(super) fn file(finding: &Finding) -> Option<String> {
    let path = match &finding.span {
        Some(span) => span.place.path.clone(),
        None if finding.app.is_empty() => return None,
        None => format!("{}/{APP_FILE}", finding.app.trim_end_matches('/')),
    };
    Some(path.strip_prefix("./").map_or(path.clone(), str::to_owned))
}

/// `Deployment shop/web`.
pub(super) fn object_name(object: &ObjectRef) -> String {
    object.to_string()
}

/// `1 error`, `2 errors`.
pub(crate) fn quantity(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// `2 errors, 1 warning`, or `no findings`.
pub(crate) fn counts(report: &Report) -> String {
    let parts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .map(|severity| (report.count(severity), severity))
        .filter(|(count, _)| *count > 0)
        .map(|(count, severity)| quantity(count, severity.name()))
        .collect();
    if parts.is_empty() { "no findings".to_owned() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_a_command_of_a_ci_system() {
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
