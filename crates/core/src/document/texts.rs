//! The texts of sources, for details that a tree does not contain: the spelling of scalars, and comments.
//!
//! Texts may contain secrets, so they are separate from [`super::Sources`], which every diagnostic can access; nothing
//! here may appear in a message.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::source::{Origin, SourceId};
use super::trace::OutputSpan;

/// The texts of the available sources.
#[derive(Default)]
pub struct SourceTexts {
    texts: BTreeMap<SourceId, SourceText>,
}

/// The text of a source, or a part of it.
pub struct SourceText {
    content: Arc<str>,
    /// Number of lines before it, if it is a part of a source.
    lines_before: u32,
    /// The spans written by templates; empty if unknown.
    spans: Vec<OutputSpan>,
    /// Start of each line; computed on first use.
    starts: OnceLock<Vec<usize>>,
    /// Number of characters that start before each multiple of [`STRIDE`]; computed for the first position on a long
    /// line.
    strides: OnceLock<Vec<usize>>,
}

/// Maximum number of bytes counted for one position; longer lines use an index of characters.
const STRIDE: usize = 4096;

impl SourceTexts {
    /// Adds the text of a source.
    pub fn add(&mut self, source: SourceId, content: Arc<str>) {
        self.add_part(source, content, 0);
    }

    /// Adds a text rendered from templates, with its spans in order.
    pub fn add_rendered(&mut self, source: SourceId, content: Arc<str>, spans: Vec<OutputSpan>) {
        self.texts.insert(source, SourceText { spans, ..SourceText::new(content, 0) });
    }

    /// Adds a part of a source's text, replacing the previous part.
    pub fn add_part(&mut self, source: SourceId, content: Arc<str>, lines_before: u32) {
        self.texts.insert(source, SourceText::new(content, lines_before));
    }

    /// Returns all texts with their sources.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &SourceText)> {
        self.texts.iter().map(|(source, text)| (*source, text))
    }

    /// Returns a line of a source.
    #[must_use]
    pub fn line(&self, source: SourceId, line: u32) -> Option<&str> {
        self.texts.get(&source)?.line(line)
    }

    /// Returns the text of a source.
    #[must_use]
    pub fn text(&self, source: SourceId) -> Option<&SourceText> {
        self.texts.get(&source)
    }

    /// Returns the spelling of a scalar in its source, without an opening quote; `None` if unknown.
    #[must_use]
    pub fn spelling(&self, origin: Origin) -> Option<&str> {
        let text = self.texts.get(&origin.source)?;
        text.content.get(text.byte_range(origin)?)
    }
}

impl SourceText {
    const fn new(content: Arc<str>, lines_before: u32) -> Self {
        Self { content, lines_before, spans: Vec::new(), starts: OnceLock::new(), strides: OnceLock::new() }
    }

    /// Returns the content.
    pub fn content(&self) -> &str {
        &self.content
    }

    /// Returns the number of lines before it, if it is a part of a source.
    pub const fn lines_before(&self) -> u32 {
        self.lines_before
    }

    /// Returns the spans written by templates, in order; empty if unknown.
    pub fn spans(&self) -> &[OutputSpan] {
        &self.spans
    }

    fn starts(&self) -> &[usize] {
        self.starts.get_or_init(|| {
            let ends = memchr::memchr_iter(b'\n', self.content.as_bytes()).map(|at| at + 1);
            std::iter::once(0).chain(ends).collect()
        })
    }

    fn line(&self, line: u32) -> Option<&str> {
        let number = (line.checked_sub(self.lines_before)? as usize).checked_sub(1)?;
        let from = *self.starts().get(number)?;
        let to = self.starts().get(number + 1).copied().unwrap_or(self.content.len());
        self.content.get(from..to).map(|line| line.trim_end_matches(['\n', '\r']))
    }

    /// Returns the byte range of an origin, at most to the end of its line.
    pub fn byte_range(&self, origin: Origin) -> Option<Range<usize>> {
        let line = self.line(origin.line)?;
        let number = (origin.line.checked_sub(self.lines_before)? as usize).checked_sub(1)?;
        let start = *self.starts().get(number)?;
        let (before, width) = ((origin.column as usize).checked_sub(1)?, origin.width as usize);
        if line.len() > STRIDE {
            let end = start + line.len();
            let first = self.characters_before(start) + before;
            let from = self.nth_character(first).filter(|from| *from <= end)?;
            return Some(from..self.nth_character(first + width).map_or(end, |to| to.min(end)));
        }
        let from = nth_char(line, before)?;
        let rest = line.get(from..)?;
        let width = nth_char(rest, width).unwrap_or(rest.len());
        Some(start + from..start + from + width)
    }

