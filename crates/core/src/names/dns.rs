//! DNS names (RFC 1123), as Kubernetes requires for namespaces and most object names. The only place that knows the
//! limits.

/// Maximum length of a DNS label: the name of a namespace, or a part of a host name between two dots.
pub const MAX_LABEL: usize = 63;
/// Maximum length of a DNS subdomain: the name of a Secret and of most other objects. Its parts have no limit of their
/// own.
pub(crate) const MAX_SUBDOMAIN: usize = 253;

/// The hint for a name that is not a DNS label.
pub const LABEL_HINT: &str =
    "use lower-case letters, digits and `-`, at most 63 characters, with a letter or digit at both ends";

/// Reports whether a text is a DNS label: lower-case letters and digits, and `-` inside; at most [`MAX_LABEL`] bytes.
#[must_use]
pub fn is_label(text: &str) -> bool {
    let is_alphanumeric =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let is_inner = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    let bytes = text.as_bytes();
    (1..=MAX_LABEL).contains(&text.len())
        && is_alphanumeric(bytes.first())
        && is_alphanumeric(bytes.last())
        && bytes.iter().all(is_inner)
}

/// Reports whether a text is a DNS subdomain: parts separated by dots; at most 253 bytes.
#[must_use]
pub fn is_subdomain(text: &str) -> bool {
    if !(1..=MAX_SUBDOMAIN).contains(&text.len()) {
        return false;
    }
    // Byte by byte for speed, because every object has several names.
    let mut last = b'.';
    for byte in text.bytes() {
        let fits = match byte {
            b'a'..=b'z' | b'0'..=b'9' => true,
            b'-' => last != b'.',
            b'.' => !matches!(last, b'.' | b'-'),
            _ => false,
        };
        if !fits {
            return false;
        }
        last = byte;
    }
    !matches!(last, b'.' | b'-')
}
