//! Parsing of PEM files as they occur in practice: text before and between blocks, CRLF, indentation, any line width.
//!
//! RFC 7468 parsers are stricter than `openssl`, which people test with. The content of blocks is checked elsewhere.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// A PEM block: its label, such as `CERTIFICATE`, and its bytes if the armor is valid.
pub(super) struct PemBlock<'a> {
    pub(super) label: &'a str,
    pub(super) der: Option<Zeroizing<Vec<u8>>>,
    /// Whether its content is encrypted with a passphrase.
    pub(super) is_encrypted: bool,
}

/// Returns all blocks in order.
pub(super) fn blocks(text: &str) -> Vec<PemBlock<'_>> {
    let mut lines = text.lines().map(str::trim);
    let mut blocks = Vec::new();
    while let Some(line) = lines.next() {
        if let Some(label) = boundary(line, "BEGIN") {
            blocks.push(block(&mut lines, label));
        }
    }
    blocks
}

/// Reports whether a file is UTF-16, with or without a byte order mark.
pub(super) fn is_utf16(file: &[u8]) -> bool {
    sealwave_core::yaml::is_utf16(file) || file.starts_with(b"-\0") || file.starts_with(b"\0-")
}

/// Removes the byte order mark of UTF-8, which some editors write.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Reports whether a text has only blocks of this label, blank lines, comments, and the names that openssl prints before a block.
/// Blocks are not indented, as they would be in a manifest.
pub(super) fn has_only(text: &str, label: &str) -> bool {
    let mut is_inside = false;
    text.lines().map(str::trim_end).all(|line| {
        if is_inside {
            is_inside = boundary(line, "END") != Some(label);
            return true;
        }
        is_inside = boundary(line, "BEGIN") == Some(label);
        is_inside
            || line.is_empty()
            || ["#", "subject=", "issuer="].iter().any(|start| line.starts_with(start))
    })
}

fn boundary<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    line.strip_prefix("-----")?.strip_prefix(word)?.strip_prefix(' ')?.strip_suffix("-----")
}

fn block<'a>(lines: &mut impl Iterator<Item = &'a str>, label: &'a str) -> PemBlock<'a> {
    let mut encoded = Zeroizing::new(String::with_capacity(8192));
    let mut is_encrypted = label.starts_with("ENCRYPTED ");
    for line in lines {
        if boundary(line, "END") == Some(label) {
            let der = STANDARD.decode(encoded.as_bytes()).ok().map(Zeroizing::new);
            return PemBlock { label, der, is_encrypted };
        }
        is_encrypted |= line.starts_with("Proc-Type:") && line.ends_with(",ENCRYPTED");
        encoded.push_str(line);
    }
    PemBlock { label, der: None, is_encrypted }
}

/// Returns a block with lines of 64 characters.
pub(super) fn encode(label: &str, der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = encoded.as_str();
    while let Some((line, more)) = rest.split_at_checked(64) {
        text.extend([line, "\n"]);
        rest = more;
    }
    if !rest.is_empty() {
        text.extend([rest, "\n"]);
    }
    text.extend(["-----END ", label, "-----\n"]);
    text
}
