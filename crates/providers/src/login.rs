//! The result of a login that reads no secret.

use sealwave_core::diagnostic::Note;

/// The longest identity that is shown.
#[cfg(any(feature = "remote", test))]
const MAX_IDENTITY: usize = 256;
/// The longest part of an identity between separators. Tokens are longer.
#[cfg(any(feature = "remote", test))]
const MAX_PART: usize = 64;

/// A login that succeeded.
#[derive(Debug, Default)]
pub struct Login {
    /// The name that the source has for the identity, if it tells one that can be shown.
    pub identity: Option<String>,
    /// Facts that may make references fail nevertheless.
    pub notes: Vec<Note>,
}

impl Login {
    /// Returns a login as an identity that a server reports. A server that is not the expected one may send anything, so a
    /// text is shown only if it looks like a name, and not like a token.
    #[cfg(any(feature = "remote", test))]
    pub(crate) fn with_identity(identity: Option<&str>) -> Self {
        let is_name = |text: &&str| {
            let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-+=,~".contains(&byte);
            (1..=MAX_IDENTITY).contains(&text.len())
                && text.bytes().all(|byte| is_word(byte) || b":/.@#".contains(&byte))
                && text.split([':', '/', '.', '@', '#', '-', '_']).all(|part| part.len() <= MAX_PART)
        };
        Self { identity: identity.filter(is_name).map(str::to_owned), notes: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_are_shown() {
        let shown = |text: &str| Login::with_identity(Some(text)).identity.is_some();
        for name in [
            "system:serviceaccount:argocd:argocd-repo-server",
            "arn:aws:sts::123456789012:assumed-role/shop-reader/sealwave",
            "https://issuer.example.com#jo@example.com",
            "approle",
        ] {
            assert!(shown(name), "{name}");
        }
        for text in ["", "a b", "a\nb", "a\u{1b}[31m", "é", &"a".repeat(65), &"a.".repeat(200)] {
            assert!(!shown(text), "{text}");
        }
        assert_eq!(Login::with_identity(None).identity, None);
    }
}
