//! One tag: its role among the blocks, and its form in Handlebars.

use super::expression::{Expression, ExpressionParser};
use super::lexer::{Lexeme, Word, lex};
use super::parts::TagParts;
use super::table::ConstructId;
use super::translate::{Translator, Untranslatable};

/// The effect of a tag on blocks.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TagRole {
    /// Closes a block; without a name, the innermost.
    Close(Option<String>),
    Else {
        has_condition: bool,
    },
    Open(OpenedBlock),
    Other,
}

/// A block that a tag opens.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct OpenedBlock {
    /// The name that closes it.
    pub(super) name: String,
    /// The names of its parameters.
    pub(super) parameters: Vec<String>,
    /// Whether names in it are those of an item.
    pub(super) is_scope: bool,
    /// Whether its definition belongs in a file of its own.
    pub(super) is_definition: bool,
}

/// A tag that was read.
#[derive(Debug)]
pub(super) struct ReadTag {
    pub(super) role: TagRole,
    /// The constructs that Handlebars does not have, in order.
    pub(super) seen: Vec<ConstructId>,
    /// The tag in Handlebars; `None` if it is an expression of Handlebars already.
    pub(super) content: Result<TagContent, Untranslatable>,
    pub(super) may_be_literal: bool,
}

/// The content of a tag in Handlebars.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TagContent {
    Advice(String),
    /// The call of a partial, which may have no file yet.
    Partial {
        name: String,
        content: String,
    },
    /// A variable and its expression.
    Variable(String, String),
    Written(String),
}

/// Reads tags.
pub(super) struct TagReader<'t, 's> {
    words: &'t [Lexeme<'t>],
    at: usize,
    translator: Translator<'s>,
    seen: Vec<ConstructId>,
}

/// Reads a tag. `innermost` is the name of the innermost open block.
pub(super) fn read_tag(parts: &TagParts<'_>, innermost: Option<&str>, translator: Translator<'_>) -> ReadTag {
    let is_special = parts.sigil == Some('#') && parts.body.starts_with(['*', '>']);
    let Some(words) = lex(parts.body).filter(|_| !is_special) else {
        let (role, construct) = role_of_unreadable(parts);
        let seen = construct.into_iter().collect();
        return ReadTag { role, seen, content: Err(Untranslatable::Other), may_be_literal: false };
    };
    let mut reader = TagReader { words: &words, at: 0, translator, seen: Vec::new() };
    let (role, content) = reader.read(parts.sigil, innermost);
    let TagReader { translator, mut seen, .. } = reader;
    for construct in translator.seen {
        if !seen.contains(&construct) {
            seen.push(construct);
        }
    }
    ReadTag { role, seen, content, may_be_literal: translator.may_be_literal }
}

/// Returns the role of a tag that is not split into words, and the construct that it starts with.
pub(super) fn role_of_unreadable(parts: &TagParts<'_>) -> (TagRole, Option<ConstructId>) {
    let body = parts.body.trim_start_matches(['*', '>']).trim_start();
    let first = body.split(|c: char| c.is_whitespace() || matches!(c, '(' | '}')).next().unwrap_or_default();
    match (parts.sigil, first) {
        (Some('#'), _) => (TagRole::Open(opened(first)), None),
        (None, "if") => (TagRole::Open(opened(first)), Some(ConstructId::If)),
        (None, "with") => (TagRole::Open(opened(first)), Some(ConstructId::With)),
        (None, "range") => (TagRole::Open(opened("each")), Some(ConstructId::Range)),
        (Some('/'), _) => (TagRole::Close(Some(first.to_owned())), None),
        (None, "else") => (TagRole::Else { has_condition: true }, None),
        _ => (TagRole::Other, None),
    }
}

fn opened(name: &str) -> OpenedBlock {
    OpenedBlock { name: name.to_owned(), is_scope: matches!(name, "each" | "with"), ..OpenedBlock::default() }
}

type Reading = (TagRole, Result<TagContent, Untranslatable>);

