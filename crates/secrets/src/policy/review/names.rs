//! The characters of names that rules match, to find patterns that no name matches.

/// The form of the names of a field.
#[derive(Clone, Copy)]
pub(super) struct NameForm {
    /// The characters beside lower-case letters, digits and `-`.
    more: &'static str,
    /// The reason why a pattern with others matches nothing.
    why: &'static str,
}

pub(super) const LABEL: NameForm =
    NameForm { more: "", why: "names of namespaces have only lower-case letters, digits and `-`" };
pub(super) const NAME_OF_APP: NameForm =
    NameForm { more: "._", why: "names of apps have only lower-case letters, digits, `-`, `.` and `_`" };
pub(super) const NAME_OF_PROJECT: NameForm =
    NameForm { more: ".", why: "names of projects have only lower-case letters, digits, `-` and `.`" };

impl NameForm {
    /// Returns the reason why no name matches a pattern, if that is certain.
    pub(super) fn problem(self, pattern: &str) -> Option<&'static str> {
        if pattern.is_empty() {
            return Some("it is empty");
        }
        // Classes, choices, escapes and variables are not examined.
        let is_plain = !pattern.contains(['[', '{', '\\']);
        let is_possible = |c: char| {
            c.is_ascii_lowercase() || c.is_ascii_digit() || "-*?".contains(c) || self.more.contains(c)
        };
        (is_plain && !pattern.chars().all(is_possible)).then_some(self.why)
    }
}

/// Returns the reason why no repository URL matches a pattern, if that is certain.
pub(super) fn repository_problem(pattern: &str) -> Option<&'static str> {
    if pattern.is_empty() {
        return Some("it is empty");
    }
    let may_be_scheme = pattern.starts_with(['*', '?', '[', '{', '\\']);
    // SSH's `user@host:path` becomes a URL.
    let is_url = pattern.contains("://") || pattern.contains(':');
    (!may_be_scheme && !is_url).then_some("it has no scheme")
}
