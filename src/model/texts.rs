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
pub(crate) struct Texts {
    texts: BTreeMap<SourceId, SourceText>,
}

/// The text of a source, or a part of it.
pub(crate) struct SourceText {
    content: Arc<str>,
    /// Lines before it, where it is a part of a source.
    lines_before: u32,
    /// What wrote it, where templates did.
    stretches: Vec<Stretch>,
    /// Where each line starts; found out when the first rule asks.
    starts: OnceLock<Vec<usize>>,
}

impl Texts {
    /// Adds a source's text.
    pub(crate) fn add(&mut self, source: SourceId, content: Arc<str>) {
        self.add_part(source, content, 0);
    }

    /// Adds a text that templates rendered to, and what wrote it, in order.
    pub(crate) fn add_rendered(&mut self, source: SourceId, content: Arc<str>, stretches: Vec<Stretch>) {
        self.texts.insert(source, SourceText { stretches, ..SourceText::new(content, 0) });
    }

    /// Adds a part of a source's text, in place of the part before.
    pub(crate) fn add_part(&mut self, source: SourceId, content: Arc<str>, lines_before: u32) {
        self.texts.insert(source, SourceText::new(content, lines_before));
    }

    /// All texts, by their sources.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (SourceId, &SourceText)> {
        self.texts.iter().map(|(source, text)| (*source, text))
    }

    /// The line that a position is on.
    pub(crate) fn line(&self, source: SourceId, line: u32) -> Option<&str> {
        self.texts.get(&source)?.line(line)
    }

    /// The text of a source.
    pub(crate) fn text(&self, source: SourceId) -> Option<&SourceText> {
        self.texts.get(&source)
    }

    /// How a scalar is spelt in its source, without a quote where it has one; `None` where that is not known.
    pub(crate) fn spelling(&self, origin: Origin) -> Option<&str> {
        let text = self.texts.get(&origin.source)?;
        text.content.get(text.bytes(origin)?)
    }
}

impl SourceText {
    const fn new(content: Arc<str>, lines_before: u32) -> Self {
        Self { content, lines_before, stretches: Vec::new(), starts: OnceLock::new() }
    }

    /// The text itself.
    pub(crate) fn content(&self) -> &str {
        &self.content
    }

    /// Lines before it, where it is a part of a source.
    pub(crate) const fn lines_before(&self) -> u32 {
        self.lines_before
    }

    /// What wrote it, in order; nothing where that is not known.
    pub(crate) fn stretches(&self) -> &[Stretch] {
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
    pub(crate) fn bytes(&self, origin: Origin) -> Option<Range<usize>> {
        let line = self.line(origin.line)?;
        let number = (origin.line.checked_sub(self.lines_before)? as usize).checked_sub(1)?;
        let start = *self.starts().get(number)?;
        let from = nth_char(line, (origin.column as usize).checked_sub(1)?)?;
        let rest = line.get(from..)?;
        let width = nth_char(rest, origin.width as usize).unwrap_or(rest.len());
        Some(start + from..start + from + width)
    }

    /// Line and column of a byte.
    pub(crate) fn position(&self, at: usize) -> Option<(u32, u32)> {
        let line = self.starts().partition_point(|start| *start <= at).checked_sub(1)?;
        let before = self.content.get(*self.starts().get(line)?..at)?;
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let line = number(line).saturating_add(1).saturating_add(self.lines_before);
        Some((line, number(before.chars().count()).saturating_add(1)))
    }
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
    use crate::model::Sources;

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
}
