//! `secret/double-base64`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::credential;
use crate::facts::rule_context::RuleContext;
use crate::facts::secret_items::{SecretItem, decode, items};
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Secret,
    RulePage {
        id: "secret/double-base64",
        severity: Severity::Warning,
        summary: "the value of a Secret is base64 of readable text, so the program gets base64",
        text: include_str!("double_base64.md"),
    },
    RuleCheck::Object(check),
);

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    // Secrets of this type contain base64 values.
    if object.manifest.root().get("type").and_then(Node::as_str) == Some("kubernetes.io/rook") {
        return;
    }
    for item in items(object).iter().filter(|item| is_double(item)) {
        let message = format!("{} is still base64-encoded when the program reads it", item.display_name());
        let hint = if item.field == "stringData" {
            "write plain text under `stringData`, and encoded values under `data`"
        } else {
            "encode the value only once, or write it under `stringData`"
        };
        reporter.report(FindingDraft::new(&RULE, item.place(), message).hint(hint).confidential());
    }
}

/// Minimum length: shorter text may be base64 by chance.
const SHORTEST: usize = 12;

fn is_double(item: &SecretItem<'_>) -> bool {
    let key = item.key().to_ascii_lowercase();
    // The last one is a file of 1Password Connect, which expects base64.
    if ["base64", "b64", "basic", "authorization", "cookie", "1password-credentials"]
        .iter()
        .any(|word| key.contains(word))
    {
        return false;
    }
    let Some(text) = item.text().map(str::trim).filter(|text| text.len() >= SHORTEST) else { return false };
    // Words may be valid base64 too, but decode to unreadable bytes.
    if !text.len().is_multiple_of(4) {
        return false;
    }
    let decoded = decode(text).and_then(|decoded| String::from_utf8(decoded).ok());
    decoded.is_some_and(|decoded| {
        is_readable(decoded.as_bytes()) && !is_encoded_key(&decoded) && !credential::is_sample(&decoded)
    })
}

/// Returns whether a string is base64 of random bytes, a common form of keys, for example in Ceph.
fn is_encoded_key(text: &str) -> bool {
    let is_base64 =
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
    let is_readable_inside = decode(text).is_some_and(|bytes| is_readable(&bytes));
    text.len() >= SHORTEST && text.ends_with('=') && is_base64 && !is_readable_inside
}

fn is_readable(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t'))
}
