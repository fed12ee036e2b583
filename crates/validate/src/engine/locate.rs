//! Locates the source of a node: the file, the template text or expression, and the values behind it.

use std::ops::Range;

use super::expanded_values::ExpandedValues;
use crate::{RelatedLabel, RelatedPlace, Span};
use sealwave_core::document::{Node, Origin, SourceLocation, SourceText, SourceTexts, Sources, TemplateNode};
use sealwave_pipeline::render::tags::{self, unescape_text};

/// The most bytes of a line whose columns are located; for a longer one, only the line is.
const MAX_LINE: usize = 16 << 10;

/// The most parts of a value that are looked at to find its tag.
const MAX_PARTS: usize = 8;

/// The most places of values for one position.
const MAX_VALUES: usize = 4;

/// Resolves positions to places in source files.
pub(super) struct SourceLocator<'a> {
    sources: &'a Sources,
    texts: &'a SourceTexts,
    dumped: ExpandedValues<'a>,
}

/// The template element that wrote a part of a rendered text.
struct TemplateWriter<'a> {
    element: &'a TemplateNode,
    /// The whole range that it wrote.
    wrote: Range<usize>,
    /// The requested part of the range.
    part: Range<usize>,
}

impl<'a> SourceLocator<'a> {
    /// Creates a locator for sources, with all values that templates may have printed.
    pub(super) fn new(sources: &'a Sources, texts: &'a SourceTexts, values: Vec<&'a Node>) -> Self {
        Self { sources, texts, dumped: ExpandedValues::new(values) }
    }

    /// Returns the source of a position, and the places of the values behind it; values printed only in part are
    /// confidential.
    ///
    /// A position in rendered text resolves to the template text or expression that wrote it, and an expression that
    /// prints an entry of the values to that entry. A span of several expressions starts at the first and, on one line,
    /// ends with the last.
    pub(super) fn locate(&self, origin: Origin) -> (Span, Vec<RelatedPlace>) {
        let place = self.sources.location(origin);
        if self.sources.template_line(origin).is_none() {
            return (Span { place, width: origin.width }, Vec::new());
        }
        let Some(at) = self.written_at(origin) else {
            return (Span { place, width: 0 }, Vec::new());
        };
        let related = |(origin, is_whole): (Origin, bool)| RelatedPlace {
            label: RelatedLabel::ValueSource,
            span: Span { place: self.sources.location(origin), width: origin.width },
            confidential: !is_whole,
        };
        let span = Span {
            place: SourceLocation { rendered: place.rendered, ..self.sources.location(at) },
            width: at.width,
        };
        (span, self.values(origin).into_iter().map(related).collect())
    }

    /// Returns the place in a template that wrote a position; expressions take precedence over text.
    fn written_at(&self, origin: Origin) -> Option<Origin> {
        let text = self.texts.text(origin.source)?;
        let range = text.byte_range(origin)?;
        let known = || writers(text, &range).map(|(_, writer)| writer);
        if known().any(|writer| writer.is_none()) {
            return None;
        }
        let is_tag = |writer: &TemplateWriter<'_>| writer.element.text.is_none();
        let has_tags = known().flatten().any(|writer| is_tag(&writer));
        let mut writers = known().flatten().filter(|writer| !has_tags || is_tag(writer));
        let first = self.place(text, &writers.next()?);
        let last = writers.last().map(|last| self.place(text, &last)).filter(|last| {
            let is_behind = last.column > first.column && last.width > 0;
            is_behind && first.column > 0 && (last.source, last.line) == (first.source, first.line)
        });
        Some(last.map_or(first, |last| Origin { width: last.column + last.width - first.column, ..first }))
    }

    /// Returns the only tag of a template that wrote a part of a value, and whether template text wrote the rest.
    pub(super) fn tag(&self, origin: Origin) -> Option<(&'a str, bool)> {
        let text = self.texts.text(origin.source)?;
        let mut elements = Vec::new();
        for (_, writer) in writers(text, &text.byte_range(origin)?).take(MAX_PARTS) {
            elements.push(writer?.element);
        }
        let mut tags = elements.iter().filter(|element| element.text.is_none());
        let at = tags.next().filter(|_| tags.next().is_none())?.origin;
        let template = self.texts.text(at.source)?;
        let tag = template.content().get(template.byte_range(at)?)?;
        Some((tag, elements.len() > 1))
    }

    fn place(&self, text: &SourceText, writer: &TemplateWriter<'_>) -> Origin {
        let element = writer.element;
        match &element.text {
            Some(bytes) => {
                self.place_in_text(text, writer, bytes).unwrap_or_else(|| line_in_text(text, writer))
            }
            None => element.origin,
        }
    }

