//! `secret/trailing-newline`.

use super::items::{Item, items};
use crate::rules::{Check, Draft, Object, Reporter, Rule, Scene, credential};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "secret/trailing-newline",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a password in a Secret, or a URI, ends with a newline",
        page: include_str!("trailing_newline.md"),
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    for item in items(object).iter().filter(|item| is_meant(item) && ends_in_newline(item)) {
        let message = format!("{} ends with a newline", item.called());
        let hint = if item.field == "stringData" {
            "write it on the key's own line, or with `|-`"
        } else {
            "encode it again without the newline: `printf %s`, not `echo`"
        };
        reporter.report(Draft::new(&RULE, item.entry.value.origin, message).hint(hint).confidential());
    }
}

/// A password, a user, an address: what a program takes as it is.
fn is_meant(item: &Item<'_>) -> bool {
    let text = item.text().unwrap_or_else(|| item.written());
    is_named_so(item.key()) || names_address(item.key()) && text.contains("://")
}

/// `url`, `DATABASE_URL`, `databaseUrl`.
fn names_address(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    ["dsn", "uri", "url"].iter().any(|end| lower.ends_with(end))
}

fn is_named_so(key: &str) -> bool {
    credential::is_named_so(key)
        || key.get(key.len().saturating_sub(4)..).is_some_and(|end| end.eq_ignore_ascii_case("user"))
        || key.get(key.len().saturating_sub(8)..).is_some_and(|end| end.eq_ignore_ascii_case("username"))
}

/// A single line with a newline behind it; of what holds placeholders, the text around them counts.
fn ends_in_newline(item: &Item<'_>) -> bool {
    let text = match item.text() {
        Some(text) => text,
        None if item.field == "stringData" => item.written(),
        None => return false,
    };
    let line = text.trim_end_matches(['\n', '\r']);
    !line.is_empty() && line.len() < text.len() && !line.contains('\n')
}
