//! The expressions of Go templates, with the operators and the index of other languages.

use super::lexer::{Lexeme, Word};
use super::table::ConstructId;

/// The maximum nesting of an expression.
const MAX_DEPTH: usize = 24;

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression<'t> {
    /// A function or a helper with its arguments, and with those by name.
    Call(&'t str, Vec<Self>, Vec<(&'t str, Self)>),
    /// A field of a result: `(x).a.b`.
    Field(Box<Self>, &'t str),
    Index(Box<Self>, Box<Self>),
    Name(&'t str),
    Number(&'t str),
    /// A text with its quotes.
    Text(&'t str),
}

/// A parser of the words of a tag.
pub(super) struct ExpressionParser<'t> {
    words: &'t [Lexeme<'t>],
    at: usize,
    depth: usize,
    /// The constructs that Handlebars does not have, in order.
    pub(super) seen: Vec<ConstructId>,
}

impl<'t> ExpressionParser<'t> {
    /// Creates a parser.
    pub(super) const fn new(words: &'t [Lexeme<'t>]) -> Self {
        Self { words, at: 0, depth: 0, seen: Vec::new() }
    }

    /// Reports whether all words are read.
    pub(super) const fn is_done(&self) -> bool {
        self.at >= self.words.len()
    }

    /// Returns the next word without reading it.
    pub(super) fn peek(&self) -> Option<Word<'t>> {
        self.words.get(self.at).map(|lexeme| lexeme.word)
    }

    /// Reads a word if it is this one.
    pub(super) fn take(&mut self, word: Word<'_>) -> bool {
        let is_next = self.peek() == Some(word);
        self.at += usize::from(is_next);
        is_next
    }

    /// Reads a name.
    pub(super) fn take_name(&mut self) -> Option<&'t str> {
        let Some(Word::Name(name)) = self.peek() else { return None };
        self.at += 1;
        Some(name)
    }

    /// Parses a pipeline: an expression, and functions that get the result before as their last argument.
    pub(super) fn pipeline(&mut self) -> Option<Expression<'t>> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let mut value = self.infix(0)?;
        while self.take(Word::Bar) {
            self.note(ConstructId::Pipe);
            value = match self.application()? {
                Expression::Name(name) => Expression::Call(name, vec![value], Vec::new()),
                Expression::Call(name, mut arguments, named) => {
                    arguments.push(value);
                    Expression::Call(name, arguments, named)
                }
                _ => return None,
            };
        }
        if self.take(Word::Operator("?")) {
            self.note(ConstructId::Operator);
            let yes = self.pipeline()?;
            let no = if self.take(Word::Operator(":")) { self.pipeline()? } else { return None };
            value = Expression::Call("ternary", vec![yes, no, value], Vec::new());
        }
        self.depth -= 1;
        Some(value)
    }

    fn note(&mut self, construct: ConstructId) {
        if !self.seen.contains(&construct) {
            self.seen.push(construct);
        }
    }

    /// Parses infix operations that bind at least this tightly.
    fn infix(&mut self, least: usize) -> Option<Expression<'t>> {
        let mut left = self.unary()?;
        while let Some(Word::Operator(operator)) = self.peek()
            && let Some((helper, strength)) = binary_helper(operator)
            && strength >= least
        {
            self.at += 1;
            self.note(ConstructId::Operator);
            let right = self.infix(strength + 1)?;
            left = Expression::Call(helper, vec![left, right], Vec::new());
        }
        Some(left)
    }

    fn unary(&mut self) -> Option<Expression<'t>> {
        let mut count = 0;
        while self.take(Word::Operator("!")) {
            self.note(ConstructId::Operator);
            count += 1;
        }
        let mut value = self.application()?;
        for _ in 0..count.min(2) {
            value = Expression::Call("not", vec![value], Vec::new());
        }
        Some(value)
    }

    /// Parses a value, or a function and its arguments.
    fn application(&mut self) -> Option<Expression<'t>> {
        let first = self.operands()?;
        let (mut arguments, mut named) = (Vec::new(), Vec::new());
        while let Some(word) = self.peek() {
            match word {
                Word::Key(key) => {
                    self.at += 1;
                    named.push((key, self.operands()?.pop()?));
                }
                Word::Name("as") if self.is_parameters() => break,
                // In parentheses, a comma may separate the arguments of a call: `f(a, b)`.
                Word::Comma if self.depth == 1 && !arguments.is_empty() => {
                    self.at += 1;
                    self.note(ConstructId::CallWithCommas);
                    arguments.extend(self.operands()?);
                }
                Word::Name(_) | Word::Number(_) | Word::Open | Word::Text(_) => {
                    arguments.extend(self.operands()?);
                }
                _ => break,
            }
        }
        match first.as_slice() {
            [Expression::Name(name)] if !arguments.is_empty() || !named.is_empty() => {
                Some(Expression::Call(name, arguments, named))
            }
            [_] if arguments.is_empty() && named.is_empty() => first.into_iter().next(),
            _ => None,
        }
    }

    /// Reports whether block parameters follow: `as |item key|`.
    fn is_parameters(&self) -> bool {
        self.words.get(self.at + 1).is_some_and(|lexeme| lexeme.word == Word::Bar)
    }

    /// Parses one operand, or those of a call as other languages write it: `f(a, b)`.
    fn operands(&mut self) -> Option<Vec<Expression<'t>>> {
        let mut found = match self.peek()? {
            Word::Name(name) => vec![Expression::Name(name)],
            Word::Number(number) => vec![Expression::Number(number)],
            Word::Text(text) => {
                if text.starts_with('`') {
                    self.note(ConstructId::RawText);
                }
                vec![Expression::Text(text)]
            }
            Word::Open => {
                self.at += 1;
                let mut inner = vec![self.pipeline()?];
                while self.take(Word::Comma) {
                    self.note(ConstructId::CallWithCommas);
                    inner.push(self.pipeline()?);
                }
                if self.peek() != Some(Word::Close) {
                    return None;
                }
                inner
            }
            _ => return None,
        };
        self.at += 1;
        while let Some(lexeme) = self.words.get(self.at).filter(|lexeme| lexeme.is_glued) {
            let last = found.pop()?;
            found.push(match lexeme.word {
                Word::OpenBracket => {
                    self.at += 1;
                    self.note(ConstructId::Index);
                    let index = self.pipeline()?;
                    if !self.take(Word::CloseBracket) {
                        return None;
                    }
                    Expression::Index(Box::new(last), Box::new(index))
                }
                Word::Name(field) if field.starts_with('.') => {
                    self.at += 1;
                    Expression::Field(Box::new(last), field)
                }
                _ => {
                    found.push(last);
                    return Some(found);
                }
            });
        }
        Some(found)
    }
}

/// Returns the helper that does what an operator does, and how tightly the operator binds.
fn binary_helper(operator: &str) -> Option<(&'static str, usize)> {
    Some(match operator {
        "||" => ("or", 0),
        "&&" => ("and", 1),
        "==" => ("eq", 2),
        "!=" => ("ne", 2),
        "<" => ("lt", 2),
        "<=" => ("le", 2),
        ">" => ("gt", 2),
        ">=" => ("ge", 2),
        "+" => ("add", 3),
        "-" => ("sub", 3),
        "*" => ("mul", 4),
        "/" => ("div", 4),
        "%" => ("mod", 4),
        _ => return None,
    })
}