    /// Returns the place of a part of literal template text. In an indented partial, each rendered line may have more
    /// leading blanks than the template.
    fn place_in_text(
        &self,
        text: &SourceText,
        writer: &TemplateWriter<'_>,
        bytes: &Range<usize>,
    ) -> Option<Origin> {
        let source = writer.element.origin.source;
        let template = self.texts.text(source)?;
        let wrote = text.content().get(writer.wrote.clone())?;
        let at = writer.part.start - writer.wrote.start;
        let start = wrote.get(..at)?.rfind('\n').map_or(0, |end| end + 1);
        let line = wrote.get(start..)?.split('\n').next().filter(|line| line.len() <= MAX_LINE)?;
        let bytes = nth_line(template, bytes, lines_between(text, &writer.wrote, writer.part.start))?;
        let indent = line.strip_suffix(&*unescape_text(template.content(), bytes.clone()))?;
        let skipped = (at - start).checked_sub(indent.len()).filter(|_| indent.trim().is_empty())?;
        let wanted = wrote.get(at..writer.part.end - writer.wrote.start)?.split('\n').next()?.len();
        let from = tags::source_offset(template.content(), bytes.clone(), skipped);
        let to = tags::source_offset(template.content(), bytes, skipped + wanted);
        let (line, column) = template.position(from)?;
        let width = number(template.content().get(from..to)?.chars().count());
        Some(Origin { source, line, column, width })
    }

    /// Returns the positions of the value entries printed at a position, and whether each was printed as a whole.
    fn values(&self, origin: Origin) -> Vec<(Origin, bool)> {
        let mut found: Vec<(Origin, bool)> = Vec::new();
        let Some(text) = self.texts.text(origin.source) else { return found };
        let Some(range) = text.byte_range(origin) else { return found };
        for (number, writer) in writers(text, &range) {
            let value = text.spans().get(number).and_then(|stretch| stretch.value);
            let (Some(writer), Some(value)) = (writer, value) else { continue };
            let within = || self.dumped.entry(text, number, &writer.wrote, value.origin, origin);
            let at =
                Some(value.is_nested).filter(|nested| *nested).and_then(|_| within()).unwrap_or(value.origin);
            match found.iter_mut().find(|(known, _)| *known == at) {
                Some((_, is_whole)) => *is_whole &= value.is_whole,
                None => found.push((at, value.is_whole)),
            }
            if found.len() == MAX_VALUES {
                break;
            }
        }
        found
    }
}

/// Returns the line of the template text that wrote a part, if the column is unknown.
fn line_in_text(text: &SourceText, writer: &TemplateWriter<'_>) -> Origin {
    let lines = lines_between(text, &writer.wrote, writer.part.start);
    let Origin { source, line, .. } = writer.element.origin;
    Origin::point(source, line.saturating_add(number(lines)), 0)
}

/// Returns the indices of the output spans of a range of rendered text, with their writers.
fn writers<'a>(
    text: &'a SourceText,
    range: &Range<usize>,
) -> impl Iterator<Item = (usize, Option<TemplateWriter<'a>>)> + use<'a> {
    let stretches = text.spans();
    let start = range.start;
    let end = range.end.max(start + 1);
    let first = stretches.partition_point(|stretch| stretch.start <= start).saturating_sub(1);
    let behind = stretches.partition_point(|stretch| stretch.start < end);
    let is_point = range.is_empty();
    (first..behind).map(move |number| {
        let from = stretches[number].start;
        let to = stretches.get(number + 1).map_or(text.content().len(), |next| next.start);
        let part = if is_point { start..start } else { from.max(start)..to.min(end) };
        let element = stretches[number].element.as_deref();
        (number, element.map(|element| TemplateWriter { element, wrote: from..to, part }))
    })
}

/// Returns the number of line breaks between the start of a part and a byte in it.
fn lines_between(text: &SourceText, part: &Range<usize>, at: usize) -> usize {
    text.line_index(at).saturating_sub(text.line_index(part.start))
}

/// Returns the bytes of a line of a part, counted from 0.
fn nth_line(text: &SourceText, part: &Range<usize>, number: usize) -> Option<Range<usize>> {
    let start = match number {
        0 => part.start,
        number => text.line_start(text.line_index(part.start) + number).filter(|start| *start <= part.end)?,
    };
    let length = text.content().get(start..part.end)?.split('\n').next()?.len();
    Some(start..start + length)
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
