//! Values that the name of their key calls a credential.
//!
//! `DB_PASSWORD` does, `TOKEN_TTL`, `secretName`, `passwordFile` and `tokenSecretRef` do not: the last word of a name says
//! what it is. The value must look like a credential as well, more so where names such as `secret` and `token` are often
//! given to references.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::sample;

/// How much a name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claim {
    /// The value is a password, whatever it looks like.
    Password,
    /// The value is a secret or says where there is one.
    Secret,
}

/// Whether a key calls its value a credential.
pub(super) fn is_named_so(key: &str) -> bool {
    claim(key).is_some()
}

/// Whether a value is a credential by its key and by its looks.
pub(super) fn is_credential(key: &str, value: &str) -> bool {
    let Some(claim) = claim(key) else { return false };
    let value = value.trim();
    if !(8..=MAX_LENGTH).contains(&value.len())
        || value.contains(char::is_whitespace)
        || sample::is_placeholder(value)
        || sample::is_reference(value)
        || is_own_name(key, value)
    {
        return false;
    }
    match claim {
        Claim::Password => !names_a_credential(value),
        Claim::Secret => sample::is_random(value) && !is_object_name(value),
    }
}

/// A longer value is a document.
const MAX_LENGTH: usize = 512;

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

/// What a name says of its value, by its last words.
fn claim(key: &str) -> Option<Claim> {
    let words = words(key);
    let mut rest = words.as_slice();
    // `SECRET_KEY_BASE`, `PASSWORD_2`
    while let [shorter @ .., last] = rest
        && matches!(last.as_str(), "" | "b" | "base" | "value")
    {
        rest = shorter;
    }
    match rest {
        [.., last] if matches!(last.as_str(), "passwd" | "passphrase" | "password" | "pwd") => {
            Some(Claim::Password)
        }
        [.., last]
            if matches!(
                last.as_str(),
                "accesskey"
                    | "apikey"
                    | "credential"
                    | "credentials"
                    | "privatekey"
                    | "secret"
                    | "secretkey"
                    | "token"
                    | "pass"
            ) =>
        {
            Some(Claim::Secret)
        }
        [.., of, last]
            if last == "key"
                && matches!(
                    of.as_str(),
                    "access"
                        | "account"
                        | "api"
                        | "auth"
                        | "encryption"
                        | "master"
                        | "private"
                        | "secret"
                        | "signing"
                ) =>
        {
            Some(Claim::Secret)
        }
        _ => None,
    }
}

/// The words of a name in lower case, without digits at their ends: of `dbPassword2`, `DB_PASSWORD`, `db.password`.
pub(super) fn words(key: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in key.chars().take(MAX_KEY) {
        let starts = c.is_ascii_uppercase() && before.is_ascii_lowercase();
        if (starts || !c.is_ascii_alphanumeric()) && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_ascii_alphanumeric()) {
            word.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    for word in &mut words {
        word.truncate(word.trim_end_matches(|c: char| c.is_ascii_digit()).len());
    }
    words
}

/// A longer name is none.
const MAX_KEY: usize = 256;

static WORDS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let words = [
        "passw",
        "passphrase",
        "pwd",
        "secret",
        "token",
        "credential",
        "_key",
        "apikey",
        "api-key",
        "accesskey",
        "privatekey",
    ];
    AhoCorasick::builder().ascii_case_insensitive(true).build(words).ok()
});

/// Where the first line of a file starts that gives a credential.
pub(super) fn find_in_lines(text: &str) -> Option<usize> {
    let words = WORDS.as_ref()?;
    let mut from = 0;
    while let Some(hit) = words.find(text.get(from..)?) {
        let at = from + hit.start();
        let start = text.get(..at)?.rfind('\n').map_or(0, |before| before + 1);
        let end = memchr::memchr(b'\n', text.as_bytes().get(at..)?).map_or(text.len(), |length| at + length);
        if text.get(start..end).is_some_and(is_assignment) {
            return Some(start);
        }
        from = end;
    }
    None
}

/// Whether a line gives a credential to a name: `name = value`, `name: value`, `"name": "value",`, `export NAME=value`.
fn is_assignment(line: &str) -> bool {
    let Some((name, value)) = assignment(line) else { return false };
    let code =
        |c: char| matches!(c, '(' | ')' | '[' | ']' | '{' | '}' | ';' | '`' | '|' | '<' | '>' | '$' | ',');
    // Without quotes and chance, it is a word of a program as likely as a password.
    !value.contains(code) && is_credential(name, value) && sample::is_random(value)
}

/// Name and value of a line, without quotes.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.len() > MAX_LINE || line.starts_with(['#', ';', '*', '/']) || line.starts_with("--") {
        return None;
    }
    let line = line.strip_prefix("export ").or_else(|| line.strip_prefix("- ")).unwrap_or(line);
    let (name, value) = line.split_once(['=', ':'])?;
    let name = name.trim().trim_matches(['"', '\'']);
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let value = value.trim().trim_end_matches(',').trim_matches(['"', '\'']);
    (!name.is_empty() && name.chars().all(is_name)).then_some((name, value))
}

/// A longer line is no assignment that a person wrote.
const MAX_LINE: usize = 1024;

/// Whether a line of any source may give one.
pub(super) fn may_be_in(line: &str) -> bool {
    let Some(words) = WORDS.as_ref() else { return true };
    let may_be_one = |part: &str| {
        assignment(part.trim_start_matches(['#', '-', ';', ' ']))
            .is_some_and(|(name, value)| may_be(name, value))
    };
    words.is_match(line)
        && (line.split(['{', '}', ',', '[', ']', '&', ';', '?']).any(may_be_one)
            || line.split_whitespace().any(may_be_one)
            || may_be_one(line))
}

fn may_be(name: &str, value: &str) -> bool {
    claim(name).is_some()
        && value.len() >= 4
        && !sample::is_placeholder(value)
        && !matches!(value, "true" | "false")
}
