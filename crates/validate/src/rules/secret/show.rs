//! How findings about credentials are worded and placed.

use crate::rules::credential::Kind;
use crate::rules::embedded::first_line_of_block;
use crate::rules::{Draft, Rule};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Entry, Node, Origin, Texts};

/// What a field holds, as a finding: sure ones are errors, the others warnings.
pub(super) fn draft(rule: &'static Rule, kind: Kind, at: Origin, place: &str) -> Draft {
    let severity = if kind.is_certain() { Severity::Error } else { Severity::Warning };
    let hint = match kind {
        Kind::Keyed => "put it into a Secret, and refer to it; if it is none, suppress this with a reason",
        Kind::Publishable(_) => {
            "if everybody may have it, restrict it at its issuer and suppress this with that reason; else put it into a Secret"
        }
        Kind::WeakUri => "compose the URI in a Secret, or refer to the password through `$(VARIABLE)`",
        _ => "put it into a Secret, refer to it, and change it: whoever reads the repository has it",
    };
    Draft::new(rule, at, format!("{place} holds {}", kind.noun()))
        .severity(severity)
        .hint(hint)
        .confidential()
}

/// The same for a value that may be a file: the finding stands at its key then, and names the line.
pub(super) fn draft_in_file(
    rule: &'static Rule,
    (line, kind): (usize, Kind),
    entry: &Entry,
    place: &str,
    texts: &Texts,
) -> Draft {
    let draft = draft(rule, kind, entry.key_origin, place);
    match line_of_block(texts, &entry.value, line) {
        Some(at) => draft.related(at, "it is on this line"),
        None => draft,
    }
}

/// Returns where a line of a literal block scalar stands; `None` where the value is not one.
fn line_of_block(texts: &Texts, value: &Node, number: usize) -> Option<Origin> {
    let origin = value.origin;
    let line = first_line_of_block(texts, value)?.checked_add(u32::try_from(number).ok()?)?;
    let text = texts.line(origin.source, line)?;
    let trimmed = text.trim_start();
    let count = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    let width = count(trimmed.trim_end());
    Some(Origin { line, column: count(text) - count(trimmed) + 1, width, ..origin })
}
