//! From a node back to what its author wrote: the file, the template's text or expression, the values behind it.

use std::ops::Range;

use super::dumped::Dumped;
use crate::{Related, Span};
use sealwave_core::document::{Element, Node, Origin, Place, SourceText, Sources, Texts};
use sealwave_pipeline::render::tags::{self, written};

/// Bytes of a line in which a column is looked for; on a longer one the line is enough.
const MAX_LINE: usize = 16 << 10;

/// Places of values that are named for one position.
const MAX_VALUES: usize = 4;

/// What is said of the place of a value that a template printed.
pub(super) const VALUE: &str = "its value comes from here";

/// Finds the places that people can open.
pub(super) struct Locator<'a> {
    sources: &'a Sources,
    texts: &'a Texts,
    dumped: Dumped<'a>,
}

/// What wrote a part of a rendered text.
struct Writer<'a> {
    element: &'a Element,
    /// All that it wrote.
    wrote: Range<usize>,
    /// The part of it that is looked for.
    part: Range<usize>,
}

impl<'a> Locator<'a> {
    /// For these sources, and all values that templates may have printed.
    pub(super) fn new(sources: &'a Sources, texts: &'a Texts, values: Vec<&'a Node>) -> Self {
        Self { sources, texts, dumped: Dumped::new(values) }
    }

    /// Where a position is, and where the values behind it come from; those that hold more than was printed are confidential.
    ///
    /// A position in rendered text leads to what the template has there: text, or the expression that wrote it; and from an
    /// expression that prints an entry of the values, or a part of one, to that. What several expressions make starts at the
    /// first and, on one line, ends with the last.
    pub(super) fn locate(&self, origin: Origin) -> (Span, Vec<Related>) {
        let place = self.sources.place(origin);
        if self.sources.made_by(origin).is_none() {
            return (Span { place, width: origin.width }, Vec::new());
        }
        let Some(at) = self.written_at(origin) else {
            return (Span { place, width: 0 }, Vec::new());
        };
        let related = |(origin, is_whole): (Origin, bool)| Related {
            label: VALUE.to_owned(),
            span: Span { place: self.sources.place(origin), width: origin.width },
            confidential: !is_whole,
        };
        let span =
            Span { place: Place { rendered: place.rendered, ..self.sources.place(at) }, width: at.width };
        (span, self.values(origin).into_iter().map(related).collect())
    }

    /// The place in a template that wrote what stands at a position: of text and expressions, the expressions count.
    fn written_at(&self, origin: Origin) -> Option<Origin> {
        let text = self.texts.text(origin.source)?;
        let range = text.bytes(origin)?;
        let known = || writers(text, &range).map(|(_, writer)| writer);
        if known().any(|writer| writer.is_none()) {
            return None;
        }
        let is_tag = |writer: &Writer<'_>| writer.element.text.is_none();
        let only_tags = known().flatten().any(|writer| is_tag(&writer));
        let mut writers = known().flatten().filter(|writer| !only_tags || is_tag(writer));
        let first = self.place(text, &writers.next()?);
        let last = writers.last().map(|last| self.place(text, &last)).filter(|last| {
            let is_behind = last.column > first.column && last.width > 0;
            is_behind && first.column > 0 && (last.source, last.line) == (first.source, first.line)
        });
        Some(last.map_or(first, |last| Origin { width: last.column + last.width - first.column, ..first }))
    }

    fn place(&self, text: &SourceText, writer: &Writer<'_>) -> Origin {
        let element = writer.element;
        match &element.text {
            Some(bytes) => {
                self.place_in_text(text, writer, bytes).unwrap_or_else(|| line_in_text(text, writer))
            }
            None => element.origin,
        }
    }

    /// Where a part of what a template's text wrote stands in it. Within a partial that is indented, each line may have more
    /// blanks before it than the template has.
    fn place_in_text(&self, text: &SourceText, writer: &Writer<'_>, bytes: &Range<usize>) -> Option<Origin> {
        let source = writer.element.origin.source;
        let template = self.texts.text(source)?;
        let wrote = text.content().get(writer.wrote.clone())?;
        let at = writer.part.start - writer.wrote.start;
        let start = wrote.get(..at)?.rfind('\n').map_or(0, |end| end + 1);
        let line = wrote.get(start..)?.split('\n').next().filter(|line| line.len() <= MAX_LINE)?;
        let bytes = nth_line(template, bytes, lines_between(text, &writer.wrote, writer.part.start))?;
        let indent = line.strip_suffix(&*written(template.content(), bytes.clone()))?;
        let skipped = (at - start).checked_sub(indent.len()).filter(|_| indent.trim().is_empty())?;
        let wanted = wrote.get(at..writer.part.end - writer.wrote.start)?.split('\n').next()?.len();
        let from = tags::writer(template.content(), bytes.clone(), skipped);
        let to = tags::writer(template.content(), bytes, skipped + wanted);
        let (line, column) = template.position(from)?;
        let width = number(template.content().get(from..to)?.chars().count());
        Some(Origin { source, line, column, width })
    }

    /// Where the entries of the values stand that were printed at a position, and whether they were as a whole.
    fn values(&self, origin: Origin) -> Vec<(Origin, bool)> {
        let mut found: Vec<(Origin, bool)> = Vec::new();
        let Some(text) = self.texts.text(origin.source) else { return found };
        let Some(range) = text.bytes(origin) else { return found };
        for (number, writer) in writers(text, &range) {
            let value = text.stretches().get(number).and_then(|stretch| stretch.value);
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

/// The line of a template's text that wrote a part, where no more is known.
fn line_in_text(text: &SourceText, writer: &Writer<'_>) -> Origin {
    let lines = lines_between(text, &writer.wrote, writer.part.start);
    let Origin { source, line, .. } = writer.element.origin;
    Origin::point(source, line.saturating_add(number(lines)), 0)
}

/// The stretches that a part of a rendered text was written in, by their numbers, and what wrote them.
fn writers<'a>(
    text: &'a SourceText,
    range: &Range<usize>,
) -> impl Iterator<Item = (usize, Option<Writer<'a>>)> + use<'a> {
    let stretches = text.stretches();
    let start = range.start;
    let end = range.end.max(start + 1);
    let first = stretches.partition_point(|stretch| stretch.from <= start).saturating_sub(1);
    let behind = stretches.partition_point(|stretch| stretch.from < end);
    let one_point = range.is_empty();
    (first..behind).map(move |number| {
        let from = stretches[number].from;
        let to = stretches.get(number + 1).map_or(text.content().len(), |next| next.from);
        let part = if one_point { start..start } else { from.max(start)..to.min(end) };
        let element = stretches[number].element.as_deref();
        (number, element.map(|element| Writer { element, wrote: from..to, part }))
    })
}

/// Line ends between the start of a part of a text and a byte in it.
fn lines_between(text: &SourceText, part: &Range<usize>, at: usize) -> usize {
    text.line_index(at).saturating_sub(text.line_index(part.start))
}

/// The bytes of a line of a part of a text, counted from 0.
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
