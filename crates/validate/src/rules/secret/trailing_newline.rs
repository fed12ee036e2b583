//! `secret/trailing-newline`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::credential;
use crate::facts::rule_context::RuleContext;
use crate::facts::secret_items::{SecretItem, items};
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Secret,
    RulePage {
        id: "secret/trailing-newline",
        severity: Severity::Warning,
        summary: "a password in a Secret, or a URI, ends with a newline",
        text: include_str!("trailing_newline.md"),
    },
    RuleCheck::Object(check),
);

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    for item in items(object).iter().filter(|item| is_used_verbatim(item) && ends_in_newline(item)) {
        let message = format!("{} ends with a newline", item.display_name());
        let hint = if item.field == "stringData" {
            "write it on the key's own line, or with `|-`"
        } else {
            "encode it again without the newline: `printf %s`, not `echo`"
        };
        reporter.report(FindingDraft::new(&RULE, item.place(), message).hint(hint).confidential());
    }
}

/// Returns whether a program uses an item as it is: a password, a user name, an address.
fn is_used_verbatim(item: &SecretItem<'_>) -> bool {
    let text = item.text().unwrap_or_else(|| item.raw_value());
    is_credential_key(item.key()) || is_address_key(item.key()) && text.contains("://")
}

/// Returns whether a key is like `url`, `DATABASE_URL` or `databaseUrl`.
fn is_address_key(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    ["dsn", "uri", "url"].iter().any(|end| lower.ends_with(end))
}

fn is_credential_key(key: &str) -> bool {
    credential::is_credential_name(key)
        || key.get(key.len().saturating_sub(4)..).is_some_and(|end| end.eq_ignore_ascii_case("user"))
        || key.get(key.len().saturating_sub(8)..).is_some_and(|end| end.eq_ignore_ascii_case("username"))
}

/// Returns whether an item is a single line with a trailing newline, based on its text around placeholders.
fn ends_in_newline(item: &SecretItem<'_>) -> bool {
    let text = match item.text() {
        Some(text) => text,
        None if item.field == "stringData" => item.raw_value(),
        None => return false,
    };
    let line = text.trim_end_matches(['\n', '\r']);
    !line.is_empty() && line.len() < text.len() && !line.contains('\n')
}