impl<'t> TagReader<'t, '_> {
    fn note(&mut self, construct: ConstructId) {
        if !self.seen.contains(&construct) {
            self.seen.push(construct);
        }
    }

    fn word(&self, index: usize) -> Option<Word<'t>> {
        self.words.get(index).map(|lexeme| lexeme.word)
    }

    fn read(&mut self, sigil: Option<char>, innermost: Option<&str>) -> Reading {
        let first = match self.word(0) {
            Some(Word::Name(name)) => name,
            _ => "",
        };
        let is_only = self.words.len() == 1;
        let keyword = first.strip_prefix('*').unwrap_or(first);
        match (sigil, keyword) {
            (Some('/'), "end") | (None | Some('#'), "end" | "endif" | "endfor" | "endwith" | "endrange")
                if is_only =>
            {
                self.end(innermost)
            }
            (Some('/'), name) => (TagRole::Close(Some(name.to_owned())), Err(Untranslatable::Other)),
            (None | Some('#' | '^'), "else") => self.else_tag(sigil.is_some(), 1),
            (None | Some('#'), "elif" | "elsif" | "elseif") => self.else_tag(true, 0),
            (Some('^'), _) if self.words.is_empty() => self.else_tag(false, 0),
            (Some('^'), _) => (TagRole::Else { has_condition: true }, Err(Untranslatable::Other)),
            (None, "if" | "unless" | "with" | "range" | "for" | "foreach") if !is_only => {
                self.block(keyword, true)
            }
            (None, "define" | "block") if !is_only => self.define(keyword),
            (None, "template" | "include") if !is_only => (TagRole::Other, self.value()),
            (None, "break" | "continue") if is_only => {
                self.note(ConstructId::Break);
                let advice = "put the rest of the loop in `{{#if condition}}`".to_owned();
                (TagRole::Other, Ok(TagContent::Advice(advice)))
            }
            (Some('#'), _) => self.block(first, matches!(first, "range" | "for" | "foreach")),
            (Some('>'), _) => (TagRole::Other, self.partial_call()),
            (None | Some('&'), _) if self.is_assignment() => self.assignment(),
            (None | Some('&'), _) => (TagRole::Other, self.value()),
            _ => (TagRole::Other, Err(Untranslatable::Other)),
        }
    }

    fn end(&mut self, innermost: Option<&str>) -> Reading {
        self.note(ConstructId::End);
        let content = match innermost {
            Some("inline") => TagContent::Advice("remove it, as well as the tag that it closes".to_owned()),
            Some(name) => TagContent::Written(format!("/{name}")),
            None => TagContent::Advice("remove it: no block is open".to_owned()),
        };
        (TagRole::Close(None), Ok(content))
    }

    /// Reads an `else`; `at` is the index of the word behind it.
    fn else_tag(&mut self, is_foreign: bool, at: usize) -> Reading {
        if is_foreign {
            self.note(ConstructId::Else);
        }
        let words = self.words.len();
        if words <= at {
            return (TagRole::Else { has_condition: false }, Ok(TagContent::Written("else".to_owned())));
        }
        let name = match self.word(at) {
            Some(Word::Name(name @ ("if" | "with" | "each" | "unless"))) if at == 1 => name,
            _ => "if",
        };
        self.at = if self.word(at) == Some(Word::Name(name)) || at == 0 { at + 1 } else { at };
        let content = self.condition().map(|(value, _)| TagContent::Written(format!("else {name} {value}")));
        (TagRole::Else { has_condition: true }, content)
    }

    fn block(&mut self, keyword: &str, is_foreign: bool) -> Reading {
        if is_foreign {
            self.note(match keyword {
                "range" | "for" | "foreach" => ConstructId::Range,
                "with" => ConstructId::With,
                _ => ConstructId::If,
            });
        }
        let name = if matches!(keyword, "range" | "for" | "foreach") { "each" } else { keyword };
        self.at = 1;
        let mut parameters = if matches!(name, "each" | "with") { self.declared() } else { Vec::new() };
        let value = self.condition();
        let mut block = opened(name);
        let content = value.map(|(value, given)| {
            if parameters.is_empty() {
                parameters = given;
            }
            let names =
                if parameters.is_empty() { String::new() } else { format!(" as |{}|", parameters.join(" ")) };
            TagContent::Written(format!("#{name} {value}{names}"))
        });
        block.parameters = parameters;
        (TagRole::Open(block), content)
    }

    /// Reads the variables of a block: `$value :=`, `$key, $value :=` or `item in`. The value comes first in Handlebars.
    fn declared(&mut self) -> Vec<String> {
        let name = |index: usize| match self.word(index) {
            Some(Word::Name(name)) => Some(name.trim_start_matches('$').to_owned()),
            _ => None,
        };
        let is_in = |index: usize| self.word(index) == Some(Word::Name("in"));
        let is_end = |index: usize| self.word(index) == Some(Word::Assign) || is_in(index);
        let at = self.at;
        let (names, length) = if is_end(at + 1) {
            (vec![name(at)], 2)
        } else if self.word(at + 1) == Some(Word::Comma) && is_end(at + 3) {
            (vec![name(at + 2), name(at).filter(|key| key != "_")], 4)
        } else {
            return Vec::new();
        };
        self.at += length;
        names.into_iter().flatten().collect()
    }

    /// Translates the rest of a block's tag, and returns the block parameters that Handlebars has.
    fn condition(&mut self) -> Result<(String, Vec<String>), Untranslatable> {
        let mut parser = ExpressionParser::new(self.words.get(self.at..).unwrap_or_default());
        let value = parser.pipeline();
        let mut parameters = Vec::new();
        if parser.take(Word::Name("as")) && parser.take(Word::Bar) {
            while let Some(name) = parser.take_name() {
                parameters.push(name.to_owned());
            }
            parser.take(Word::Bar);
        }
        let is_done = parser.is_done();
        parser.seen.into_iter().for_each(|construct| self.note(construct));
        let value = value.filter(|_| is_done).ok_or(Untranslatable::Other)?;
        Ok((self.translator.argument(&value)?, parameters))
    }

    fn expression(&mut self) -> Result<Expression<'t>, Untranslatable> {
        let mut parser = ExpressionParser::new(self.words.get(self.at..).unwrap_or_default());
        let value = parser.pipeline();
        let is_done = parser.is_done();
        parser.seen.into_iter().for_each(|construct| self.note(construct));
        value.filter(|_| is_done).ok_or(Untranslatable::Other)
    }

    fn value(&mut self) -> Result<TagContent, Untranslatable> {
        let value = self.expression()?;
        let arguments = match &value {
            Expression::Text(text) if text.contains(['{', '}']) => {
                return Ok(TagContent::Advice("for literal braces, write `\\{{`".to_owned()));
            }
            Expression::Number(_) | Expression::Text(_) => {
                return Ok(TagContent::Advice("write the text without a tag".to_owned()));
            }
            Expression::Call("include" | "template", arguments, _) => arguments,
            Expression::Call("nindent" | "indent" | "trim", arguments, _) => match arguments.last() {
                // The indentation of a partial is that of its tag.
                Some(Expression::Call("include", arguments, _)) => arguments,
                _ => return self.translator.expression(&value).map(TagContent::Written),
            },
            _ => return self.translator.expression(&value).map(TagContent::Written),
        };
        self.note(ConstructId::Partial);
        self.partial_of(arguments)
    }

    fn is_assignment(&self) -> bool {
        matches!(self.word(0), Some(Word::Name(_) | Word::Key(_)))
            && (self.word(1) == Some(Word::Assign)
                || matches!(self.word(0), Some(Word::Key(_)))
                || matches!((self.word(1), self.word(2)), (Some(Word::Comma), Some(Word::Name(_)))))
    }

    fn assignment(&mut self) -> Reading {
        self.note(ConstructId::Assignment);
        let (name, at) = match (self.word(0), self.word(1)) {
            (Some(Word::Key(name)), _) => (name, 1),
            (Some(Word::Name(name)), Some(Word::Assign)) => (name, 2),
            _ => return (TagRole::Other, Err(Untranslatable::Other)),
        };
        self.at = at;
        let content = self.expression().and_then(|value| {
            let value = self.translator.argument(&value)?;
            Ok(TagContent::Variable(name.trim_start_matches('$').to_owned(), value))
        });
        (TagRole::Other, content)
    }

    /// Reads `define "name"` and `block "name" context`.
    fn define(&mut self, keyword: &str) -> Reading {
        self.note(if keyword == "block" { ConstructId::Block } else { ConstructId::Define });
        let block = OpenedBlock { is_definition: true, ..opened("inline") };
        let name = match self.word(1) {
            Some(Word::Text(text)) => partial_name(text),
            _ => None,
        };
        let content = name.ok_or(Untranslatable::Other).map(|name| {
            TagContent::Advice(format!(
                "put its text in `partials/{name}.hbs`, and write `{{{{> {name}}}}}` where it is used"
            ))
        });
        (TagRole::Open(block), content)
    }

    /// Reads the tag of a partial whose context or arguments are Helm's.
    fn partial_call(&mut self) -> Result<TagContent, Untranslatable> {
        let value = self.expression()?;
        match value {
            Expression::Call(name, arguments, named) => {
                let mut text = format!("> {name}");
                for argument in &arguments {
                    let argument = self.translator.argument(argument)?;
                    if argument != "this" {
                        text = format!("{text} {argument}");
                    }
                }
                for (key, value) in &named {
                    text = format!("{text} {key}={}", self.translator.argument(value)?);
                }
                Ok(TagContent::Written(text))
            }
            Expression::Name(name) => Ok(TagContent::Written(format!("> {name}"))),
            _ => Err(Untranslatable::Other),
        }
    }

    /// Translates the arguments of `include`.
    fn partial_of(&mut self, arguments: &[Expression<'_>]) -> Result<TagContent, Untranslatable> {
        let name = match arguments.first() {
            Some(Expression::Text(text)) => partial_name(text).ok_or(Untranslatable::Other)?,
            _ => return Err(Untranslatable::Other),
        };
        let mut content = format!("> {name}");
        match arguments.get(1) {
            // The whole context is passed anyway.
            None | Some(Expression::Name("." | "this")) => {}
            Some(Expression::Name("$")) if self.translator.scope.depth == 0 => {}
            Some(Expression::Call("dict", pairs, _)) if pairs.len() % 2 == 0 => {
                for pair in pairs.chunks(2) {
                    let [Expression::Text(key), value] = pair else { return Err(Untranslatable::Other) };
                    let key = partial_name(key).ok_or(Untranslatable::Other)?;
                    let value = self.translator.argument(value)?;
                    content = format!("{content} {key}={value}");
                }
            }
            Some(other) => content = format!("{content} {}", self.translator.argument(other)?),
        }
        Ok(TagContent::Partial { name: name.to_owned(), content })
    }
}

/// Returns a quoted name without its quotes, if a file could have it.
fn partial_name(text: &str) -> Option<&str> {
    let name = text.trim_matches(['"', '`', '\'']);
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (!name.is_empty() && !name.starts_with('.') && name.chars().all(is_name)).then_some(name)
}
