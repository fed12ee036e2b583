//! Words that several forms share.

use crate::diagnostic::{Finding, ObjectRef, Report, Severity, deceives};
use crate::model::APP_FILE;

/// Characters of a message that are shown.
const MAX_MESSAGE: usize = 2000;

/// A text in one line that drives no terminal and hides nothing.
pub(super) fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if deceives(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// A text of a finding in one line, of a length that people read.
pub(super) fn shown(text: &str) -> String {
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
pub(in crate::diagnostic) fn quantity(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// `2 errors, 1 warning`, or `no findings`.
pub(super) fn counts(report: &Report) -> String {
    let parts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .map(|severity| (report.count(severity), severity))
        .filter(|(count, _)| *count > 0)
        .map(|(count, severity)| quantity(count, severity.name()))
        .collect();
    if parts.is_empty() { "no findings".to_owned() } else { parts.join(", ") }
}
