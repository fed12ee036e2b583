//! Wording and positions of findings about credentials.

use crate::facts::credential::CredentialKind;
use crate::facts::embedded::first_line_of_block;
use crate::located::{FindingPlace, LocatedEntry};
use crate::reporter::FindingDraft;
use crate::rule::Rule;
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Origin, SourceTexts};

/// Creates a finding about a credential in a field: an error if certain, otherwise a warning.
pub(super) fn credential_draft(
    rule: &'static Rule,
    kind: CredentialKind,
    at: impl Into<FindingPlace>,
    place: &str,
) -> FindingDraft {
    let severity = if kind.is_certain() { Severity::Error } else { Severity::Warning };
    let hint = match kind {
        CredentialKind::Keyed => {
            "put it into a Secret, and refer to it; if it is not a credential, suppress this with a reason"
        }
        CredentialKind::Publishable(_) => {
            "if it may be public, restrict it at its issuer and suppress this with a reason; otherwise, put it into a Secret"
        }
        CredentialKind::WeakUri => {
            "compose the URI in a Secret, or refer to the password through `$(VARIABLE)`"
        }
        _ => {
            "put it into a Secret, refer to it, and change it: everyone with access to the repository can read it"
        }
    };
    FindingDraft::new(rule, at, format!("{place} holds {}", kind.noun()))
        .severity(severity)
        .hint(hint)
        .confidential()
}

/// Creates a finding about a credential in a value that may be a file: at its key, with the line as related position.
pub(super) fn credential_draft_in_file(
    rule: &'static Rule,
    (line, kind): (usize, CredentialKind),
    located: &LocatedEntry<'_>,
    place: &str,
    texts: &SourceTexts,
) -> FindingDraft {
    let draft = credential_draft(rule, kind, located.key_place(), place);
    match line_of_block(texts, &located.entry.value, line) {
        Some(at) => draft.related(at, "it is on this line"),
        None => draft,
    }
}

/// Returns the position of a line in a literal block scalar; `None` if the value is not one.
fn line_of_block(texts: &SourceTexts, value: &Node, number: usize) -> Option<Origin> {
    let origin = value.origin;
    let line = first_line_of_block(texts, value)?.checked_add(u32::try_from(number).ok()?)?;
    let text = texts.line(origin.source, line)?;
    let trimmed = text.trim_start();
    let count = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    let width = count(trimmed.trim_end());
    Some(Origin { line, column: count(text) - count(trimmed) + 1, width, ..origin })
}
