//! DNS names by RFC 1123, as Kubernetes wants namespaces and most names of objects. The one place that knows the limits.

/// The longest DNS label: the name of a namespace, or a part of a name between two dots of a host.
pub const MAX_LABEL: usize = 63;
/// The longest DNS subdomain: the name of a Secret and of most other objects. Its parts have no limit of their own.
pub(crate) const MAX_SUBDOMAIN: usize = 253;

/// Whether a text is a DNS label: lower-case letters, digits and `-` inside, at most [`MAX_LABEL`].
pub fn is_label(text: &str) -> bool {
    let end = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let inside = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    let bytes = text.as_bytes();
    (1..=MAX_LABEL).contains(&text.len())
        && end(bytes.first())
        && end(bytes.last())
        && bytes.iter().all(inside)
}

/// Whether a text is a DNS subdomain: parts with dots between them, at most [`MAX_SUBDOMAIN`] in all.
pub fn is_subdomain(text: &str) -> bool {
    if !(1..=MAX_SUBDOMAIN).contains(&text.len()) {
        return false;
    }
    // Byte by byte, as every object has several of them.
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
