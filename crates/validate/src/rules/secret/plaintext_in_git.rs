//! `secret/plaintext-in-git`.

use std::cell::LazyCell;

use crate::facts::checked_object::CheckedObject;
use crate::facts::credential::{self, CredentialKind};
use crate::facts::leftover::leftovers;
use crate::facts::rule_context::RuleContext;
use crate::facts::secret_items::{SecretItem, items};
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Origin;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Secret,
    RulePage {
        id: "secret/plaintext-in-git",
        severity: Severity::Warning,
        summary: "the source contains the value of a Secret in plaintext",
        text: include_str!("plaintext_in_git.md"),
    },
    RuleCheck::Object(check),
);

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    // Helm itself writes its releases.
    if object.manifest.root().get("type").and_then(sealwave_core::document::Node::as_str)
        == Some("helm.sh/release.v1")
    {
        return;
    }
    let leftovers = LazyCell::new(|| -> Vec<Origin> {
        leftovers(object).map(|(item, _)| item.entry.value.origin).collect()
    });
    for item in items(object) {
        // `secret/encrypted-leftover` reports what was meant to be a placeholder.
        let is_leftover =
            |severity| severity == Severity::Note && leftovers.contains(&item.entry.value.origin);
        let found = classify(&item).filter(|(severity, _)| !is_leftover(*severity));
        if let Some((severity, problem)) = found {
            let message = format!("{} {problem}", item.display_name());
            let hint = match severity {
                Severity::Note => {
                    "use a placeholder, for example `<vault:path#key>`, if it is meant to be a secret"
                }
                _ => {
                    "use a placeholder, for example `<vault:path#key>`, and change the value: it stays in Git's history"
                }
            };
            let draft = FindingDraft::new(&RULE, item.place(), message);
            reporter.report(draft.severity(severity).hint(hint).confidential());
        }
    }
}

fn classify(item: &SecretItem<'_>) -> Option<(Severity, String)> {
    item.bytes().filter(|bytes| !bytes.is_empty())?;
    let Some(text) = item.text() else {
        return Some((Severity::Warning, "is in the source in plaintext".to_owned()));
    };
    let is_file = text.trim_end().contains('\n') || is_file_name(item.key());
    let kind = if is_file {
        credential::detect_in_lines(text).map(|(_, kind)| kind)
    } else {
        credential::detect(Some(item.key()), text)
    };
    match kind {
        Some(kind) if kind.is_certain() => {
            Some((Severity::Error, format!("holds {} in plaintext", kind.noun())))
        }
        Some(CredentialKind::Keyed) => Some((Severity::Warning, "is in the source in plaintext".to_owned())),
        Some(kind) => Some((Severity::Warning, format!("holds {} in plaintext", kind.noun()))),
        None if is_public(item.key(), text) => None,
        None if is_file || is_setting(item.key(), text) || credential::is_placeholder_or_reference(text) => {
            Some((Severity::Note, "is in the source in plaintext".to_owned()))
        }
        None => Some((Severity::Warning, "is in the source in plaintext".to_owned())),
    }
}

/// Returns whether neither key nor value of a single line look like a secret: `verify-full`, `ENABLED=false`.
fn is_setting(key: &str, text: &str) -> bool {
    let value = text.trim();
    let value = value
        .split_once('=')
        .filter(|(name, value)| is_variable_name(name) && !value.trim_matches('=').is_empty())
        .map_or(value, |(_, value)| value);
    !credential::is_credential_name(key)
        && !value.contains(char::is_whitespace)
        && !credential::looks_generated(value)
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b','))
}

fn is_variable_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
}

/// Returns whether a key is the name of a configuration file, even one with a single line.
fn is_file_name(key: &str) -> bool {
    let extension = key.rsplit_once('.').map_or("", |(_, extension)| extension);
    matches!(
        extension,
        "cfg" | "cnf" | "conf" | "config" | "ini" | "properties" | "toml" | "xml" | "yaml" | "yml"
    )
}

/// Returns whether an item is typically public: names, addresses, switches, certificates.
fn is_public(key: &str, text: &str) -> bool {
    const WORDS: &[&str] = &[
        "account",
        "address",
        "bucket",
        "clientid",
        "database",
        "db",
        "dbname",
        "description",
        "driver",
        "email",
        "endpoint",
        "engine",
        "from",
        "host",
        "hostname",
        "hosts",
        "id",
        "issuer",
        "login",
        "mode",
        "name",
        "namespace",
        "org",
        "port",
        "project",
        "provider",
        "region",
        "repository",
        "schema",
        "scope",
        "server",
        "sslmode",
        "type",
        "uri",
        "url",
        "user",
        "username",
        "version",
    ];
    let last = key.rsplit(['-', '_', '.']).next().unwrap_or(key).to_ascii_lowercase();
    let is_camel_case_suffix = |word: &&str| {
        key.len() > word.len()
            && key.get(key.len() - word.len()..).is_some_and(|end| {
                end.starts_with(|c: char| c.is_ascii_uppercase()) && end.eq_ignore_ascii_case(word)
            })
    };
    WORDS.contains(&last.as_str())
        || WORDS.iter().any(is_camel_case_suffix)
        || text.trim().is_empty()
        || text.contains("-----BEGIN CERTIFICATE-----") && !text.contains("PRIVATE KEY")
        || is_timestamp(text.trim())
        || matches!(text.trim(), "true" | "false")
        || text.trim().len() < 6 && text.trim().bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns whether a string is a date like `2024-05-01`, or midnight of a date in RFC 3339.
fn is_timestamp(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00" || shape.starts_with("0000-00-00T00:00:00")
}
