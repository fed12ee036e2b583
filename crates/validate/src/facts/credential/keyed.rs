//! Detects credentials by the name of their key.
//!
//! The value must look like a credential too; the check is stricter for names such as `secret` and `token`, whose
//! values are often references.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::name::{NameMeaning, name_meaning};
use super::sample;

/// Reports whether a key names a credential.
pub(crate) fn is_credential_name(key: &str) -> bool {
    name_meaning(key).is_some_and(|claim| claim != NameMeaning::Auth)
}

/// Reports whether key and value both look like a credential.
pub(crate) fn is_credential(key: &str, value: &str) -> bool {
    let Some(claim) = name_meaning(key) else { return false };
    let value = value.trim();
    if claim == NameMeaning::Password && sample::is_common_password(value) {
        return true;
    }
    if value.len() > MAX_LENGTH || sample::is_placeholder(value) || is_hash(value) || repeats_key(key, value)
    {
        return false;
    }
    if value.contains(char::is_whitespace) {
        return claim == NameMeaning::Password && is_passphrase(value);
    }
    if sample::is_reference(value) {
        return claim == NameMeaning::Password && is_long_number(value);
    }
    match claim {
        NameMeaning::Auth => match login(value) {
            Some(login) => is_login(&login),
            None => sample::is_random(value) && !is_object_name(value),
        },
        NameMeaning::Likely => sample::is_mixed_value(value) && !is_object_name(value),
        NameMeaning::Password => {
            (value.len() >= 8 || sample::is_mixed_value(value)) && !names_a_credential(value)
        }
        NameMeaning::Secret => sample::is_random(value) && !is_object_name(value),
    }
}

/// Reports whether a value is a credential and not likely a word of a program.
pub(crate) fn is_likely_credential(key: &str, value: &str) -> bool {
    is_credential(key, value) && (sample::is_random(value) || login(value).is_some())
}

/// A longer value is a document.
const MAX_LENGTH: usize = 512;

/// Reports whether a value is a passphrase, and not a text about passwords.
fn is_passphrase(value: &str) -> bool {
    let words: Vec<String> = value.split_whitespace().map(str::to_ascii_lowercase).collect();
    let is_word = |word: &String| {
        word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !word.contains("pass")
            && !PROSE.contains(&word.as_str())
    };
    (3..=8).contains(&words.len()) && value.len() >= 12 && words.iter().all(is_word)
}

/// Words typical of sentences.
const PROSE: &[&str] = &[
    "a", "an", "and", "are", "as", "at", "be", "by", "das", "de", "der", "die", "for", "from", "has", "if",
    "in", "is", "it", "key", "la", "le", "must", "no", "not", "of", "on", "or", "secret", "see", "set",
    "that", "the", "this", "to", "token", "use", "used", "will", "with", "your",
];

/// Reports whether a value is a number such as `12345678`, too long for a setting.
fn is_long_number(value: &str) -> bool {
    value.len() >= 8 && value.bytes().all(|byte| byte.is_ascii_digit())
}

/// Decodes a registry login, stored as base64 of `user:password`.
fn login(value: &str) -> Option<String> {
    let login = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
    let is_readable = login.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    (is_readable && login.contains(':')).then_some(login)
}

/// Reports whether a login has a password that is not a placeholder.
fn is_login(login: &str) -> bool {
    let (user, password) = login.split_once(':').unwrap_or_default();
    !user.is_empty() && password.len() >= 4 && !sample::is_placeholder(password)
}

/// Reports whether a value is a hash, such as `$2y$10$…` (optionally after a user name) or `sha256:…`.
fn is_hash(value: &str) -> bool {
    let is_digest = ["md5:", "sha1:", "sha256:", "sha512:"].iter().any(|start| value.starts_with(start));
    is_digest
        || ["$2a$", "$2b$", "$2y$", "$apr1$", "$argon2", "$5$", "$6$"].iter().any(|mark| value.contains(mark))
}

/// Reports whether the value repeats the key, as in option tables of programs.
fn repeats_key(key: &str, value: &str) -> bool {
    let normalized = |text: &str| {
        text.bytes()
            .filter(u8::is_ascii_alphanumeric)
            .map(|byte| byte.to_ascii_lowercase())
            .collect::<Vec<_>>()
    };
    normalized(key) == normalized(value)
}

/// Reports whether a value is the name of a Secret, key or variable, such as `db-password` or `admin_secret`.
fn names_a_credential(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    sample::is_name(value)
        && ["password", "passwd", "secret", "token", "credential", "key", "creds"]
            .iter()
            .any(|word| lower.contains(word))
}

/// Reports whether a value may be the name of an object, including a generated suffix.
fn is_object_name(value: &str) -> bool {
    let is_name_byte =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'/');
    value.contains('-') && value.bytes().all(is_name_byte)
}
