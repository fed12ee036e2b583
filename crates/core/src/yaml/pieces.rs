//! Pieces of a stream: each holds one YAML document.

use std::borrow::Cow;

use memchr::{memchr_iter, memmem};

use super::budget::YamlBudget;
use super::diagnosis::{SyntaxFailure, find_mistake};
use super::error::YamlError;
use super::events::{ExactEvents, FastEvents};
use super::limits::{DuplicateKeys, Limits};
use super::plain::MergeKeys;
use super::position::{EventPosition, saturating_u32};
use super::survey::survey_document;
use super::tree::{ParsedDocument, TreeBuilder};
use crate::diagnostic::Problem;
use crate::document::{Node, NodeValue, Origin, SourceId, WrittenScalars};

/// Whether to keep the texts of scalars that are not in canonical form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ScalarTextMode {
    Drop,
    Keep,
}

/// The way in which documents are read.
#[derive(Clone, Copy)]
pub(super) struct ReadOptions<'a> {
    pub(super) source: SourceId,
    pub(super) limits: &'a Limits,
    pub(super) budget: Option<&'a YamlBudget>,
    pub(super) texts: ScalarTextMode,
    /// The way in which scalars are read; `None` means as in Kubernetes.
    pub(super) verbatim: Option<MergeKeys>,
}

impl<'a> ReadOptions<'a> {
    /// Reads scalars and keys as written.
    pub(super) const fn verbatim(source: SourceId, limits: &'a Limits, merge_keys: MergeKeys) -> Self {
        Self { source, limits, budget: None, texts: ScalarTextMode::Drop, verbatim: Some(merge_keys) }
    }

    /// Creates a tree builder; `aliases` states whether the document may contain aliases.
    pub(super) fn builder(&self, aliases: bool) -> TreeBuilder<'a> {
        let builder = TreeBuilder::new(self.source, self.limits, self.budget, aliases);
        match (self.verbatim, self.texts) {
            (Some(merge_keys), _) => builder.verbatim(merge_keys),
            (None, ScalarTextMode::Keep) => builder.keep_texts(),
            (None, ScalarTextMode::Drop) => builder,
        }
    }
}

/// The result of one piece of a stream: problems, a document, or nothing.
#[derive(Default)]
pub(super) struct PieceResult {
    pub(super) problems: Vec<Problem>,
    pub(super) node: Option<Node>,
    pub(super) written: WrittenScalars,
}

impl PieceResult {
    pub(super) fn new(mut problems: Vec<Problem>, mut read: ParsedDocument, limits: &Limits) -> Self {
        find_missing_separators(&mut read);
        let allow_duplicates = limits.duplicate_keys == DuplicateKeys::Report;
        let is_duplicate = |(error, _): &(YamlError, Origin)| {
            matches!(error, YamlError::DuplicateKey { .. } | YamlError::MissingSeparator { .. })
        };
        let is_usable = problems.is_empty()
            && read.problems.iter().all(|problem| allow_duplicates && is_duplicate(problem));
        problems.extend(read.problems.iter().map(|(error, origin)| Problem::at(*origin, error)));
        let node = read.root.filter(|root| is_usable && root.value != NodeValue::Null);
        Self { problems, node, written: read.written }
    }

    pub(super) fn count_problems(self, budget: Option<&YamlBudget>) -> Self {
        if let Some(budget) = budget.filter(|_| !self.problems.is_empty()) {
            budget.problems(self.problems.len());
        }
        self
    }

    pub(super) fn into_results(self) -> impl Iterator<Item = Result<Node, Problem>> {
        self.problems.into_iter().map(Err).chain(self.node.map(Ok))
    }
}

pub(super) fn read_piece(piece: &StreamPiece<'_>, reading: &ReadOptions<'_>) -> PieceResult {
    let separator = piece.bad_separator.map(|column| {
        Problem::at(Origin::point(reading.source, piece.lines_before, column), &YamlError::Separator)
    });
    let read = read_yaml(piece, reading);
    PieceResult::new(Vec::from_iter(separator), read, reading.limits).count_problems(reading.budget)
}

/// Reads the document of a piece.
pub(super) fn read_yaml(piece: &StreamPiece<'_>, reading: &ReadOptions<'_>) -> ParsedDocument {
    let ReadOptions { source, limits, budget, .. } = *reading;
    let refuse_at = |error, line: u32, column| {
        ParsedDocument::from_error(
            error,
            Origin::point(source, line.saturating_add(piece.lines_before), column),
        )
    };
    if let Err(error) = budget.map_or(Ok(()), YamlBudget::document) {
        return refuse_at(error, 1, 0);
    }
    if piece.text.len() > limits.document_bytes {
        return refuse_at(YamlError::DocumentSize(limits.document_bytes), 1, 0);
    }
    let text = piece.text.strip_prefix('\u{feff}').unwrap_or(piece.text);
    let survey = match survey_document(text) {
        Ok(survey) => survey,
        Err((error, EventPosition { line, column, .. })) => return refuse_at(error, line, column),
    };
    // Kubernetes reads line by line and also terminates the last line.
    let text = if text.ends_with('\n') { Cow::Borrowed(text) } else { Cow::Owned(format!("{text}\n")) };
    let builder = || reading.builder(survey.stars);
    if !survey.exact {
        let read = builder().read(&mut FastEvents::new(&text, piece.lines_before, survey));
        if !read.syntax_error {
            return read;
        }
    }
    let mut events = ExactEvents::new(&text, piece.lines_before, survey.escapes);
    let read = builder().read(&mut events);
    // The content of files that are read verbatim may be secret.
    match events.failure().filter(|_| read.syntax_error && reading.verbatim.is_none()) {
        Some(failure) => explain(read, &text, piece.lines_before, failure),
        None => read,
    }
}

