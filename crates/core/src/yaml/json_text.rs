//! JSON documents as events: strict JSON, as Kubernetes' decoder takes it, with positions.

use std::borrow::Cow;

use super::error::YamlError;
use super::events::{Event, Events, Located, Scalar, Spot, number};
use super::scalar::Tag;

/// Reads one JSON value after another from a text.
pub(super) struct JsonText<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    /// A position on the current line and the characters before it there.
    counted: (usize, u32),
    expects: Expects,
    /// Open collections; true for an object.
    open: Vec<bool>,
}

/// What may come next.
#[derive(Clone, Copy, PartialEq)]
enum Expects {
    CommaOrEnd,
    End,
    Key,
    KeyOrEnd,
    Value,
    ValueOrEnd,
}

impl<'a> JsonText<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0, line: 1, counted: (0, 0), expects: Expects::Value, open: Vec::new() }
    }

    /// Goes to the next value; `false` where there is none.
    pub(super) fn next_document(&mut self) -> bool {
        self.skip_space();
        self.open.clear();
        self.expects = Expects::Value;
        self.at < self.text.len()
    }

    /// Bytes read so far.
    pub(super) const fn position(&self) -> usize {
        self.at
    }

    /// Gives up on the rest, whose structure is unknown after a mistake.
    pub(super) const fn abandon(&mut self) {
        self.at = self.text.len();
    }

    /// The line of that position, from 1.
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
                self.counted = (self.at, 0);
            }
        }
    }

    /// The current position; counts on from the last one, so that long lines cost no more than short ones.
    fn spot(&mut self, bytes: usize) -> Spot {
        let chars =
            |from: usize, to: usize| number(self.text.get(from..to).map_or(0, |text| text.chars().count()));
        let before = self.counted.1.saturating_add(chars(self.counted.0, self.at));
        let width = chars(self.at, self.at.saturating_add(bytes));
        self.counted = (self.at, before);
        Spot { line: self.line, column: before.saturating_add(1), width }
    }

    fn step(&mut self) -> Located<(Event<'a>, Spot)> {
        self.skip_space();
        if self.expects == Expects::CommaOrEnd && self.peek() == Some(b',') {
            self.at += 1;
            self.skip_space();
            self.expects = if self.open.last() == Some(&true) { Expects::Key } else { Expects::Value };
        }
        let spot = self.spot(1);
        match (self.peek(), self.expects) {
            (Some(b'}'), Expects::CommaOrEnd | Expects::KeyOrEnd) if self.open.last() == Some(&true) => {
                Ok((self.close(Event::MappingEnd), spot))
            }
            (Some(b']'), Expects::CommaOrEnd | Expects::ValueOrEnd) if self.open.last() == Some(&false) => {
                Ok((self.close(Event::SequenceEnd), spot))
            }
            (Some(b'"'), Expects::Key | Expects::KeyOrEnd) => self.key(),
            (_, Expects::Key | Expects::KeyOrEnd) => Err((YamlError::Json("a key in double quotes"), spot)),
            (_, Expects::CommaOrEnd) => Err((YamlError::Json("a comma or the end of the collection"), spot)),
            (_, Expects::Value | Expects::ValueOrEnd | Expects::End) => self.value(spot),
        }
    }

    fn close(&mut self, event: Event<'a>) -> Event<'a> {
        self.at += 1;
        self.open.pop();
        self.after_value();
        event
    }

    fn after_value(&mut self) {
        self.expects = if self.open.is_empty() { Expects::End } else { Expects::CommaOrEnd };
    }

    fn key(&mut self) -> Located<(Event<'a>, Spot)> {
        let found = self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err((YamlError::Json("a colon after the key"), self.spot(1)));
        }
        self.at += 1;
        self.expects = Expects::Value;
        Ok(found)
    }

    fn value(&mut self, spot: Spot) -> Located<(Event<'a>, Spot)> {
        match self.peek() {
            Some(b'{') => {
                self.at += 1;
                self.open.push(true);
                self.expects = Expects::KeyOrEnd;
                Ok((Event::MappingStart(0), spot))
            }
            Some(b'[') => {
                self.at += 1;
                self.open.push(false);
                self.expects = Expects::ValueOrEnd;
                Ok((Event::SequenceStart(0), spot))
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

    /// `true`, `false`, `null` or a number: all of which YAML's rules read as JSON does.
    fn literal(&mut self) -> Located<(Event<'a>, Spot)> {
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
        self.at += end;
        let scalar = Scalar { text: Cow::Borrowed(text), anchor: 0, plain: true, tag: Tag::None };
        Ok((Event::Scalar(scalar), spot))
    }

    fn string(&mut self) -> Located<(Event<'a>, Spot)> {
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
        self.at += length;
        Ok((Event::Scalar(Scalar { text, anchor: 0, plain: false, tag: Tag::None }), spot))
    }
}

impl<'a> Events<'a> for JsonText<'a> {
    fn next(&mut self) -> Option<Located<(Event<'a>, Spot)>> {
        (self.expects != Expects::End).then(|| self.step())
    }
}

/// Bytes of the string at the start, quotes included.
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

/// JSON's grammar of numbers.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (int, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    digits(int) && (int.len() == 1 || !int.starts_with('0')) && digits(fraction) && digits(exponent)
}