    fn strides(&self) -> &[usize] {
        self.strides.get_or_init(|| {
            let mut count = 0;
            let mut strides = vec![0];
            for stride in self.content.as_bytes().chunks(STRIDE) {
                count += stride.iter().filter(|byte| starts_character(**byte)).count();
                strides.push(count);
            }
            strides
        })
    }

    /// Returns the number of characters before a byte offset.
    fn characters_before(&self, at: usize) -> usize {
        let stride = at / STRIDE;
        let rest = self.content.as_bytes().get(stride * STRIDE..at).unwrap_or_default();
        let known = self.strides().get(stride).copied().unwrap_or_default();
        known + rest.iter().filter(|byte| starts_character(**byte)).count()
    }

    /// Returns the start of the character with this number, or the end of the text if it has just that many.
    fn nth_character(&self, number: usize) -> Option<usize> {
        let stride = self.strides().partition_point(|before| *before <= number).checked_sub(1)?;
        let from = stride * STRIDE;
        let left = number - self.strides().get(stride)?;
        let bytes = self.content.as_bytes().get(from.min(self.content.len())..)?;
        let mut starts = bytes.iter().enumerate().filter(|(_, byte)| starts_character(**byte));
        match starts.nth(left) {
            Some((at, _)) => Some(from + at),
            None => (number == self.strides().last().copied()?).then_some(self.content.len()),
        }
    }

    /// Returns the index of the line that contains a byte offset.
    pub fn line_index(&self, at: usize) -> usize {
        self.starts().partition_point(|start| *start <= at).saturating_sub(1)
    }

    /// Returns where the line with this index starts.
    pub fn line_start(&self, index: usize) -> Option<usize> {
        self.starts().get(index).copied()
    }

    /// Returns line and column of a byte offset.
    pub fn position(&self, at: usize) -> Option<(u32, u32)> {
        let line = self.line_index(at);
        let start = self.line_start(line)?;
        let before = self.content.get(start..at)?;
        let column = if before.len() > STRIDE {
            self.characters_before(at) - self.characters_before(start)
        } else {
            before.chars().count()
        };
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let line = number(line).saturating_add(1).saturating_add(self.lines_before);
        Some((line, number(column).saturating_add(1)))
    }
}

/// Reports whether a byte of UTF-8 starts a character.
const fn starts_character(byte: u8) -> bool {
    byte & 0b1100_0000 != 0b1000_0000
}

/// Returns where the character with this number starts.
fn nth_char(text: &str, number: usize) -> Option<usize> {
    if text.is_ascii() {
        return (number <= text.len()).then_some(number);
    }
    text.char_indices().map(|(at, _)| at).chain(std::iter::once(text.len())).nth(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Sources;

    #[test]
    fn a_scalar_is_found_as_it_was_written() {
        let source = Sources::default().add("a.yaml");
        let mut texts = SourceTexts::default();
        texts.add(source, "a: 0777\r\nö: {ü: yes}\n".into());
        let at = |line, column, width| Origin { source, line, column, width };
        assert_eq!(texts.spelling(at(1, 4, 4)), Some("0777"));
        assert_eq!(texts.spelling(at(2, 8, 3)), Some("yes"));
        assert_eq!(texts.spelling(at(9, 1, 1)), None);
        texts.add_part(source, "b: on\n".into(), 10);
        assert_eq!(texts.spelling(at(11, 4, 2)), Some("on"));
        assert_eq!(texts.spelling(at(1, 4, 2)), None);
    }

    #[test]
    fn positions_on_long_lines_equal_those_found_by_counting() {
        let source = Sources::default().add("a.yaml");
        let long: String = (0..4_000).map(|number| ["a", "é", "日", "😀", "b"][number % 5]).collect();
        let text = format!("x: y\n{long}\n{long}");
        let parts = SourceText::new(text.as_str().into(), 0);
        for line in [2_u32, 3] {
            for (number, (at, character)) in long.char_indices().enumerate() {
                let start = parts.line_start(line as usize - 1).unwrap();
                let column = u32::try_from(number).unwrap() + 1;
                let origin = Origin { source, line, column, width: 1 };
                assert_eq!(parts.byte_range(origin), Some(start + at..start + at + character.len_utf8()));
                assert_eq!(parts.position(start + at), Some((line, column)));
            }
            let end = parts.line_start(line as usize - 1).unwrap() + long.len();
            let behind = |column, width| parts.byte_range(Origin { source, line, column, width });
            assert_eq!(behind(4_001, 0), Some(end..end));
            assert_eq!(behind(3_990, 900).unwrap().end, end, "no farther than the line");
            assert_eq!(behind(4_002 + u32::from(line == 2), 1), None);
        }
    }
}
