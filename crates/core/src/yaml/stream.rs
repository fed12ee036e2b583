//! A stream of documents, split like in Kubernetes' decoder.
//!
//! A stream whose first character is `{` contains JSON documents, one after another, unless the first or second is not
//! JSON (`json_stream`). Any other stream is split at lines that start with `---`, before YAML is parsed, and each
//! piece contains one document.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::budget::YamlBudget;
use super::error::YamlError;
use super::events::{EventPosition, ExactEvents, FastEvents, saturating_u32};
use super::json_stream::JsonStream;
use super::limits::{DuplicateKeys, Limits};
use super::survey::survey_document;
use super::tree::{ParsedDocument, TreeBuilder};
use super::verbatim::MergeKeys;
use crate::diagnostic::Problem;
use crate::document::{Node, NodeValue, Origin, SourceId, WrittenScalars};
use crate::workers;

/// The size in bytes below which starting threads costs more than it saves.
const PARALLEL_ABOVE: usize = 128 << 10;

/// The documents of a stream, in order; empty ones are skipped.
///
/// Keeps one document in memory at a time. After a problem, continues with the next document if it can be found.
pub struct DocumentStream<'a> {
    source: SourceId,
    limits: Limits,
    budget: Option<&'a YamlBudget>,
    input: StreamInput<'a>,
    pending: VecDeque<Problem>,
    texts: ScalarTextMode,
    written: WrittenScalars,
}

/// Whether to keep the texts of scalars that are not in canonical form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ScalarTextMode {
    Drop,
    Keep,
}

/// How documents are read.
#[derive(Clone, Copy)]
pub(super) struct ReadOptions<'a> {
    pub(super) source: SourceId,
    pub(super) limits: &'a Limits,
    pub(super) budget: Option<&'a YamlBudget>,
    texts: ScalarTextMode,
    /// How scalars are read; `None` means as in Kubernetes.
    verbatim: Option<MergeKeys>,
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

/// The end of the stream.
struct EndOfStream;

enum StreamInput<'a> {
    Json(JsonStream<'a>),
    Nothing,
    Yaml(StreamPieces<'a>),
}

impl<'a> DocumentStream<'a> {
    pub(super) fn new(bytes: &'a [u8], source: SourceId, limits: &Limits) -> Self {
        Self::part(bytes, source, limits, 0)
    }

    /// Reads a part that starts at a separator, after `lines_before` lines.
    pub(super) fn part(bytes: &'a [u8], source: SourceId, limits: &Limits, lines_before: u32) -> Self {
        let mut documents = Self {
            source,
            limits: *limits,
            budget: None,
            input: StreamInput::Nothing,
            pending: VecDeque::new(),
            texts: ScalarTextMode::Drop,
            written: WrittenScalars::default(),
        };
        if bytes.len() > limits.stream_bytes {
            documents.report(&YamlError::StreamSize(limits.stream_bytes), Origin::whole(source));
            return documents;
        }
        if is_utf16(bytes) {
            documents.report(&YamlError::Utf16, Origin::whole(source));
            return documents;
        }
        match std::str::from_utf8(bytes) {
            Ok(text) if text.trim_ascii_start().starts_with('{') => {
                documents.input = StreamInput::Json(JsonStream::new(text));
            }
            Ok(text) => documents.input = StreamInput::Yaml(StreamPieces::new(text, lines_before)),
            Err(error) => {
                let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
                let end = end_of(valid, source);
                let line = end.line.saturating_add(lines_before);
                documents.report(&YamlError::Encoding, Origin { line, ..end });
            }
        }
        documents
    }

    /// Sets a budget that is shared with others.
    pub(super) fn with_budget(self, budget: &'a YamlBudget) -> Self {
        Self { budget: Some(budget), ..self }
    }

    /// Reads all remaining documents, in order; those of a long stream are read on all cores.
    pub(super) fn into_all(self) -> Vec<Result<Node, Problem>> {
        let StreamInput::Yaml(pieces) = &self.input else { return self.collect() };
        if pieces.text.len() < PARALLEL_ABOVE || !self.pending.is_empty() {
            return self.collect();
        }
        let before = self.budget.map(YamlBudget::snapshot);
        let Self { source, ref limits, budget, texts, .. } = self;
        let read =
            in_parallel(pieces.clone(), &ReadOptions { source, limits, budget, texts, verbatim: None });
        if let (Some(budget), Some(before)) = (self.budget, before)
            && (read.is_none() || budget.is_exhausted())
        {
            // Read in order, so that the same document always exceeds the budget.
            budget.restore(before);
            return self.collect();
        }
        read.unwrap_or_else(|| self.collect())
    }

    /// Reads all remaining documents, in order, with the texts of scalars that are not in canonical form.
    pub(super) fn into_all_with_texts(mut self) -> (Vec<Result<Node, Problem>>, WrittenScalars) {
        self.texts = ScalarTextMode::Keep;
        let all = self.by_ref().collect();
        (all, self.written)
    }

    fn report(&mut self, error: &YamlError, origin: Origin) {
        self.pending.push_back(Problem::at(origin, error));
    }

    /// Reads one document, which may be empty or contain only problems.
    fn advance(&mut self) -> Result<Option<Node>, EndOfStream> {
        if self.budget.is_some_and(YamlBudget::is_exhausted) {
            return Err(EndOfStream);
        }
        let limits = self.limits;
        let reading = ReadOptions {
            source: self.source,
            limits: &limits,
            budget: self.budget,
            texts: self.texts,
            verbatim: None,
        };
        let read = match &mut self.input {
            StreamInput::Nothing => return Err(EndOfStream),
            StreamInput::Json(json) => {
                if !json.next_document() {
                    return Err(EndOfStream);
                }
                let (read, yaml) = json.read(&reading);
                if let Some(pieces) = yaml {
                    self.input = StreamInput::Yaml(pieces);
                }
                read
            }
            StreamInput::Yaml(pieces) => read_piece(&pieces.next().ok_or(EndOfStream)?, &reading),
        };
        self.pending.extend(read.problems);
        self.written.extend(read.written);
        Ok(read.node)
    }
}

impl Iterator for DocumentStream<'_> {
    type Item = Result<Node, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(problem) = self.pending.pop_front() {
                return Some(Err(problem));
            }
            if let Some(node) = self.advance().ok()? {
                return Some(Ok(node));
            }
        }
    }
}

