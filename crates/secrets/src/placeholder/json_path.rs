//! The `JSONPath` templates of kubectl and argocd-vault-plugin, as far as they name one value: `{.a.b}`, `{.items[0].x}`,
//! `{['a.b']}`, `{.a}{':'}{.b}`.
//!
//! A subset of our own: wildcards, filters, slices and `range` join several values with spaces, which no secret
//! wants, and they are refused. In return a number keeps the digits that were written.

use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::values::json_text;

/// Pieces of a template and steps of a path; each piece may be the whole document, which is read anew for each step.
const MAX_PIECES: usize = 32;

/// A template that is one path and nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct JsonPath {
    source: String,
    steps: Vec<JsonStep>,
}

/// A template that joins several pieces, or has text around a path.
#[derive(Clone, PartialEq, Eq)]
pub struct JsonTemplate {
    source: String,
    pieces: Vec<Piece>,
}

/// A parsed template of either sort.
pub(super) enum Selection {
    Path(JsonPath),
    Template(JsonTemplate),
}

#[derive(Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Path(Vec<JsonStep>),
}

/// One step into a document.
#[derive(Clone, PartialEq, Eq)]
pub enum JsonStep {
    /// Into an object.
    Field(String),
    /// Into an array, from the end where negative.
    Index(i64),
}

/// Why a document has no value for a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelectError {
    /// An object on the way has the key twice.
    Ambiguous,
    /// Something on the way is not there, or is null.
    Missing,
    /// It is not JSON.
    NotJson,
}

impl From<json_text::NotJson> for SelectError {
    fn from(error: json_text::NotJson) -> Self {
        match error {
            json_text::NotJson::Duplicate => Self::Ambiguous,
            json_text::NotJson::Syntax => Self::NotJson,
        }
    }
}

/// Parses a template.
///
/// # Errors
/// What is wrong with it.
pub fn parse(source: &str) -> Result<Selection, &'static str> {
    let mut pieces = pieces(source)?;
    if pieces.len() > MAX_PIECES {
        return Err("it has too many pieces");
    }
    if !pieces.iter().any(|piece| matches!(piece, Piece::Path(_))) {
        return Err("it has no path in braces");
    }
    let source = source.to_owned();
    Ok(match pieces.pop() {
        Some(Piece::Path(steps)) if pieces.is_empty() => Selection::Path(JsonPath { source, steps }),
        last => {
            pieces.extend(last);
            Selection::Template(JsonTemplate { source, pieces })
        }
    })
}

fn pieces(source: &str) -> Result<Vec<Piece>, &'static str> {
    let mut pieces = Vec::new();
    let mut rest = source;
    while !rest.is_empty() {
        let open = rest.find('{').unwrap_or(rest.len());
        if open > 0 {
            pieces.push(Piece::Literal(rest[..open].to_owned()));
        }
        rest = &rest[open..];
        if let Some(inside) = rest.strip_prefix('{') {
            let (piece, behind) = braced(inside)?;
            pieces.push(piece);
            rest = behind;
        }
    }
    Ok(pieces)
}

impl JsonPath {
    /// As it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The way into the document; no step leads to all of it.
    pub fn steps(&self) -> &[JsonStep] {
        &self.steps
    }

    /// Returns what a JSON document has there: a string as it is, a number or boolean as written, an object or array as
    /// compact JSON.
    pub fn select(&self, json: &str) -> Result<Zeroizing<String>, SelectError> {
        found(json_text::parse(json)?, &self.steps)
    }
}

impl JsonTemplate {
    /// As it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns the text that the template makes of a JSON document.
    pub fn select(&self, json: &str) -> Result<Zeroizing<String>, SelectError> {
        let root = json_text::parse(json)?;
        let mut out = Zeroizing::new(String::new());
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Path(steps) => out.push_str(&found(root, steps)?),
            }
        }
        Ok(out)
    }
}

fn found(root: &RawValue, steps: &[JsonStep]) -> Result<Zeroizing<String>, SelectError> {
    let found = steps.iter().try_fold(root, |at, step| step.walk(at))?;
    json_text::text(found)?.ok_or(SelectError::Missing)
}

