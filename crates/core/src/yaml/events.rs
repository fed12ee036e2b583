//! The common events of two YAML parsers and of JSON.
//!
//! Positions refer to the whole input. This module does not interpret scalars.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::BufReader;

use libyaml_safer::{EventData, MappingStyle, ScalarStyle as ExactStyle, SequenceStyle};
use saphyr_parser::{Event as FastEvent, ScalarStyle as FastStyle, StrInput};

use super::diagnosis::SyntaxFailure;
use super::error::{SyntaxProblem, YamlError};
use super::position::{EventPosition, EventResult, TextPosition, saturating_u32};
use super::scalar::ScalarTag;
use super::survey::DocumentSurvey;
use super::tabs::TabbedLines;
use crate::caught::{CaughtPanic, catch_panic};

/// An event for the tree builder.
pub(super) enum YamlEvent<'a> {
    /// The number of its anchor.
    Alias(usize),
    MappingEnd,
    /// The number of its anchor, or 0 without one.
    MappingStart(usize),
    Scalar(ScalarEvent<'a>),
    SequenceEnd,
    /// The number of its anchor, or 0 without one.
    SequenceStart(usize),
}

/// A scalar as written.
pub(crate) struct ScalarEvent<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) anchor: usize,
    pub(super) plain: bool,
    pub(super) tag: ScalarTag,
}

/// A source of events.
pub(super) trait EventSource<'a> {
    fn next(&mut self) -> Option<EventResult<(YamlEvent<'a>, EventPosition)>>;
}

/// The events of `saphyr-parser`, which is fast and nearly follows the grammar of Kubernetes.
pub(super) struct FastEvents<'a> {
    parser: saphyr_parser::Parser<'a, StrInput<'a>>,
    lines_before: u32,
    /// Whether double-quoted scalars may contain escapes that only the other parser handles correctly.
    escapes: bool,
    /// Whether plain scalars in flow style may end with a colon, which only the other parser supports.
    colons: bool,
    /// Whether each open collection is in flow style.
    open: Vec<bool>,
    tabs: TabbedLines<'a>,
    ended: bool,
}

impl<'a> FastEvents<'a> {
    /// Creates the events of one document whose first line is `lines_before + 1`.
    pub(super) fn new(text: &'a str, lines_before: u32, survey: DocumentSurvey) -> Self {
        let parser = saphyr_parser::Parser::new_from_str(text);
        let tabs = TabbedLines::new(text, survey.tabbed_lines);
        let DocumentSurvey { escapes, colons, .. } = survey;
        Self { parser, lines_before, escapes, colons, open: Vec::new(), tabs, ended: false }
    }

    /// Reports whether Kubernetes may read a scalar differently. In YAML 1.1, a `?` anywhere in a flow collection has a
    /// special meaning, a colon is part of a scalar unless followed by a blank, and a scalar cannot start with a colon
    /// or the indicator of a block scalar. YAML 1.1 also has fewer escapes.
    fn is_doubtful(&self, text: &str, decoded: bool, style: FastStyle) -> bool {
        match style {
            FastStyle::Plain => {
                let is_ambiguous = || self.colons || text.contains('?') || text.starts_with([':', '|', '>']);
                self.open.last() == Some(&true) && is_ambiguous()
            }
            FastStyle::DoubleQuoted => self.escapes && decoded,
            _ => false,
        }
    }

    fn spot(&self, span: saphyr_parser::Span) -> EventPosition {
        let width = if span.start.line() == span.end.line() {
            span.end.col().saturating_sub(span.start.col())
        } else {
            0
        };
        self.at(span.start, saturating_u32(width))
    }

    fn at(&self, mark: saphyr_parser::Marker, width: u32) -> EventPosition {
        EventPosition {
            line: saturating_u32(mark.line()).saturating_add(self.lines_before),
            column: saturating_u32(mark.col()).saturating_add(1),
            width,
        }
    }
}

