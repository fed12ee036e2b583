//! The `JSONPath` templates of kubectl and argocd-vault-plugin, if they select one value: `{.a.b}`, `{.items[0].x}`,
//! `{['a.b']}`, `{.a}{':'}{.b}`.
//!
//! This is our own subset: wildcards, filters, slices and `range` join several values with spaces, which is never
//! useful in a secret, so they are refused. In return, a number keeps the digits that were written.

use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::values::json_text;

/// Maximum number of pieces of a template and of steps of a path; each piece may be the whole document, which is read
/// again for each step.
const MAX_PIECES: usize = 32;

/// A template that consists of one path.
#[derive(Clone, PartialEq, Eq)]
pub struct JsonPath {
    source: String,
    steps: Vec<JsonStep>,
}

/// A template with several pieces, or with text around a path.
#[derive(Clone, PartialEq, Eq)]
pub struct JsonTemplate {
    source: String,
    pieces: Vec<TemplatePiece>,
}

/// A parsed template of either kind.
pub(super) enum JsonSelection {
    Path(JsonPath),
    Template(JsonTemplate),
}

#[derive(Clone, PartialEq, Eq)]
enum TemplatePiece {
    Literal(String),
    Path(Vec<JsonStep>),
}

/// One step into a document.
#[derive(Clone, PartialEq, Eq)]
pub enum JsonStep {
    /// A field of an object.
    Field(String),
    /// An index of an array, counted from the end if negative.
    Index(i64),
}

/// A reason why a template selects no value of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelectError {
    /// An object on the path contains the key twice.
    Ambiguous,
    /// A value on the path is missing or null.
    Missing,
    /// The document is not JSON.
    NotJson,
}

impl From<json_text::JsonTextError> for SelectError {
    fn from(error: json_text::JsonTextError) -> Self {
        match error {
            json_text::JsonTextError::Duplicate => Self::Ambiguous,
            json_text::JsonTextError::Syntax => Self::NotJson,
        }
    }
}

/// Parses a template.
///
/// # Errors
/// Returns the problem with the template.
pub(crate) fn parse(source: &str) -> Result<JsonSelection, &'static str> {
    let mut pieces = pieces(source)?;
    if pieces.len() > MAX_PIECES {
        return Err("it has too many pieces");
    }
    if !pieces.iter().any(|piece| matches!(piece, TemplatePiece::Path(_))) {
        return Err("it has no path in braces");
    }
    let source = source.to_owned();
    Ok(match pieces.pop() {
        Some(TemplatePiece::Path(steps)) if pieces.is_empty() => {
            JsonSelection::Path(JsonPath { source, steps })
        }
        last => {
            pieces.extend(last);
            JsonSelection::Template(JsonTemplate { source, pieces })
        }
    })
}

fn pieces(source: &str) -> Result<Vec<TemplatePiece>, &'static str> {
    let mut pieces = Vec::new();
    let mut rest = source;
    while !rest.is_empty() {
        let open = rest.find('{').unwrap_or(rest.len());
        if open > 0 {
            pieces.push(TemplatePiece::Literal(rest[..open].to_owned()));
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
    /// Returns the template as written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns the steps into the document; without steps, the path selects all of it.
    #[must_use]
    pub fn steps(&self) -> &[JsonStep] {
        &self.steps
    }

    /// Returns the selected value of a JSON document: a string unquoted, a number or boolean as written, an object or
    /// array as compact JSON.
    ///
    /// # Errors
    /// The value is not JSON, or the path selects nothing or is ambiguous.
    pub fn select(&self, json: &str) -> Result<Zeroizing<String>, SelectError> {
        select(json_text::parse(json)?, &self.steps)
    }
}

impl JsonTemplate {
    /// Returns the template as written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns the text that the template produces from a JSON document.
    ///
    /// # Errors
    /// The value is not JSON, or the path selects nothing or is ambiguous.
    pub fn select(&self, json: &str) -> Result<Zeroizing<String>, SelectError> {
        let root = json_text::parse(json)?;
        let mut out = Zeroizing::new(String::new());
        for piece in &self.pieces {
            match piece {
                TemplatePiece::Literal(text) => out.push_str(text),
                TemplatePiece::Path(steps) => out.push_str(&select(root, steps)?),
            }
        }
        Ok(out)
    }
}

fn select(root: &RawValue, steps: &[JsonStep]) -> Result<Zeroizing<String>, SelectError> {
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

/// Reads the content of braces, after the opening one.
fn braced(source: &str) -> Result<(TemplatePiece, &str), &'static str> {
    let trimmed = source.trim_start_matches(' ');
    let (piece, rest) = if let Some(quote @ ('\'' | '"')) = trimmed.chars().next() {
        let (text, rest) = quoted(&trimmed[1..], quote)?;
        (TemplatePiece::Literal(text), rest)
    } else {
        let (steps, rest) = path(trimmed)?;
        (TemplatePiece::Path(steps), rest)
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

/// Reads a name after a dot; `\` makes the next character part of it.
fn dotted(source: &str) -> Result<(JsonStep, &str), &'static str> {
    let mut name = String::new();
    let mut chars = source.char_indices();
    let mut end = source.len();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => name.push(chars.next().ok_or("nothing follows a `\\`")?.1),
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

/// Reads the content of square brackets, after the opening one.
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