/// The result of one piece of a stream: problems, a document, or nothing.
#[derive(Default)]
pub(super) struct PieceResult {
    problems: Vec<Problem>,
    node: Option<Node>,
    written: WrittenScalars,
}

impl PieceResult {
    pub(super) fn new(mut problems: Vec<Problem>, read: ParsedDocument, limits: &Limits) -> Self {
        let allow_duplicates = limits.duplicate_keys == DuplicateKeys::Report;
        let is_duplicate = |(error, _): &(YamlError, Origin)| matches!(error, YamlError::DuplicateKey { .. });
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

    fn into_results(self) -> impl Iterator<Item = Result<Node, Problem>> {
        self.problems.into_iter().map(Err).chain(self.node.map(Ok))
    }
}

/// Returns whether text starts with the byte order mark of UTF-16. Kubernetes accepts it; templates, editors and most
/// other tools do not.
#[must_use]
pub fn is_utf16(bytes: &[u8]) -> bool {
    // Followed by two zeros, the first one is the byte order mark of UTF-32.
    bytes.starts_with(&[0xfe, 0xff])
        || bytes.starts_with(&[0xff, 0xfe]) && !bytes.starts_with(&[0xff, 0xfe, 0, 0])
}

/// Reads the pieces on all cores. Returns `None` if a thread panicked. Results after the budget is exhausted are
/// invalid.
fn in_parallel(pieces: StreamPieces<'_>, reading: &ReadOptions<'_>) -> Option<Vec<Result<Node, Problem>>> {
    let budget = reading.budget;
    let documents_left = budget.map_or(usize::MAX, YamlBudget::documents_left);
    let pieces: Vec<StreamPiece<'_>> = pieces.take(documents_left.saturating_add(1)).collect();
    if pieces.len() > documents_left {
        return None;
    }
    let read = |piece: &StreamPiece<'_>| match budget {
        Some(budget) if budget.is_exhausted() => PieceResult::default(),
        _ => read_piece(piece, reading),
    };
    let all = workers::parallel_map(&pieces, read).ok()?;
    Some(all.into_iter().flat_map(PieceResult::into_results).collect())
}

fn read_piece(piece: &StreamPiece<'_>, reading: &ReadOptions<'_>) -> PieceResult {
    let separator = piece.bad_separator.map(|column| {
        Problem::at(Origin::point(reading.source, piece.lines_before, column), &YamlError::Separator)
    });
    let read = read_yaml(piece, reading);
    PieceResult::new(Vec::from_iter(separator), read, reading.limits).count_problems(reading.budget)
}

/// Returns the position after a text.
#[expect(clippy::naive_bytecount, reason = "once per input, before giving it up")]
fn end_of(valid: &[u8], source: SourceId) -> Origin {
    let line = valid.iter().filter(|byte| **byte == b'\n').count();
    let last = valid.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let column = String::from_utf8_lossy(last).chars().count();
    Origin::point(source, saturating_u32(line).saturating_add(1), saturating_u32(column).saturating_add(1))
}

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
    builder().read(&mut ExactEvents::new(&text, piece.lines_before, survey.escapes))
}

/// The pieces of a stream between its separators.
#[derive(Clone)]
pub(super) struct StreamPieces<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    done: bool,
}

pub(super) struct StreamPiece<'a> {
    text: &'a str,
    lines_before: u32,
    /// The column of text that follows the separator before this piece.
    bad_separator: Option<u32>,
}

impl StreamPiece<'_> {
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
        let end = if rest.starts_with("---") { Some(0) } else { rest.find("\n---").map(|at| at + 1) };
        self.done = end.is_none();
        let text = rest.get(..end.unwrap_or(rest.len())).unwrap_or("");
        let lines_before = self.line;
        let lines = text.bytes().filter(|byte| *byte == b'\n').count();
        self.line = self.line.saturating_add(saturating_u32(lines));
        self.at = self.at.saturating_add(text.len());
        Some(StreamPiece { text, lines_before, bad_separator })
    }
}
