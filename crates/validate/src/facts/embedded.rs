//! YAML within scalars, and the positions of parts of a scalar in its file.
//!
//! Only a literal block (`|`) and a scalar on one line keep their text as written, so only their parts have positions of
//! their own; parts of other scalars get the position of the scalar. Scalars come from a hostile repository: their size,
//! nodes and aliases are bounded, and messages must never contain their text.

use std::ops::Range;

use sealwave_core::diagnostic::ProblemPlace;
use sealwave_core::document::{Node, NodeValue, Origin, SourceTexts};
use sealwave_core::yaml::{self, DuplicateKeys, Limits};

/// Maximum size of a scalar that is parsed as YAML, in bytes.
pub(crate) const MAX_BYTES: usize = 256 << 10;

/// A reason why the text of a scalar is not parsed.
pub(crate) enum EmbeddedError {
    /// The text is not YAML; the position of the error.
    Malformed(Origin),
    /// The text exceeds [`MAX_BYTES`].
    TooLong,
}

/// Parses the YAML documents in a string, with positions in the file of the string.
///
/// # Errors
/// The string is too long or is not YAML.
pub(crate) fn parse_embedded(texts: &SourceTexts, value: &Node) -> Result<Vec<Node>, EmbeddedError> {
    let text = value.as_str().unwrap_or_default();
    if text.len() > MAX_BYTES {
        return Err(EmbeddedError::TooLong);
    }
    let place = TextPlace::locate(texts, value);
    let mut documents = yaml::read(text.as_bytes(), value.origin.source, &limits()).map_err(|failure| {
        let at = failure.problems().first().map(|problem| &problem.at);
        EmbeddedError::Malformed(match at {
            Some(ProblemPlace::Origin(at)) => place.to_file_origin(*at),
            _ => value.origin,
        })
    })?;
    for document in &mut documents {
        relocate(document, &place);
    }
    Ok(documents)
}

/// Returns the limits for embedded YAML. As in Kubernetes, the last of two equal keys wins.
fn limits() -> Limits {
    Limits {
        alias_bytes: 64 << 10,
        alias_nodes: 1_000,
        depth: 32,
        document_bytes: MAX_BYTES,
        document_nodes: 20_000,
        duplicate_keys: DuplicateKeys::LastWins,
        stream_bytes: MAX_BYTES,
    }
}

fn relocate(node: &mut Node, place: &TextPlace) {
    node.origin = place.to_file_origin(node.origin);
    match &mut node.value {
        NodeValue::Mapping(mapping) => {
            for entry in mapping.entries_mut() {
                *entry.key_origin = place.to_file_origin(*entry.key_origin);
                relocate(entry.value, place);
            }
        }
        NodeValue::Sequence(items) => items.iter_mut().for_each(|item| relocate(item, place)),
        _ => {}
    }
}

/// Position of a scalar's text in its file.
pub(crate) enum TextPlace {
    /// The lines of the text are lines of the file, after an indentation.
    Block { first: Origin, indentation: u32 },
    /// The text is part of one line, from `start`.
    Line { start: Origin },
    /// The scalar has another style; only its own position is known.
    Scalar { whole: Origin },
}

impl TextPlace {
    /// Finds the text of a string in its source.
    pub(crate) fn locate(texts: &SourceTexts, value: &Node) -> Self {
        Self::block(texts, value)
            .or_else(|| Self::line(texts, value))
            .unwrap_or(Self::Scalar { whole: value.origin })
    }

    fn block(texts: &SourceTexts, value: &Node) -> Option<Self> {
        let first = first_line_of_block(texts, value)?;
        let (number, line) =
            value.as_str()?.split('\n').enumerate().find(|(_, line)| !line.trim().is_empty())?;
        let written = texts.line(value.origin.source, first.checked_add(u32::try_from(number).ok()?)?)?;
        let indentation = written.strip_suffix(line.trim_end_matches('\r'))?;
        let first = Origin { line: first, column: 1, width: 0, ..value.origin };
        indentation
            .bytes()
            .all(|byte| byte == b' ')
            .then(|| Self::Block { first, indentation: count(indentation) })
    }

    fn line(texts: &SourceTexts, value: &Node) -> Option<Self> {
        let text = value.as_str().filter(|text| !text.is_empty() && !text.contains('\n'))?;
        let line = texts.line(value.origin.source, value.origin.line)?;
        let before = (value.origin.column as usize).checked_sub(1)?;
        let written: usize = line.chars().take(before).map(char::len_utf8).sum();
        let rest = line.get(written..)?;
        let quotes = usize::from(rest.starts_with(['"', '\'']) && !rest.starts_with(text));
        let start =
            Origin { column: value.origin.column.checked_add(u32::try_from(quotes).ok()?)?, ..value.origin };
        rest.get(quotes..)?.starts_with(text).then_some(Self::Line { start })
    }

    /// Moves a position in the text, from line 1 and column 1, into the file.
    pub(crate) fn to_file_origin(&self, at: Origin) -> Origin {
        match self {
            Self::Block { first, indentation } => Origin {
                line: first.line.saturating_add(at.line.saturating_sub(1)),
                column: if at.column == 0 { 0 } else { at.column.saturating_add(*indentation) },
                ..at
            },
            Self::Line { start } if at.line <= 1 && at.column > 0 => {
                Origin { line: start.line, column: start.column.saturating_add(at.column - 1), ..at }
            }
            Self::Line { start } => *start,
            Self::Scalar { whole } => *whole,
        }
    }

    /// Returns the position of a byte range of the text; the range is on one line.
    pub(crate) fn range_origin(&self, text: &str, range: &Range<usize>, source: Origin) -> Origin {
        let before = text.get(..range.start).unwrap_or_default();
        let line = memchr::memchr_iter(b'\n', before.as_bytes()).count();
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let width = text.get(range.clone()).map_or(0, count);
        let column = before.get(start..).map_or(0, count).saturating_add(1);
        let line = u32::try_from(line).unwrap_or(u32::MAX).saturating_add(1);
        self.to_file_origin(Origin { line, column, width, ..source })
    }
}

/// Returns the number of the first line of a literal block, or `None` if the value is not one.
pub(crate) fn first_line_of_block(texts: &SourceTexts, value: &Node) -> Option<u32> {
    let origin = value.origin;
    let here = texts.line(origin.source, origin.line)?;
    // One parser reports the position of the header, the other that of the first line that is not empty.
    if here.chars().nth((origin.column as usize).checked_sub(1)?)? == '|' {
        return origin.line.checked_add(1);
    }
    let empty = value.as_str()?.bytes().take_while(|byte| *byte == b'\n').count();
    let first = origin.line.checked_sub(u32::try_from(empty).ok()?)?;
    is_literal_header(texts.line(origin.source, first.checked_sub(1)?)?).then_some(first)
}

/// Returns whether a line ends in `|`, optionally with indicators and a comment.
fn is_literal_header(line: &str) -> bool {
    let Some((before, after)) = line.rsplit_once('|') else { return false };
    let rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-'));
    before.ends_with([' ', '\t']) && (rest.trim().is_empty() || rest.trim_start().starts_with('#'))
}

fn count(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}
