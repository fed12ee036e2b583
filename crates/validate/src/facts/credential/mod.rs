//! Detects credentials in texts.
//!
//! There are four signs: the token format of an issuer, the lines around a private key, a URI with a password, and the
//! name of a value's key. The first three are reliable. A name alone is not, so the value must look like a credential
//! too: not a placeholder, reference, path or name.
//!
//! Results hold the kind of a credential only, never a value.

mod excerpt;
pub(crate) mod files;
mod keyed;
mod lines;
mod name;
mod sample;
#[cfg(test)]
mod tests;
mod tokens;
mod uri;

pub(crate) use excerpt::looks_like_credential;

/// A kind of credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CredentialKind {
    /// A JSON web token.
    Jwt,
    /// A value with the name and the look of a credential.
    Keyed,
    /// A private key.
    PrivateKey,
    /// A key that its issuer intends for public pages, recognized by its format.
    Publishable(&'static str),
    /// A token, recognized by its issuer's format.
    Token(&'static str),
    /// A URI with a password.
    Uri,
    /// A URI with a well-known password, or one that equals the user name.
    WeakUri,
}

impl CredentialKind {
    /// Reports whether it is certainly a credential.
    pub(crate) const fn is_certain(self) -> bool {
        matches!(self, Self::PrivateKey | Self::Token(_) | Self::Uri)
    }

    /// Returns a noun for messages.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Jwt => "a JSON web token",
            Self::Keyed => "a likely credential",
            Self::PrivateKey => "a private key",
            Self::Publishable(noun) | Self::Token(noun) => noun,
            Self::Uri | Self::WeakUri => "a URI with a password",
        }
    }
}

/// Returns the kind of credential that a value is, if any; `key` is the name of the value.
pub(crate) fn detect(key: Option<&str>, value: &str) -> Option<CredentialKind> {
    if is_too_short(value) {
        return None;
    }
    let value = bounded(value);
    let found = tokens::find(value);
    if found.is_some_and(CredentialKind::is_certain) {
        return found;
    }
    let uri = uri::find(value);
    if uri.is_some_and(CredentialKind::is_certain) {
        return uri;
    }
    found
        .or(uri)
        .or_else(|| key.filter(|key| keyed::is_credential(key, value)).map(|_| CredentialKind::Keyed))
}

/// Reports whether a value may be a credential. In doubt it is one: a value under the name of a credential always is, unless
/// it is in the form of a placeholder, or the name of an object under a key such as `existingSecret`.
#[must_use]
pub fn may_be_credential(key: &str, value: &str) -> bool {
    let is_placeholder = value.is_empty() || value.starts_with('<') && value.ends_with('>');
    let lower = key.to_ascii_lowercase();
    let is_reference = (lower.starts_with("existing") || lower.ends_with("name") || lower.ends_with("ref"))
        && value
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | '/'));
    let is_named = || is_credential_name(key) && !is_placeholder && !is_reference;
    detect(Some(key), value).is_some() || detect_in_lines(value).is_some() || is_named()
}

/// Like [`detect`], for places where a plain word is unlikely to be a credential: the value must look random.
pub(crate) fn detect_strictly(key: &str, value: &str) -> Option<CredentialKind> {
    detect(Some(key), value).filter(|kind| *kind != CredentialKind::Keyed || sample::is_random(value))
}

/// Reports whether a key names a credential.
pub(crate) fn is_credential_name(key: &str) -> bool {
    keyed::is_credential_name(key)
}

/// Reports whether a field holds the id of a key (`accessKeyID`); the id alone is not a secret.
pub(crate) fn is_identifier(name: &str, kind: CredentialKind) -> bool {
    kind == CredentialKind::Token(tokens::AWS_ACCESS_KEY)
        && name::words(name).last().is_some_and(|word| word == "id")
}

/// Reports whether a value looks generated: mixed letters and digits, not words.
pub(crate) fn looks_generated(value: &str) -> bool {
    sample::is_mixed_value(value.trim())
}

/// Reports whether a value is a sample from documentation or a placeholder.
pub(crate) fn is_sample(value: &str) -> bool {
    sample::is_placeholder(value)
}

/// Reports whether a value is a placeholder or a reference.
pub(crate) fn is_placeholder_or_reference(value: &str) -> bool {
    sample::is_placeholder(value) || sample::is_reference(value)
}

/// Returns the first line with a credential, from 0, of a configuration file, a script or an environment file.
pub(crate) fn detect_in_lines(text: &str) -> Option<(usize, CredentialKind)> {
    let text = bounded(text);
    let reliable =
        tokens::find_at(text).or_else(|| uri::find_at(text)).map(|(at, kind)| (line_of(text, at), kind));
    if reliable.is_some_and(|(_, kind)| kind.is_certain()) {
        return reliable;
    }
    reliable.or_else(|| lines::find(text).map(|at| (line_of(text, at), CredentialKind::Keyed)))
}

/// Reports whether a text is shorter than any credential.
pub(crate) const fn is_too_short(text: &str) -> bool {
    text.len() < SHORTEST
}

/// Reports whether a line assigns a credential to a name; [`detect`] finds those that need no name.
pub(crate) fn assigns_credential(line: &str) -> bool {
    !is_too_short(line) && lines::find(bounded(line)).is_some()
}

/// Returns the part of a text that is searched; no object that a cluster accepts is longer.
fn bounded(text: &str) -> &str {
    text.get(..text.floor_char_boundary(LONGEST)).unwrap_or(text)
}

/// The most bytes that are searched, more than etcd accepts.
const LONGEST: usize = 2 * 1024 * 1024;

/// The shortest text that may be a credential.
const SHORTEST: usize = 6;

fn line_of(text: &str, at: usize) -> usize {
    memchr::memchr_iter(b'\n', text.as_bytes().get(..at).unwrap_or_default()).count()
}
