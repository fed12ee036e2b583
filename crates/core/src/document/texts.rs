//! The texts of sources, for what a tree does not say: how a scalar is spelt, what a comment says.
//!
//! They may hold secrets, so they are kept apart from [`super::Sources`], which every diagnostic can reach; nothing here
//! is ever put into a message.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::source::{Origin, SourceId};
use super::trace::Stretch;

/// The texts of the sources at hand.
#[derive(Default)]
pub struct Texts {
    texts: BTreeMap<SourceId, SourceText>,
}

/// The text of a source, or a part of it.
pub struct SourceText {
    content: Arc<str>,
    /// Lines before it, where it is a part of a source.
    lines_before: u32,
    /// What wrote it, where templates did.
    stretches: Vec<Stretch>,
    /// Where each line starts; found out when the first rule asks.
    starts: OnceLock<Vec<usize>>,
    /// Characters that start before each multiple of [`STRIDE`]; found out when a position on a long line is asked for.
    strides: OnceLock<Vec<usize>>,
}

/// Bytes that are counted for one position at most; characters of longer lines are found by an index.
const STRIDE: usize = 4096;

impl Texts {
    /// Adds a source's text.
    pub fn add(&mut self, source: SourceId, content: Arc<str>) {
        self.add_part(source, content, 0);
    }

    /// Adds a text that templates rendered to, and what wrote it, in order.
    pub fn add_rendered(&mut self, source: SourceId, content: Arc<str>, stretches: Vec<Stretch>) {
        self.texts.insert(source, SourceText { stretches, ..SourceText::new(content, 0) });
    }

    /// Adds a part of a source's text, in place of the part before.
    pub fn add_part(&mut self, source: SourceId, content: Arc<str>, lines_before: u32) {
        self.texts.insert(source, SourceText::new(content, lines_before));
    }

    /// All texts, by their sources.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &SourceText)> {
        self.texts.iter().map(|(source, text)| (*source, text))
    }

    /// The line that a position is on.
    pub fn line(&self, source: SourceId, line: u32) -> Option<&str> {
        self.texts.get(&source)?.line(line)
    }

    /// The text of a source.
    pub fn text(&self, source: SourceId) -> Option<&SourceText> {
        self.texts.get(&source)
    }

    /// How a scalar is spelt in its source, without a quote where it has one; `None` where that is not known.
    pub fn spelling(&self, origin: Origin) -> Option<&str> {
        let text = self.texts.get(&origin.source)?;
        text.content.get(text.bytes(origin)?)
    }
}

impl SourceText {
    const fn new(content: Arc<str>, lines_before: u32) -> Self {
        Self {
            content,
            lines_before,
            stretches: Vec::new(),
            starts: OnceLock::new(),
            strides: OnceLock::new(),
        }
    }

    /// The text itself.
    pub fn content(&self) -> &str {
        &self.content
    }

    /// Lines before it, where it is a part of a source.
    pub const fn lines_before(&self) -> u32 {
        self.lines_before
    }

    /// What wrote it, in order; nothing where that is not known.
    pub fn stretches(&self) -> &[Stretch] {
        &self.stretches
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

    /// The bytes of what stands at a position, at most to the end of its line.
    pub fn bytes(&self, origin: Origin) -> Option<Range<usize>> {
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

    /// Characters before a byte.
    fn characters_before(&self, at: usize) -> usize {
        let stride = at / STRIDE;
        let rest = self.content.as_bytes().get(stride * STRIDE..at).unwrap_or_default();
        let known = self.strides().get(stride).copied().unwrap_or_default();
        known + rest.iter().filter(|byte| starts_character(**byte)).count()
    }

    /// Where the character of this number starts; the end of the text where that many come before it.
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

    /// The number of the line that a byte is on, from 0.
    pub fn line_index(&self, at: usize) -> usize {
        self.starts().partition_point(|start| *start <= at).saturating_sub(1)
    }

    /// Where the line of a number starts, from 0.
    pub fn line_start(&self, index: usize) -> Option<usize> {
        self.starts().get(index).copied()
    }

    /// Line and column of a byte.
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

/// Whether a byte of UTF-8 is the first one of a character.
const fn starts_character(byte: u8) -> bool {
    byte & 0b1100_0000 != 0b1000_0000
}

/// Where the character of this number starts.
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
        let mut texts = Texts::default();
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
    fn a_position_on_a_long_line_is_where_counting_finds_it() {
        let source = Sources::default().add("a.yaml");
        let long: String = (0..4_000).map(|number| ["a", "é", "日", "😀", "b"][number % 5]).collect();
        let text = format!("x: y\n{long}\n{long}");
        let parts = SourceText::new(text.as_str().into(), 0);
        for line in [2_u32, 3] {
            for (number, (at, character)) in long.char_indices().enumerate() {
                let start = parts.line_start(line as usize - 1).unwrap();
                let column = u32::try_from(number).unwrap() + 1;
                let origin = Origin { source, line, column, width: 1 };
                assert_eq!(parts.bytes(origin), Some(start + at..start + at + character.len_utf8()));
                assert_eq!(parts.position(start + at), Some((line, column)));
            }
            let end = parts.line_start(line as usize - 1).unwrap() + long.len();
            let behind = |column, width| parts.bytes(Origin { source, line, column, width });
            assert_eq!(behind(4_001, 0), Some(end..end));
            assert_eq!(behind(3_990, 900).unwrap().end, end, "no farther than the line");
            assert_eq!(behind(4_002 + u32::from(line == 2), 1), None);
        }
    }
}
