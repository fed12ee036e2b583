//! Turns the bytes of a file or of standard input into text, with the reason why they are not text.

use sealwave_core::diagnostic::{Explain, NOT_UTF8};
use sealwave_core::yaml::{YamlError, is_utf16};

/// A reason why bytes are not the text of a file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TextError {
    #[error("text {NOT_UTF8}")]
    NotUtf8 { line: u32, column: u32 },
    #[error("{0}")]
    Utf16(YamlError),
}

impl Explain for TextError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NotUtf8 { .. } => Some("save the file as UTF-8".to_owned()),
            Self::Utf16(error) => error.hint(),
        }
    }
}

impl TextError {
    /// Returns the line and the column of the error; 0 for the whole text.
    pub(crate) const fn position(&self) -> (u32, u32) {
        match self {
            Self::NotUtf8 { line, column } => (*line, *column),
            Self::Utf16(_) => (0, 0),
        }
    }
}

/// Returns the text of bytes, without a byte order mark.
///
/// # Errors
/// The bytes are not UTF-8.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<String, TextError> {
    if is_utf16(&bytes) {
        return Err(TextError::Utf16(YamlError::Utf16));
    }
    String::from_utf8(bytes).map(without_mark).map_err(|error| {
        let (line, column) = end_of_text(error.as_bytes(), error.utf8_error().valid_up_to());
        TextError::NotUtf8 { line, column }
    })
}

/// Returns the line and the column, in characters, after the first `length` bytes, which are valid text.
fn end_of_text(bytes: &[u8], length: usize) -> (u32, u32) {
    let text = bytes.get(..length).map(String::from_utf8_lossy).unwrap_or_default();
    let last = text.rsplit('\n').next().unwrap_or_default();
    let number = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
    (number(text.matches('\n').count()), number(last.chars().count()))
}

/// Removes a byte order mark, which a template would place in the middle of a document.
fn without_mark(mut text: String) -> String {
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    text
}
