//! Positions of events.

use super::error::YamlError;

/// The start of an event.
#[derive(Clone, Copy)]
pub(super) struct EventPosition {
    /// From 1.
    pub(super) line: u32,
    /// From 1.
    pub(super) column: u32,
    /// The width in characters; 0 if it extends beyond the line.
    pub(super) width: u32,
}

/// A position in the text of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TextPosition {
    /// From 1.
    pub(super) line: usize,
    /// In characters, from 1.
    pub(super) column: usize,
}

/// A result, or an error with its position.
pub(super) type EventResult<T> = Result<T, (YamlError, EventPosition)>;

pub(super) fn saturating_u32(value: impl TryInto<u32>) -> u32 {
    value.try_into().unwrap_or(u32::MAX)
}
