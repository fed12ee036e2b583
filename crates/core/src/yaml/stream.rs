//! A stream of documents, split like in Kubernetes' decoder.
//!
//! A stream whose first character is `{` contains JSON documents, one after another, unless the first or second is not
//! JSON (`json_stream`). Any other stream is split at lines that start with `---`, before YAML is parsed, and each
//! piece contains one document.

use std::collections::VecDeque;

use super::budget::YamlBudget;
use super::error::YamlError;
use super::json_stream::JsonStream;
use super::limits::Limits;
use super::pieces::{PieceResult, ReadOptions, ScalarTextMode, StreamPiece, StreamPieces, read_piece};
use super::position::saturating_u32;
use crate::diagnostic::Problem;
use crate::document::{Node, Origin, SourceId, WrittenScalars};
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
        if is_pem(bytes) {
            documents.report(&YamlError::Pem, Origin::whole(source));
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

/// Returns whether text starts with the byte order mark of UTF-16. Kubernetes accepts it; templates, editors and most
/// other tools do not.
#[must_use]
pub fn is_utf16(bytes: &[u8]) -> bool {
    // Followed by two zeros, the first one is the byte order mark of UTF-32.
    bytes.starts_with(&[0xfe, 0xff])
        || bytes.starts_with(&[0xff, 0xfe]) && !bytes.starts_with(&[0xff, 0xfe, 0, 0])
}

/// Reports whether an input starts with the armor of PEM, after blank lines and comments.
fn is_pem(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(b"#"));
    first.is_some_and(|line| line.starts_with(b"-----BEGIN ") && line.ends_with(b"-----"))
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

/// Returns the position after a text.
#[expect(clippy::naive_bytecount, reason = "once per input, before giving it up")]
fn end_of(valid: &[u8], source: SourceId) -> Origin {
    let line = valid.iter().filter(|byte| **byte == b'\n').count();
    let last = valid.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let column = String::from_utf8_lossy(last).chars().count();
    Origin::point(source, saturating_u32(line).saturating_add(1), saturating_u32(column).saturating_add(1))
}
