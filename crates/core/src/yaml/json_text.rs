//! JSON documents as events: strict JSON, as Kubernetes' decoder accepts it, with positions.

use std::borrow::Cow;
use std::ops::Range;

use super::error::YamlError;
use super::events::{EventSource, ScalarEvent, YamlEvent};
use super::position::{EventPosition, EventResult, saturating_u32};
use super::scalar::ScalarTag;

/// Reads one JSON value after another from a text.
pub(super) struct JsonText<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    /// An offset on the current line and the number of characters before it.
    line_offset: (usize, u32),
    expects: ExpectedToken,
    /// Whether each open collection is an object.
    open: Vec<bool>,
    /// The bytes of the last bracket or scalar.
    token: Range<usize>,
}

/// The tokens that may follow.
#[derive(Clone, Copy, PartialEq)]
enum ExpectedToken {
    CommaOrEnd,
    End,
    Key,
    KeyOrEnd,
    Value,
    ValueOrEnd,
}

impl<'a> JsonText<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            line: 1,
            line_offset: (0, 0),
            expects: ExpectedToken::Value,
            open: Vec::new(),
            token: 0..0,
        }
    }

    /// Moves to the next value. Returns `false` at the end.
    pub(super) fn next_document(&mut self) -> bool {
        self.skip_space();
        self.open.clear();
        self.expects = ExpectedToken::Value;
        self.at < self.text.len()
    }

    /// Returns the bytes of the last event: a bracket or a scalar.
    pub(super) fn token(&self) -> Range<usize> {
        self.token.clone()
    }

    /// Moves behind a token of this many bytes.
    fn advance(&mut self, bytes: usize) {
        let start = self.at;
        self.at = start.saturating_add(bytes);
        self.token = start..self.at;
    }

    /// Returns the number of bytes read.
    pub(super) const fn position(&self) -> usize {
        self.at
    }

    /// Skips the rest, whose structure is unknown after an error.
    pub(super) const fn abandon(&mut self) {
        self.at = self.text.len();
    }

    /// Returns the current line, starting at 1.
    pub(super) const fn line(&self) -> u32 {
        self.line
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(byte @ (b' ' | b'\t' | b'\r' | b'\n')) = self.peek() {
            self.at += 1;
            if byte == b'\n' {
                self.line = self.line.saturating_add(1);
                self.line_offset = (self.at, 0);
            }
        }
    }

    /// Returns the current position; counts from the last one, so that long lines are not counted again.
    fn spot(&mut self, bytes: usize) -> EventPosition {
        let chars = |from: usize, to: usize| {
            saturating_u32(self.text.get(from..to).map_or(0, |text| text.chars().count()))
        };
        let before = self.line_offset.1.saturating_add(chars(self.line_offset.0, self.at));
        let width = chars(self.at, self.at.saturating_add(bytes));
        self.line_offset = (self.at, before);
        EventPosition { line: self.line, column: before.saturating_add(1), width }
    }

    fn step(&mut self) -> EventResult<(YamlEvent<'a>, EventPosition)> {
        self.skip_space();
        if self.expects == ExpectedToken::CommaOrEnd && self.peek() == Some(b',') {
            self.at += 1;
            self.skip_space();
            self.expects =
                if self.open.last() == Some(&true) { ExpectedToken::Key } else { ExpectedToken::Value };
        }
        let spot = self.spot(1);
        match (self.peek(), self.expects) {
            (Some(b'}'), ExpectedToken::CommaOrEnd | ExpectedToken::KeyOrEnd)
                if self.open.last() == Some(&true) =>
            {
                Ok((self.close(YamlEvent::MappingEnd), spot))
            }
            (Some(b']'), ExpectedToken::CommaOrEnd | ExpectedToken::ValueOrEnd)
                if self.open.last() == Some(&false) =>
            {
                Ok((self.close(YamlEvent::SequenceEnd), spot))
            }
            (Some(b'"'), ExpectedToken::Key | ExpectedToken::KeyOrEnd) => self.key(),
            (_, ExpectedToken::Key | ExpectedToken::KeyOrEnd) => {
                Err((YamlError::Json("a key in double quotes"), spot))
            }
            (_, ExpectedToken::CommaOrEnd) => {
                Err((YamlError::Json("a comma or the end of the collection"), spot))
            }
            (_, ExpectedToken::Value | ExpectedToken::ValueOrEnd | ExpectedToken::End) => self.value(spot),
        }
    }

    fn close(&mut self, event: YamlEvent<'a>) -> YamlEvent<'a> {
        self.advance(1);
        self.open.pop();
        self.after_value();
        event
    }

    fn after_value(&mut self) {
        self.expects = if self.open.is_empty() { ExpectedToken::End } else { ExpectedToken::CommaOrEnd };
    }

    fn key(&mut self) -> EventResult<(YamlEvent<'a>, EventPosition)> {
        let found = self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err((YamlError::Json("a colon after the key"), self.spot(1)));
        }
        self.at += 1;
        self.expects = ExpectedToken::Value;
        Ok(found)
    }

    fn value(&mut self, spot: EventPosition) -> EventResult<(YamlEvent<'a>, EventPosition)> {
        match self.peek() {
            Some(b'{') => {
                self.advance(1);
                self.open.push(true);
                self.expects = ExpectedToken::KeyOrEnd;
                Ok((YamlEvent::MappingStart(0), spot))
            }
            Some(b'[') => {
                self.advance(1);
                self.open.push(false);
                self.expects = ExpectedToken::ValueOrEnd;
                Ok((YamlEvent::SequenceStart(0), spot))
            }
            Some(b'"') => {
                let found = self.string()?;
                self.after_value();
                Ok(found)
            }
            _ => {
                let found = self.literal()?;
                self.after_value();
                Ok(found)
            }
        }
    }

    /// Reads `true`, `false`, `null` or a number, which YAML and JSON read the same way.
    fn literal(&mut self) -> EventResult<(YamlEvent<'a>, EventPosition)> {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '-' | '.'))
            .unwrap_or(rest.len());
        let text = rest.get(..end).unwrap_or("");
        let spot = self.spot(end.max(1));
        if !matches!(text, "true" | "false" | "null") {
            if !is_number(text) {
                return Err((YamlError::Json("a value"), spot));
            }
            if !text.parse::<f64>().is_ok_and(f64::is_finite) {
                return Err((YamlError::NumberRange, spot));
            }
        }
        self.advance(end);
        let scalar = ScalarEvent { text: Cow::Borrowed(text), anchor: 0, plain: true, tag: ScalarTag::None };
        Ok((YamlEvent::Scalar(scalar), spot))
    }

    fn string(&mut self) -> EventResult<(YamlEvent<'a>, EventPosition)> {
        let rest = self.rest();
        let Some(length) = string_length(rest.as_bytes()) else {
            return Err((YamlError::Json("the closing quote of a string"), self.spot(1)));
        };
        let spot = self.spot(length);
        let quoted = rest.get(..length).unwrap_or("");
        let inner = quoted.get(1..length.saturating_sub(1)).unwrap_or("");
        let text = if inner.bytes().any(|byte| byte == b'\\' || byte < 0x20) {
            let decoded: Result<String, _> = serde_json::from_str(quoted);
            Cow::Owned(decoded.map_err(|_| (YamlError::Json("a valid string"), spot))?)
        } else {
            Cow::Borrowed(inner)
        };
        self.advance(length);
        Ok((YamlEvent::Scalar(ScalarEvent { text, anchor: 0, plain: false, tag: ScalarTag::None }), spot))
    }
}

impl<'a> EventSource<'a> for JsonText<'a> {
    fn next(&mut self) -> Option<EventResult<(YamlEvent<'a>, EventPosition)>> {
        (self.expects != ExpectedToken::End).then(|| self.step())
    }
}

/// Returns the length of the string at the start, including its quotes.
fn string_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Reports whether a text is a number in JSON's grammar.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (int, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    digits(int) && (int.len() == 1 || !int.starts_with('0')) && digits(fraction) && digits(exponent)
}
