//! Values that the name of their key calls a credential.
//!
//! The value must look like a credential as well, more so where names such as `secret` and `token` are often given to
//! references.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::name::{Claim, claim};
use super::sample;

/// Whether a key calls its value a credential.
pub(super) fn is_named_so(key: &str) -> bool {
    claim(key).is_some_and(|claim| claim != Claim::Auth)
}

/// Whether a value is a credential by its key and by its looks.
pub(super) fn is_credential(key: &str, value: &str) -> bool {
    let Some(claim) = claim(key) else { return false };
    let value = value.trim();
    if value.len() > MAX_LENGTH || sample::is_placeholder(value) || is_hash(value) || is_own_name(key, value)
    {
        return false;
    }
    if value.contains(char::is_whitespace) {
        return claim == Claim::Password && is_passphrase(value);
    }
    if sample::is_reference(value) {
        return claim == Claim::Password && is_long_number(value);
    }
    match claim {
        Claim::Auth => match login(value) {
            Some(login) => is_login(&login),
            None => sample::is_random(value) && !is_object_name(value),
        },
        Claim::Likely => sample::is_odd(value) && !is_object_name(value),
        Claim::Password => (value.len() >= 8 || sample::is_odd(value)) && !names_a_credential(value),
        Claim::Secret => sample::is_random(value) && !is_object_name(value),
    }
}

/// Whether a value is a credential, and as good as none is a word of a program instead.
pub(super) fn is_made(key: &str, value: &str) -> bool {
    is_credential(key, value) && (sample::is_random(value) || login(value).is_some())
}

/// A longer value is a document.
const MAX_LENGTH: usize = 512;

/// Words that nobody would find in a text about passwords.
fn is_passphrase(value: &str) -> bool {
    let words: Vec<String> = value.split_whitespace().map(str::to_ascii_lowercase).collect();
    let is_word = |word: &String| {
        word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !word.contains("pass")
            && !PROSE.contains(&word.as_str())
    };
    (3..=8).contains(&words.len()) && value.len() >= 12 && words.iter().all(is_word)
}

/// Words of sentences.
const PROSE: &[&str] = &[
    "a", "an", "and", "are", "as", "at", "be", "by", "das", "de", "der", "die", "for", "from", "has", "if",
    "in", "is", "it", "key", "la", "le", "must", "no", "not", "of", "on", "or", "secret", "see", "set",
    "that", "the", "this", "to", "token", "use", "used", "will", "with", "your",
];

/// `12345678`: nobody counts so far in a setting.
fn is_long_number(value: &str) -> bool {
    value.len() >= 8 && value.bytes().all(|byte| byte.is_ascii_digit())
}

/// What a registry's login says, which is kept as base64 of `user:password`.
fn login(value: &str) -> Option<String> {
    let login = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
    let is_readable = login.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    (is_readable && login.contains(':')).then_some(login)
}

/// Whether a login has a password that is no sample.
fn is_login(login: &str) -> bool {
    let (user, password) = login.split_once(':').unwrap_or_default();
    !user.is_empty() && password.len() >= 4 && !sample::is_placeholder(password)
}

/// `$2y$10$…`, perhaps with the user before it, or `sha256:…`: from what is left, nobody can read what it was.
fn is_hash(value: &str) -> bool {
    let is_digest = ["md5:", "sha1:", "sha256:", "sha512:"].iter().any(|start| value.starts_with(start));
    is_digest
        || ["$2a$", "$2b$", "$2y$", "$apr1$", "$argon2", "$5$", "$6$"].iter().any(|mark| value.contains(mark))
}

/// Whether the value repeats the key, as option tables of programs do.
fn is_own_name(key: &str, value: &str) -> bool {
    let plain = |text: &str| {
        text.bytes()
            .filter(u8::is_ascii_alphanumeric)
            .map(|byte| byte.to_ascii_lowercase())
            .collect::<Vec<_>>()
    };
    plain(key) == plain(value)
}

/// `db-password`, `userPassword`, `admin_secret`: the name of a Secret, of a key, of a variable.
fn names_a_credential(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    sample::is_name(value)
        && ["password", "passwd", "secret", "token", "credential", "key", "creds"]
            .iter()
            .any(|word| lower.contains(word))
}

/// What may be the name of an object, with the suffix that a tool gave it.
fn is_object_name(value: &str) -> bool {
    let inside =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'/');
    value.contains('-') && value.bytes().all(inside)
}
