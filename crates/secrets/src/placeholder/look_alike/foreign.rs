//! References and encrypted texts of other tools.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use zeroize::Zeroizing;

use super::{CandidateText, LookAlike, LookAlikeKind as Kind};
use crate::placeholder::{PlaceholderText as Parsed, parser};

/// Prefixes of encrypted items.
const ENCRYPTED: [(&str, &str); 4] = [
    ("ENC[AES256_GCM,", "SOPS"),
    ("ENC[PKCS7,", "hiera-eyaml"),
    ("$ANSIBLE_VAULT;", "Ansible Vault"),
    ("!vault ", "Ansible Vault"),
];

/// Prefixes of references that are the whole item.
const PREFIXES: [(&str, &str); 3] =
    [("op://", "1Password"), ("@Microsoft.KeyVault(", "Azure"), ("!secret ", "Home Assistant or Ansible")];

/// Checks an item as a whole.
pub(super) fn find_in_item(text: &CandidateText<'_>) -> Option<LookAlike> {
    let item = text.item();
    let tool_by_prefix = |table: &[(&str, &'static str)]| {
        table.iter().find(|(prefix, _)| item.starts_with(prefix)).map(|(_, tool)| *tool)
    };
    let kind = if let Some(tool) = tool_by_prefix(&ENCRYPTED) {
        Kind::Encrypted(tool)
    } else if item.contains(['\n', '\r']) {
        return None;
    } else if let Some(tool) = tool_by_prefix(&PREFIXES).or_else(|| variable(item)) {
        Kind::Foreign(tool)
    } else if is_base64_of_placeholder(text, item) {
        Kind::Base64
    } else {
        return None;
    };
    Some(LookAlike { range: text.item.clone(), kind })
}

/// Returns the tool whose variable syntax an item uses.
fn variable(item: &str) -> Option<&'static str> {
    let inside = |open: &str, close: &str| item.strip_prefix(open)?.strip_suffix(close);
    let is_one =
        |inner: &str| inner.chars().any(char::is_alphanumeric) && !inner.contains(['{', '}', '(', ')']);
    let is_name = |inner: &str| inner.chars().all(|c| c.is_ascii_alphanumeric() || "_-./: ".contains(c));
    let is_template = |inner: &str| {
        inner.chars().any(char::is_alphanumeric) && !inner.contains("{{") && !inner.contains("}}")
    };
    if inside("{{", "}}").is_some_and(is_template) {
        Some("a template engine (only `.hbs` files are templates)")
    } else if inside("$(", ")").is_some_and(is_one) {
        Some("a shell or of Kustomize")
    } else if inside("((", "))").is_some_and(|inner| is_one(inner) && is_name(inner)) {
        Some("Concourse")
    } else {
        None
    }
}

/// Reports whether an item is base64 of a text that would have been resolved.
fn is_base64_of_placeholder(text: &CandidateText<'_>, item: &str) -> bool {
    if item.len() < 12 || !item.len().is_multiple_of(4) || item.contains('<') {
        return false;
    }
    let Ok(decoded) = STANDARD.decode(item).map(Zeroizing::new) else { return false };
    let Ok(decoded) = std::str::from_utf8(&decoded) else { return false };
    let Ok(parsed) = parser::parse_text(decoded, None).map(|parts| Parsed { parts }) else { return false };
    parsed.references().any(|reference| text.is_known(&reference.provider))
}

/// Searches a longer text for unmistakable patterns.
pub(super) fn find_anywhere(text: &CandidateText<'_>) -> Option<LookAlike> {
    vals(text).or_else(|| sops(text))
}

/// Finds references of vals: `ref+vault://…`, `secretref+awssecrets://…`.
fn vals(text: &CandidateText<'_>) -> Option<LookAlike> {
    memmem::find_iter(text.source.as_bytes(), "ref+").find_map(|at| {
        let start = if text.source[..at].ends_with("secret") { at - "secret".len() } else { at };
        let is_word = text.source[..start].ends_with(|c: char| c.is_alphanumeric());
        let rest = &text.source[at + "ref+".len()..];
        let scheme = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
        if is_word || scheme == 0 || !rest[scheme..].starts_with("://") {
            return None;
        }
        let end = rest.find(|c: char| c.is_whitespace() || "\"'<>,;".contains(c)).unwrap_or(rest.len());
        Some(LookAlike { range: start..at + "ref+".len() + end, kind: Kind::Foreign("vals") })
    })
}

/// Finds a SOPS-encrypted value in a text that SOPS could not decrypt: a whole SOPS file contains its metadata.
fn sops(text: &CandidateText<'_>) -> Option<LookAlike> {
    let start = text.source.find("ENC[AES256_GCM,")?;
    let length = text.source[start..].find(']')? + 1;
    (!text.source.contains("sops"))
        .then_some(LookAlike { range: start..start + length, kind: Kind::Encrypted("SOPS") })
}