impl<'a> EventSource<'a> for FastEvents<'a> {
    fn next(&mut self) -> Option<EventResult<(YamlEvent<'a>, EventPosition)>> {
        loop {
            let (event, span) = match self.parser.next_event()? {
                Ok(found) => found,
                Err(error) => {
                    let syntax = YamlError::Syntax(SyntaxProblem::classify(error.info()));
                    return Some(Err((syntax, self.at(*error.marker(), 0))));
                }
            };
            let spot = self.spot(span);
            match &event {
                FastEvent::MappingStart(..) | FastEvent::SequenceStart(..) => {
                    // The pair `a: b` in `[a: b]` has no brackets.
                    let in_flow = self.open.last() == Some(&true);
                    self.open.push(in_flow || span.start.index() != span.end.index());
                }
                FastEvent::MappingEnd | FastEvent::SequenceEnd => _ = self.open.pop(),
                FastEvent::Scalar(text, style, ..)
                    if self.is_doubtful(text, matches!(text, Cow::Owned(_)), *style) =>
                {
                    return Some(Err((YamlError::Syntax(SyntaxProblem::Other), spot)));
                }
                FastEvent::Scalar(_, FastStyle::Literal | FastStyle::Folded, ..) => {
                    self.tabs.block_scalar(span.start.line(), span.end.line());
                }
                FastEvent::StreamEnd if self.tabs.are_doubtful() => {
                    return Some(Err((YamlError::Syntax(SyntaxProblem::Tab), spot)));
                }
                _ => {}
            }
            let event = match event {
                FastEvent::StreamEnd => return None,
                FastEvent::DocumentStart(_) if self.ended => {
                    return Some(Err((YamlError::TrailingDocument, spot)));
                }
                FastEvent::DocumentStart(_) | FastEvent::Nothing | FastEvent::StreamStart => continue,
                FastEvent::DocumentEnd => {
                    self.ended = true;
                    continue;
                }
                FastEvent::Alias(anchor) => YamlEvent::Alias(anchor),
                FastEvent::MappingEnd => YamlEvent::MappingEnd,
                FastEvent::MappingStart(anchor, _) => YamlEvent::MappingStart(anchor),
                FastEvent::Scalar(text, style, anchor, tag) => YamlEvent::Scalar(ScalarEvent {
                    text,
                    anchor,
                    plain: style == FastStyle::Plain && tag.is_none(),
                    tag: tag.map_or(ScalarTag::None, |tag| ScalarTag::from_uri(&tag.handle, &tag.suffix)),
                }),
                FastEvent::SequenceEnd => YamlEvent::SequenceEnd,
                FastEvent::SequenceStart(anchor, _) => YamlEvent::SequenceStart(anchor),
            };
            return Some(Ok((event, spot)));
        }
    }
}

/// The events of `libyaml-safer`: a port of the C library whose Go port Kubernetes uses.
pub(super) struct ExactEvents<'a> {
    parser: libyaml_safer::Parser<BufReader<&'a [u8]>>,
    /// The text, if double-quoted scalars must be checked for `\/`.
    slashes_in: Option<&'a str>,
    lines_before: u32,
    anchors: HashMap<String, usize>,
    seen: usize,
    /// Whether each open collection is in flow style.
    open: Vec<bool>,
    state: ExactState,
    /// The last error of the parser, in the document's text.
    failure: Option<SyntaxFailure>,
}

fn text_position(mark: libyaml_safer::Mark) -> TextPosition {
    let from_one = |value: u64| usize::try_from(value).unwrap_or(usize::MAX).saturating_add(1);
    TextPosition { line: from_one(mark.line), column: from_one(mark.column) }
}

#[derive(PartialEq)]
enum ExactState {
    /// Before or in the document.
    Document,
    /// After the document.
    Ended,
    /// No more events.
    Done,
}

impl<'a> ExactEvents<'a> {
    /// Creates the events of one document whose first line is `lines_before + 1`; `text` must end with a line break.
    pub(super) fn new(text: &'a str, lines_before: u32, slashes: bool) -> Self {
        let mut parser = libyaml_safer::Parser::new();
        // A small buffer: the parser reads everything available, at four bytes per character.
        parser.set_input(BufReader::with_capacity(4096, text.as_bytes()));
        Self {
            parser,
            slashes_in: slashes.then_some(text),
            lines_before,
            anchors: HashMap::new(),
            seen: 0,
            open: Vec::new(),
            state: ExactState::Document,
            failure: None,
        }
    }

    /// Returns the parser's syntax error, if it ended the document.
    pub(super) const fn failure(&self) -> Option<SyntaxFailure> {
        self.failure
    }

    fn spot(&self, start: libyaml_safer::Mark, end: libyaml_safer::Mark) -> EventPosition {
        let width = if start.line == end.line { end.column.saturating_sub(start.column) } else { 0 };
        EventPosition {
            line: saturating_u32(start.line).saturating_add(1).saturating_add(self.lines_before),
            column: saturating_u32(start.column).saturating_add(1),
            width: saturating_u32(width),
        }
    }

