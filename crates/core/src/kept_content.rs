//! Content that no command replaces: private keys, and Secrets in plaintext, which may exist nowhere else.
//!
//! Only the form of the content is looked at, and none of it is kept or shown.

use std::path::Path;

use zeroize::Zeroizing;

use crate::bounded_file::{BoundedReadError, read_regular_file};

/// The most bytes that are looked at; a larger file is neither a key nor a manifest that a person wrote.
const MAX_BYTES: u64 = 64 << 20;

/// A kind of content that no command replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptContent {
    /// A private key.
    PrivateKey,
    /// A Secret in plaintext.
    Secret,
}

impl KeptContent {
    /// Returns what a file holds that must not be replaced; `None` if nothing is found.
    #[must_use]
    pub fn find(bytes: &[u8]) -> Option<Self> {
        // Also UTF-16: the words that are searched are ASCII.
        let text = Zeroizing::new(bytes.iter().copied().filter(|byte| *byte != 0).collect::<Vec<u8>>());
        if has_private_key(&text) {
            return Some(Self::PrivateKey);
        }
        has_secret(&text).then_some(Self::Secret)
    }

    /// Looks at a file. One that does not exist, is not a regular file or cannot be read is left to the writer.
    #[must_use]
    pub fn find_in(path: &Path) -> Option<Self> {
        match read_regular_file(path, MAX_BYTES) {
            Ok(bytes) => Self::find(&bytes),
            Err(BoundedReadError::Io(_) | BoundedReadError::NotRegular | BoundedReadError::TooLarge) => None,
        }
    }

    /// Returns the words for messages.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::PrivateKey => "a private key",
            Self::Secret => "a Secret in plaintext",
        }
    }
}

/// Reports whether a text has the armor of a private key in PEM, or an identity of age, on a line of its own.
fn has_private_key(text: &[u8]) -> bool {
    text.split(|byte| matches!(byte, b'\n' | b'\r')).any(|line| {
        let line = start_of(line).trim_ascii_end();
        line.starts_with(b"-----BEGIN ") && line.ends_with(b"PRIVATE KEY-----")
            || line.starts_with(b"AGE-SECRET-KEY-")
    })
}

/// Returns a line without a byte order mark and spaces.
fn start_of(line: &[u8]) -> &[u8] {
    let marks: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];
    let rest = marks.iter().find_map(|mark| line.strip_prefix(*mark));
    rest.unwrap_or(line).trim_ascii_start()
}

/// Reports whether a text has a field `kind: Secret`, as YAML or JSON. A quoted line in a report has other text before it.
fn has_secret(text: &[u8]) -> bool {
    text.split(|byte| matches!(byte, b'\n' | b'\r' | b'{' | b',')).any(|part| {
        let part = start_of(part);
        let part = part.strip_prefix(b"- ").unwrap_or(part).trim_ascii_start();
        let Some(colon) = part.iter().position(|byte| *byte == b':') else { return false };
        let (key, value) = part.split_at(colon);
        let value = value.get(1..).unwrap_or_default();
        let end = value.iter().position(|byte| matches!(byte, b'}' | b'#')).unwrap_or(value.len());
        unquoted(key) == b"kind" && unquoted(value.get(..end).unwrap_or_default()) == b"Secret"
    })
}

fn unquoted(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii();
    let inner = |quote: &[u8]| text.strip_prefix(quote)?.strip_suffix(quote);
    inner(b"\"").or_else(|| inner(b"'")).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_secrets_are_found_in_every_form() {
        use KeptContent::{PrivateKey, Secret};
        let utf16 = |text: &str| {
            format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()
        };
        for (content, expected) in [
            (b"-----BEGIN RSA PRIVATE KEY-----\n".to_vec(), Some(PrivateKey)),
            (b"# created\nAGE-SECRET-KEY-1X\n".to_vec(), Some(PrivateKey)),
            (utf16("-----BEGIN PRIVATE KEY-----\n"), Some(PrivateKey)),
            (b"apiVersion: v1\nkind: Secret\n".to_vec(), Some(Secret)),
            (b"\xef\xbb\xbfkind: 'Secret' # x\r\n".to_vec(), Some(Secret)),
            (b"items:\n- kind: \"Secret\"\n".to_vec(), Some(Secret)),
            (br#"{"apiVersion":"v1","kind":"Secret"}"#.to_vec(), Some(Secret)),
            (b"{kind: Secret}".to_vec(), Some(Secret)),
            (utf16("kind: Secret\n"), Some(Secret)),
            (b"kind: SealedSecret\n".to_vec(), None),
            (b"  3 | kind: Secret\n".to_vec(), None),
            (b"hint: it has a line `-----BEGIN PRIVATE KEY-----`\n".to_vec(), None),
            (b"-----BEGIN CERTIFICATE-----\n".to_vec(), None),
            (Vec::new(), None),
        ] {
            assert_eq!(KeptContent::find(&content), expected, "{}", String::from_utf8_lossy(&content));
        }
    }
}