/// Replaces the parser's error, which is the last problem, by the mistake in the text.
fn explain(read: ParsedDocument, text: &str, lines_before: u32, failure: SyntaxFailure) -> ParsedDocument {
    let ParsedDocument { mut problems, .. } = read;
    if let (Some((error, at)), Some(last)) = (find_mistake(text, failure), problems.last_mut()) {
        let line = saturating_u32(at.line).saturating_add(lines_before);
        *last = (error, Origin::point(last.1.source, line, saturating_u32(at.column)));
    }
    ParsedDocument { problems, ..read }
}

/// Replaces the duplicate keys of a document that has another one after it, without a separator, by one problem at the
/// start of each.
fn find_missing_separators(read: &mut ParsedDocument) {
    let Some(column) = read.root.as_ref().map(|root| root.origin.column) else { return };
    let is_root_key = |error: &YamlError, origin: &Origin| match error {
        YamlError::DuplicateKey { key, .. } if origin.column == column => Some(key.clone()),
        _ => None,
    };
    let keys: Vec<String> =
        read.problems.iter().filter_map(|(error, origin)| is_root_key(error, origin)).collect();
    let is_object = ["apiVersion", "kind"].iter().all(|wanted| keys.iter().any(|key| key == wanted));
    let Some(first) = keys.first().filter(|_| is_object) else { return };
    read.problems.retain_mut(|(error, origin)| match is_root_key(error, origin) {
        Some(key) if key == *first => {
            if let YamlError::DuplicateKey { first_line, .. } = *error {
                *error = YamlError::MissingSeparator { key, first_line };
            }
            true
        }
        Some(_) => false,
        None => true,
    });
}

/// The pieces of a stream between its separators.
#[derive(Clone)]
pub(super) struct StreamPieces<'a> {
    pub(super) text: &'a str,
    at: usize,
    line: u32,
    done: bool,
}

pub(super) struct StreamPiece<'a> {
    text: &'a str,
    /// The offset of the text in the stream.
    start: usize,
    lines_before: u32,
    /// The column of text that follows the separator before this piece.
    bad_separator: Option<u32>,
}

impl<'a> StreamPiece<'a> {
    /// Returns the text of the document.
    pub(super) const fn text(&self) -> &'a str {
        self.text
    }

    /// Returns the offset of the text in the stream.
    pub(super) const fn start(&self) -> usize {
        self.start
    }

    /// Returns whether text follows the separator before this piece, on the same line.
    pub(super) const fn has_bad_separator(&self) -> bool {
        self.bad_separator.is_some()
    }

    /// Returns the line of the separator before this piece.
    pub(super) const fn separator_line(&self) -> u32 {
        self.lines_before
    }
}

impl<'a> StreamPieces<'a> {
    pub(super) const fn new(text: &'a str, lines_before: u32) -> Self {
        Self { text, at: 0, line: lines_before, done: false }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// Skips a separator line, if any. Returns the column of text that should not be on it.
    fn separator(&mut self) -> Option<u32> {
        let rest = self.rest();
        let after = rest.strip_prefix("---")?;
        let line = after.split_inclusive('\n').next().unwrap_or("");
        self.at = self.at.saturating_add(3).saturating_add(line.len());
        self.line = self.line.saturating_add(1);
        let text = line.trim_start();
        if text.is_empty() || text.starts_with('#') {
            return None;
        }
        Some(saturating_u32(line.len().saturating_sub(text.len())).saturating_add(4))
    }
}

impl<'a> Iterator for StreamPieces<'a> {
    type Item = StreamPiece<'a>;

    fn next(&mut self) -> Option<StreamPiece<'a>> {
        if self.done {
            return None;
        }
        let bad_separator = self.separator();
        let rest = self.rest();
        let end = if rest.starts_with("---") {
            Some(0)
        } else {
            // Faster than the search of the standard library, which counts for small documents.
            memmem::find(rest.as_bytes(), b"\n---").map(|at| at + 1)
        };
        self.done = end.is_none();
        let text = rest.get(..end.unwrap_or(rest.len())).unwrap_or("");
        let lines_before = self.line;
        let lines = memchr_iter(b'\n', text.as_bytes()).count();
        self.line = self.line.saturating_add(saturating_u32(lines));
        let start = self.at;
        self.at = start.saturating_add(text.len());
        Some(StreamPiece { text, start, lines_before, bad_separator })
    }
}
