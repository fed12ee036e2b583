//! `secret/double-base64`.

use super::items::{Item, decode, items};
use crate::rules::{Check, Draft, Object, Reporter, Rule, Scene, credential};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "secret/double-base64",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "the value of a Secret is base64 of readable text, so the program gets base64",
        page: include_str!("double_base64.md"),
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    // The items of a Secret of this type are base64 by themselves.
    if object.manifest.root().get("type").and_then(Node::as_str) == Some("kubernetes.io/rook") {
        return;
    }
    for item in items(object).iter().filter(|item| is_double(item)) {
        let message = format!("{} is still base64 where the program reads it", item.called());
        let hint = if item.field == "stringData" {
            "`stringData` takes the text itself; encoded values go under `data`"
        } else {
            "encode the value once only, or write it under `stringData`"
        };
        reporter.report(Draft::new(&RULE, item.entry.value.origin, message).hint(hint).confidential());
    }
}

/// Shorter text is base64 by chance.
const SHORTEST: usize = 12;

fn is_double(item: &Item<'_>) -> bool {
    let key = item.key().to_ascii_lowercase();
    // The last is a file of 1Password Connect, which reads base64.
    if ["base64", "b64", "basic", "authorization", "cookie", "1password-credentials"]
        .iter()
        .any(|word| key.contains(word))
    {
        return false;
    }
    let Some(text) = item.text().map(str::trim).filter(|text| text.len() >= SHORTEST) else { return false };
    // Words of letters alone may be base64 as well; what they decode to is not readable.
    if !text.len().is_multiple_of(4) {
        return false;
    }
    let decoded = decode(text).and_then(|decoded| String::from_utf8(decoded).ok());
    decoded.is_some_and(|decoded| {
        is_readable(decoded.as_bytes()) && !is_encoded_key(&decoded) && !credential::is_sample(&decoded)
    })
}

/// Returns true for base64 of random bytes, as keys are often written: those of Ceph, for example.
fn is_encoded_key(text: &str) -> bool {
    let is_base64 =
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
    let is_readable_inside = decode(text).is_some_and(|bytes| is_readable(&bytes));
    text.len() >= SHORTEST && text.ends_with('=') && is_base64 && !is_readable_inside
}

fn is_readable(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t'))
}
