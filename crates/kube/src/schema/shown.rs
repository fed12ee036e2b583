//! Texts of definitions in messages.

use sealwave_core::diagnostic::printable;

/// Maximum length of a text from a CRD in a message, in characters.
const SHOWN_CHARACTERS: usize = 120;

/// Returns a text from a CRD, shortened for a message.
pub(super) fn shown(text: &str) -> String {
    shown_text(text, SHOWN_CHARACTERS)
}

/// Shortens a text to a number of characters.
pub(super) fn shown_text(text: &str, most: usize) -> String {
    let mut short: String = text.chars().take(most).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    printable(short.replace('\n', " "))
}
