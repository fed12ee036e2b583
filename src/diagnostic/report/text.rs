//! Words that several forms share.

use crate::diagnostic::{ObjectRef, Report, Severity, deceives};

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

/// `Deployment shop/web`.
pub(super) fn object_name(object: &ObjectRef) -> String {
    let ObjectRef { kind, namespace, name, .. } = object;
    let name = if name.is_empty() { "(generated name)" } else { name };
    let slash = if namespace.is_empty() { "" } else { "/" };
    format!("{kind} {namespace}{slash}{name}")
}

/// `1 error`, `2 errors`.
pub(super) fn quantity(count: usize, noun: &str) -> String {
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
