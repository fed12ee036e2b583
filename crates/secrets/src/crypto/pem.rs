//! Taking the armour off PEM files, as people really have them: text before and between, CRLF, indentation, any line width.
//!
//! RFC 7468 readers are stricter than `openssl`, which everybody tests with. What the blocks hold is judged elsewhere.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// One block: its label, such as `CERTIFICATE`, and its bytes where the armour is sound.
pub(super) struct Block<'a> {
    pub(super) label: &'a str,
    pub(super) der: Option<Zeroizing<Vec<u8>>>,
}

/// All blocks in order; none where there is no armour.
pub(super) fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut lines = text.lines().map(str::trim);
    let mut blocks = Vec::new();
    while let Some(line) = lines.next() {
        if let Some(label) = boundary(line, "BEGIN") {
            blocks.push(Block { label, der: body(&mut lines, label) });
        }
    }
    blocks
}

fn boundary<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    line.strip_prefix("-----")?.strip_prefix(word)?.strip_prefix(' ')?.strip_suffix("-----")
}

fn body<'a>(lines: &mut impl Iterator<Item = &'a str>, label: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut encoded = Zeroizing::new(String::with_capacity(8192));
    for line in lines {
        if boundary(line, "END") == Some(label) {
            return STANDARD.decode(encoded.as_bytes()).ok().map(Zeroizing::new);
        }
        encoded.push_str(line);
    }
    None
}
