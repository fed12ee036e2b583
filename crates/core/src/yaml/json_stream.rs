//! A stream that starts with `{`: JSON documents, or YAML that looks like JSON.
//!
//! Kubernetes reads such a stream as JSON. If the first or second document is not JSON, it reads the rest as YAML: a
//! mapping in flow style, a comma before a closing bracket, a comment after a document. After two JSON documents, the
//! stream is always JSON. This module does not interpret scalars.

use super::budget::YamlBudget;
use super::error::YamlError;
use super::json_text::JsonText;
use super::pieces::{PieceResult, ReadOptions, StreamPieces, read_yaml};
use super::tree::ParsedDocument;
use crate::document::Origin;

/// The number of JSON documents after which the rest of a stream is not read as YAML.
const AMBIGUOUS: usize = 2;

/// A stream that is read as JSON as long as it is valid JSON.
pub(super) struct JsonStream<'a> {
    json: JsonText<'a>,
    text: &'a str,
    documents: usize,
    /// The offset and line of the end of the last document.
    end: (usize, u32),
}

impl<'a> JsonStream<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { json: JsonText::new(text), text, documents: 0, end: (0, 0) }
    }

    /// Moves to the next document. Returns `false` at the end.
    pub(super) fn next_document(&mut self) -> bool {
        self.json.next_document()
    }

    /// Reads a document; if it is YAML, also returns the pieces that follow it.
    pub(super) fn read(&mut self, reading: &ReadOptions<'_>) -> (PieceResult, Option<StreamPieces<'a>>) {
        let read = read_json(&mut self.json, reading);
        if matches!(read.problems.last(), None | Some((YamlError::DocumentSize(_), _))) {
            self.documents += 1;
            self.end = (self.json.position(), self.json.line());
            return (finish(read, reading), None);
        }
        let is_comment = self.json.rest().starts_with('/');
        let is_json = !matches!(read.problems.last(), Some((YamlError::Json(_), _)));
        self.json.abandon();
        let mut pieces = if is_json || is_comment { None } else { self.as_yaml() };
        let Some(first) = pieces.as_mut().and_then(Iterator::next) else {
            return (finish(read, reading), None);
        };
        let yaml = read_yaml(&first, reading);
        let place =
            |read: &ParsedDocument| read.problems.last().map(|(_, origin)| (origin.line, origin.column));
        if yaml.syntax_error && place(&yaml) <= place(&read) {
            // Neither JSON nor YAML: report the error of the reader that got farther.
            return (finish(read, reading), None);
        }
        (finish(yaml, reading), pieces)
    }

    fn as_yaml(&self) -> Option<StreamPieces<'a>> {
        let (rest, lines) = yaml_after_json(self.text, self.documents, self.end)?;
        Some(StreamPieces::new(rest, lines))
    }
}

/// Returns the rest after this many JSON documents, which end at this offset and line, if the stream may still be YAML; also the
/// number of lines before it.
pub(super) fn yaml_after_json(
    text: &str,
    documents: usize,
    (end, lines): (usize, u32),
) -> Option<(&str, u32)> {
    if documents == 0 {
        return Some((text, 0));
    }
    let (line, rest) = text.get(end..)?.split_once('\n')?;
    let line = line.trim_start();
    let is_at_line_start = line.is_empty() || line.starts_with('#');
    (documents < AMBIGUOUS && is_at_line_start).then_some((rest, lines))
}

/// Reads the next document, which may be too large.
pub(super) fn read_json(json: &mut JsonText<'_>, reading: &ReadOptions<'_>) -> ParsedDocument {
    let ReadOptions { source, limits, budget, .. } = *reading;
    let start = json.position();
    if let Err(error) = budget.map_or(Ok(()), YamlBudget::document) {
        return ParsedDocument::from_error(error, Origin::whole(source));
    }
    let mut read = reading.builder(false).read(json);
    if read.problems.is_empty() && json.position().saturating_sub(start) > limits.document_bytes {
        let error = YamlError::DocumentSize(limits.document_bytes);
        let origin = read.root.as_ref().map_or(Origin::whole(source), |root| root.origin);
        read.problems.push((error, origin));
    }
    read
}

fn finish(read: ParsedDocument, reading: &ReadOptions<'_>) -> PieceResult {
    PieceResult::new(Vec::new(), read, reading.limits).count_problems(reading.budget)
}
