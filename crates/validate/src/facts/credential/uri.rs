//! Finds URIs and connection strings with a password: `scheme://user:password@host`.

use super::{CredentialKind, sample};

/// Returns the kind of URI password in a text, certain ones first.
pub(crate) fn find(text: &str) -> Option<CredentialKind> {
    find_at(text).map(|(_, kind)| kind)
}

/// Like [`find`], with the offset.
pub(crate) fn find_at(text: &str) -> Option<(usize, CredentialKind)> {
    let bytes = text.as_bytes();
    let mut weak = None;
    // Each authority is read once and has a maximum length, so the search is linear.
    for at in memchr::memchr_iter(b':', bytes) {
        if !bytes.get(at..).is_some_and(|rest| rest.starts_with(b"://")) {
            continue;
        }
        let scheme = bytes.get(..at).unwrap_or_default();
        if !scheme.last().is_some_and(u8::is_ascii_alphanumeric) {
            continue;
        }
        match text.get(at + 3..).and_then(password) {
            Some(CredentialKind::Uri) => return Some((at, CredentialKind::Uri)),
            found => weak = weak.or(found.map(|kind| (at, kind))),
        }
    }
    match dsn(text) {
        found @ Some((_, CredentialKind::Uri)) => found,
        found => weak.or(found),
    }
}

/// Finds a password among other parameters: `…;Password=…;`, `…?user=…&password=…`, `host=… password=…`.
fn dsn(text: &str) -> Option<(usize, CredentialKind)> {
    let bytes = text.as_bytes();
    let mut weak = None;
    for at in memchr::memchr_iter(b'=', bytes) {
        let before = text.get(..at)?;
        let is_password = ["password", "pwd"].iter().find(|name| {
            let start = at.checked_sub(name.len());
            start.and_then(|start| before.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(name))
        });
        let Some(name) = is_password else { continue };
        let parameter = before.get(..at - name.len())?;
        if !parameter.ends_with(['?', '&', ';', ' ']) || !has_parameter(parameter) {
            continue;
        }
        let is_delimiter = |c: char| c.is_whitespace() || matches!(c, '&' | ';' | '"' | '\'' | '`' | '\\');
        let value = text.get(at + 1..)?.split(is_delimiter).next()?;
        if value.len() < 8
            || sample::is_placeholder(value)
            || sample::is_reference(value)
            || sample::is_name(value)
        {
            continue;
        }
        if sample::is_random(value) {
            return Some((at, CredentialKind::Uri));
        }
        weak = weak.or(Some((at, CredentialKind::WeakUri)));
    }
    weak
}

/// Reports whether another parameter directly precedes, as in connection strings.
fn has_parameter(before: &str) -> bool {
    let before = before.trim_end_matches(['?', '&', ';', ' ']);
    let last = before.rsplit(['?', '&', ';', ' ', '\n']).next().unwrap_or_default();
    last.len() <= LONGEST && (last.contains('=') || last.contains("://"))
}

/// The most bytes of an authority.
const LONGEST: usize = 512;

/// Returns the kind of password in an authority.
fn password(rest: &str) -> Option<CredentialKind> {
    let is_delimiter = |byte: u8| {
        byte.is_ascii_whitespace()
            || matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\'' | b'`' | b'\\' | b')' | b',')
    };
    let end = rest.bytes().take(LONGEST).position(is_delimiter).unwrap_or_else(|| rest.len().min(LONGEST));
    let (info, host) = rest.get(..end)?.rsplit_once('@')?;
    let (user, password) = info.split_once(':')?;
    if password.is_empty() || host.is_empty() || is_digest(host) || is_placeholder(user, password, host) {
        return None;
    }
    let is_weak = password.eq_ignore_ascii_case(user)
        || password.len() < 8
        || sample::is_name(password)
        || is_local(host);
    Some(if is_weak { CredentialKind::WeakUri } else { CredentialKind::Uri })
}

/// Reports whether the host is an image digest: `image:tag@sha256:…` looks like a URI.
fn is_digest(host: &str) -> bool {
    let (algorithm, rest) = host.split_once(':').unwrap_or_default();
    matches!(algorithm, "sha256" | "sha512") && rest.len() >= 32
}

/// Reports whether the parts are documentation or placeholders.
fn is_placeholder(user: &str, password: &str, host: &str) -> bool {
    const WORDS: &[&str] = &[
        "pass",
        "passwd",
        "password",
        "pwd",
        "pw",
        "secret",
        "token",
        "user",
        "key",
        "credentials",
        "apikey",
        "api_key",
        "mypassword",
        "my-password",
        "userpassword",
        "pass123",
        "password123",
        "x-oauth-basic",
    ];
    let lower = password.to_ascii_lowercase();
    let is_pattern = |text: &str| text.contains(['[', ']', '^', '|', '\\']);
    sample::is_placeholder(password)
        || is_pattern(user)
        || is_pattern(password)
        || password.contains(['$', '{', '}', '%']) && !is_percent_encoded(password)
        || password.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        || WORDS.contains(&lower.as_str())
        || user.contains(['$', '{', '<', '%']) && password.len() < 4
        || is_documentation(host)
}

fn is_percent_encoded(text: &str) -> bool {
    !text.contains(['$', '{', '}'])
        && text.split('%').skip(1).all(|rest| {
            rest.get(..2).is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
        })
}

fn is_documentation(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or(host).to_ascii_lowercase();
    ["example.com", "example.net", "example.org", ".example", ".test", ".invalid"]
        .iter()
        .any(|end| name.ends_with(end))
        || matches!(name.as_str(), "host" | "hostname" | "server" | "proxy" | "myhost" | "example")
}

fn is_local(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or(host);
    matches!(name, "localhost" | "127.0.0.1" | "0.0.0.0")
}