impl JsonStep {
    fn walk<'a>(&self, at: &'a RawValue) -> Result<&'a RawValue, SelectError> {
        match self {
            Self::Field(name) => json_text::member(at, name)?,
            Self::Index(index) => json_text::element(at, *index)?,
        }
        .ok_or(SelectError::Missing)
    }
}

/// Reads what is in braces, behind the opening one.
fn braced(source: &str) -> Result<(Piece, &str), &'static str> {
    let trimmed = source.trim_start_matches(' ');
    let (piece, rest) = if let Some(quote @ ('\'' | '"')) = trimmed.chars().next() {
        let (text, rest) = quoted(&trimmed[1..], quote)?;
        (Piece::Literal(text), rest)
    } else {
        let (steps, rest) = path(trimmed)?;
        (Piece::Path(steps), rest)
    };
    let rest = rest.trim_start_matches(' ').strip_prefix('}').ok_or("a brace is not closed")?;
    Ok((piece, rest))
}

fn path(source: &str) -> Result<(Vec<JsonStep>, &str), &'static str> {
    let mut steps = Vec::new();
    let mut rest = source.strip_prefix(['$', '@']).unwrap_or(source);
    if rest.starts_with([' ', '}']) && rest.len() < source.len() {
        return Ok((steps, rest));
    }
    if !rest.starts_with(['.', '[']) {
        return Err("a path starts with `.` or `[`");
    }
    if let Some(behind) = rest.strip_prefix('.')
        && behind.starts_with([' ', '}', '['])
    {
        rest = behind;
    }
    loop {
        let step;
        if let Some(behind) = rest.strip_prefix('.') {
            (step, rest) = dotted(behind)?;
        } else if let Some(behind) = rest.strip_prefix('[') {
            (step, rest) = bracketed(behind)?;
        } else {
            return Ok((steps, rest));
        }
        steps.push(step);
        if steps.len() > MAX_PIECES {
            return Err("a path has too many steps");
        }
    }
}

/// Reads a name behind a dot; `\` makes the next character part of it.
fn dotted(source: &str) -> Result<(JsonStep, &str), &'static str> {
    let mut name = String::new();
    let mut chars = source.char_indices();
    let mut end = source.len();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => name.push(chars.next().ok_or("a `\\` has nothing behind it")?.1),
            '.' | '[' | '}' | ' ' => {
                end = at;
                break;
            }
            '*' | '(' | ')' | '?' | ',' => return Err(UNSUPPORTED),
            other => name.push(other),
        }
    }
    match (name.is_empty(), source[end..].starts_with('.')) {
        (false, _) => Ok((JsonStep::Field(name), &source[end..])),
        (true, true) => Err(UNSUPPORTED),
        (true, false) => Err("a name is empty"),
    }
}

/// Reads what is in square brackets, behind the opening one.
fn bracketed(source: &str) -> Result<(JsonStep, &str), &'static str> {
    let (step, rest) = if let Some(quote @ ('\'' | '"')) = source.chars().next() {
        let (name, rest) = quoted(&source[1..], quote)?;
        (JsonStep::Field(name), rest)
    } else {
        let end = source.find(']').ok_or("a bracket is not closed")?;
        let number = &source[..end];
        let digits = number.strip_prefix('-').unwrap_or(number);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(UNSUPPORTED);
        }
        (JsonStep::Index(number.parse().map_err(|_| "an index is too large")?), &source[end..])
    };
    let rest = rest.strip_prefix(']').ok_or("a bracket is not closed")?;
    Ok((step, rest))
}

/// Reads up to the closing quote; `\` makes the next character part of the text.
fn quoted(source: &str, quote: char) -> Result<(String, &str), &'static str> {
    let mut text = String::new();
    let mut chars = source.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => text.push(chars.next().ok_or("a quote is not closed")?.1),
            c if c == quote => return Ok((text, &source[at + 1..])),
            other => text.push(other),
        }
    }
    Err("a quote is not closed")
}

const UNSUPPORTED: &str = "wildcards, `..`, filters, slices and `range` are not supported: name one value";