    /// Reports whether a double-quoted scalar between two byte offsets contains `\/`, which YAML 1.1 does not define.
    fn has_slash_escape(&self, start: u64, end: u64) -> bool {
        let range = usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0);
        let Some(raw) = self.slashes_in.and_then(|text| text.get(range)) else { return false };
        let mut escaped = false;
        raw.chars().any(|c| {
            let found = escaped && c == '/';
            escaped = c == '\\' && !escaped;
            found
        })
    }

    /// Tracks flow collections. In these, Kubernetes ends a plain scalar at a `?` and then fails.
    fn is_refused(&mut self, event: &libyaml_safer::Event) -> bool {
        match &event.data {
            EventData::MappingStart { style, .. } => self.open.push(*style == MappingStyle::Flow),
            EventData::SequenceStart { style, .. } => self.open.push(*style == SequenceStyle::Flow),
            EventData::MappingEnd | EventData::SequenceEnd => _ = self.open.pop(),
            EventData::Scalar { value, style: ExactStyle::Plain, .. } => {
                return self.open.last() == Some(&true) && value.contains('?');
            }
            _ => {}
        }
        false
    }

    fn define(&mut self, anchor: Option<String>) -> usize {
        let Some(name) = anchor else { return 0 };
        self.seen += 1;
        self.anchors.insert(name, self.seen);
        self.seen
    }

    /// Returns the parser's next event; a panic of the parser becomes a syntax error.
    fn pull(&mut self) -> EventResult<libyaml_safer::Event> {
        let parser = &mut self.parser;
        match catch_panic(|| parser.parse()) {
            Ok(Ok(event)) => Ok(event),
            Ok(Err(error)) => {
                let mark = error.problem_mark().unwrap_or_default();
                let problem = SyntaxProblem::classify(error.problem());
                let construct = error.context_mark().map(text_position);
                self.failure = Some(SyntaxFailure { problem, at: text_position(mark), construct });
                Err((YamlError::Syntax(problem), self.spot(mark, mark)))
            }
            Err(CaughtPanic) => Err((
                YamlError::Syntax(SyntaxProblem::Other),
                EventPosition { line: self.lines_before, column: 0, width: 0 },
            )),
        }
    }
}

impl<'a> EventSource<'a> for ExactEvents<'a> {
    fn next(&mut self) -> Option<EventResult<(YamlEvent<'a>, EventPosition)>> {
        loop {
            if self.state == ExactState::Done {
                return None;
            }
            let event = match self.pull() {
                Ok(event) => event,
                Err((error, spot)) => {
                    let ended = self.state == ExactState::Ended;
                    self.state = ExactState::Done;
                    return Some(Err((if ended { YamlError::TrailingDocument } else { error }, spot)));
                }
            };
            let spot = self.spot(event.start_mark, event.end_mark);
            if self.is_refused(&event) {
                return Some(Err((YamlError::Syntax(SyntaxProblem::Flow), spot)));
            }
            let event = match event.data {
                EventData::StreamEnd => {
                    self.state = ExactState::Done;
                    return None;
                }
                EventData::DocumentStart { .. } if self.state == ExactState::Ended => {
                    return Some(Err((YamlError::TrailingDocument, spot)));
                }
                EventData::DocumentStart { .. } | EventData::StreamStart { .. } => continue,
                EventData::DocumentEnd { .. } => {
                    self.state = ExactState::Ended;
                    continue;
                }
                EventData::Alias { anchor } => match self.anchors.get(&anchor) {
                    Some(anchor) => YamlEvent::Alias(*anchor),
                    None => return Some(Err((YamlError::UnknownAnchor, spot))),
                },
                EventData::MappingEnd => YamlEvent::MappingEnd,
                EventData::MappingStart { anchor, .. } => YamlEvent::MappingStart(self.define(anchor)),
                EventData::Scalar { style: ExactStyle::DoubleQuoted, .. }
                    if self.has_slash_escape(event.start_mark.index, event.end_mark.index) =>
                {
                    return Some(Err((YamlError::Syntax(SyntaxProblem::Escape), spot)));
                }
                EventData::Scalar { anchor, tag, value, style, .. } => YamlEvent::Scalar(ScalarEvent {
                    text: Cow::Owned(value),
                    anchor: self.define(anchor),
                    plain: style == ExactStyle::Plain && tag.is_none(),
                    tag: tag.map_or(ScalarTag::None, |tag| ScalarTag::from_uri("", &tag)),
                }),
                EventData::SequenceEnd => YamlEvent::SequenceEnd,
                EventData::SequenceStart { anchor, .. } => YamlEvent::SequenceStart(self.define(anchor)),
            };
            return Some(Ok((event, spot)));
        }
    }
}
