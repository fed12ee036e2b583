//! Whether a text is, or holds, a credential.
//!
//! Four ways to know one: the shape that an issuer gives its tokens, the lines around a private key, a URI with a password
//! in it, and the name of the key under which a value stands. The first three are sure of themselves; a name alone is not,
//! so that there the value must look like a credential too: no placeholder, no reference, no path, no name.
//!
//! What is found is said by kind alone; no value leaves here.

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

pub use excerpt::looks_like_credential;

/// What kind of credential a text holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A JSON web token.
    Jwt,
    /// Something that its key calls a credential, and that looks like one.
    Keyed,
    /// A private key.
    PrivateKey,
    /// A key that its issuer has people put into pages that everybody may read, known by its shape.
    Publishable(&'static str),
    /// A token whose issuer is known by its shape.
    Token(&'static str),
    /// A URI with a password.
    Uri,
    /// A URI with a password that everybody knows, or that is the user's name.
    WeakUri,
}

impl Kind {
    /// Whether it is a credential beyond reasonable doubt.
    pub(crate) const fn is_certain(self) -> bool {
        matches!(self, Self::PrivateKey | Self::Token(_) | Self::Uri)
    }

    /// What it is, for a message.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Jwt => "a JSON web token",
            Self::Keyed => "what looks like a credential",
            Self::PrivateKey => "a private key",
            Self::Publishable(noun) | Self::Token(noun) => noun,
            Self::Uri | Self::WeakUri => "a URI with a password",
        }
    }
}

/// What a value is, where it is a credential; `key` is the name under which it stands.
pub(crate) fn detect(key: Option<&str>, value: &str) -> Option<Kind> {
    if is_too_short(value) {
        return None;
    }
    let value = bounded(value);
    let found = tokens::find(value);
    if found.is_some_and(Kind::is_certain) {
        return found;
    }
    let uri = uri::find(value);
    if uri.is_some_and(Kind::is_certain) {
        return uri;
    }
    found.or(uri).or_else(|| key.filter(|key| keyed::is_credential(key, value)).map(|_| Kind::Keyed))
}

/// The same where a plain word is more likely no credential: the value must look as if chance had made it.
pub(crate) fn detect_strictly(key: &str, value: &str) -> Option<Kind> {
    detect(Some(key), value).filter(|kind| *kind != Kind::Keyed || sample::is_random(value))
}

/// Whether a key calls its value a credential.
pub(crate) fn is_named_so(key: &str) -> bool {
    keyed::is_named_so(key)
}

/// Returns true where a field asks for the id of a key (`accessKeyID`), and has one: the id is no secret without its key.
pub(crate) fn is_identifier(name: &str, kind: Kind) -> bool {
    kind == Kind::Token(tokens::AWS_ACCESS_KEY) && name::words(name).last().is_some_and(|word| word == "id")
}

/// Returns true where a value that no name calls a credential looks like one: letters and digits mixed, not words.
pub(crate) fn looks_made(value: &str) -> bool {
    sample::is_odd(value.trim())
}

/// Returns true for a value that documentation uses, or that something replaces later.
pub(crate) fn is_sample(value: &str) -> bool {
    sample::is_placeholder(value)
}

/// Whether a value stands for one that somebody puts there later, or says where it is.
pub(crate) fn is_stand_in(value: &str) -> bool {
    sample::is_placeholder(value) || sample::is_reference(value)
}

/// The first line of a text that holds a credential, from 0: of a configuration file, a script, an environment file.
pub(crate) fn detect_in_lines(text: &str) -> Option<(usize, Kind)> {
    let text = bounded(text);
    let sure =
        tokens::find_at(text).or_else(|| uri::find_at(text)).map(|(at, kind)| (line_of(text, at), kind));
    if sure.is_some_and(|(_, kind)| kind.is_certain()) {
        return sure;
    }
    sure.or_else(|| lines::find(text).map(|at| (line_of(text, at), Kind::Keyed)))
}

/// Whether a text is shorter than any credential.
pub(crate) const fn is_too_short(text: &str) -> bool {
    text.len() < SHORTEST
}

/// Whether a line gives a credential to a name. What is one by itself, [`detect`] has found before.
pub(crate) fn is_given_in(line: &str) -> bool {
    !is_too_short(line) && lines::find(bounded(line)).is_some()
}

/// The part of a text that is looked at: no object that a cluster takes is longer.
fn bounded(text: &str) -> &str {
    text.get(..text.floor_char_boundary(LONGEST)).unwrap_or(text)
}

/// More than etcd takes.
const LONGEST: usize = 2 * 1024 * 1024;

/// The shortest text that may be a credential.
const SHORTEST: usize = 6;

fn line_of(text: &str, at: usize) -> usize {
    memchr::memchr_iter(b'\n', text.as_bytes().get(..at).unwrap_or_default()).count()
}
