//! The errors of templates that are not Handlebars.
//!
//! The parser's message lists the rules of its grammar, which authors do not know. The error follows from the characters
//! at which the parser stopped instead; nothing but one character of punctuation is quoted.

use sealwave_core::diagnostic::Explain;

/// A reason why a template cannot be parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SyntaxFault {
    #[error("an argument cannot be read")]
    Argument,
    #[error("a closing tag has no block")]
    CloseWithoutBlock,
    #[error("a `.` is not followed by a name")]
    Dot,
    #[error("a tag ends too early")]
    EarlyEnd,
    #[error("a character in a tag is not expected: `{0}`")]
    Punctuation(char),
    #[error("a tag cannot be read")]
    Tag,
    #[error("a block is not closed")]
    UnclosedBlock,
    #[error("a tag is not closed")]
    UnclosedTag,
}

impl SyntaxFault {
    /// Determines the error from the parser's position (line and column, from 1) and the rules that it expected.
    pub(super) fn new(text: &str, position: Option<(usize, usize)>, expected: &str) -> Self {
        let Some((before, rest)) = position.and_then(|position| split(text, position)) else {
            return Self::Tag;
        };
        let in_tag = before.rfind("{{") > before.rfind("}}");
        match rest.trim_start().chars().next() {
            None if in_tag => Self::UnclosedTag,
            None if expected.contains("block_end") => Self::UnclosedBlock,
            Some('/') if before.trim_end().ends_with(['{', '~']) => Self::CloseWithoutBlock,
            Some('.') => Self::Dot,
            Some('}') => Self::EarlyEnd,
            Some(next) if in_tag && next.is_ascii_punctuation() => Self::Punctuation(next),
            _ => Self::Tag,
        }
    }
}

impl Explain for SyntaxFault {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::CloseWithoutBlock => "remove it, or open the block with `{{#name …}}`",
            Self::Dot => {
                "names have no prefix: write `{{image.tag}}` instead of Helm's `{{.Values.image.tag}}`"
            }
            Self::Punctuation('|') => {
                "Handlebars has no pipes: write `{{upper name}}` instead of `{{name | upper}}`"
            }
            Self::Argument | Self::EarlyEnd | Self::Punctuation(_) | Self::Tag => {
                "check the names, quotes and parentheses of the tag; for a literal `{{`, write `\\{{`"
            }
            Self::UnclosedBlock => "close each block: `{{#if name}} … {{/if}}`",
            Self::UnclosedTag => "close it with `}}`",
        };
        Some(hint.to_owned())
    }
}

/// Splits a text at a line and a column, in characters.
fn split(text: &str, (line, column): (usize, usize)) -> Option<(&str, &str)> {
    let lines = text.split_inclusive('\n');
    let start: usize = lines.take(line.checked_sub(1)?).map(str::len).sum();
    let characters = text.get(start..)?.chars().take(column.checked_sub(1)?);
    text.split_at_checked(start + characters.map(char::len_utf8).sum::<usize>())
}

#[cfg(test)]
mod tests {
    use handlebars::{Template, TemplateErrorReason};

    use super::*;

    fn fault(text: &str) -> SyntaxFault {
        let error = Template::compile(text).expect_err(text);
        match error.reason() {
            TemplateErrorReason::InvalidSyntax(expected) => SyntaxFault::new(text, error.pos(), expected),
            other => panic!("{text}: {other}"),
        }
    }

    #[test]
    fn errors_follow_from_the_text() {
        for (text, expected) in [
            ("a: {{#if x}}1\n", SyntaxFault::UnclosedBlock),
            ("a: {{#each x}}\n{{#if x}}1{{/if}}\n", SyntaxFault::UnclosedBlock),
            ("a: é {{/if}}\n", SyntaxFault::CloseWithoutBlock),
            ("a: {{x | upper}}\n", SyntaxFault::Punctuation('|')),
            ("a: {{ .Values.x }}\n", SyntaxFault::Dot),
            ("a: {{quote (upper x}}\n", SyntaxFault::EarlyEnd),
            ("a: {{}}\n", SyntaxFault::EarlyEnd),
            ("a: {{x", SyntaxFault::UnclosedTag),
            ("a: {{x\nb: c\n", SyntaxFault::UnclosedTag),
            ("a: {{x = 1}}\n", SyntaxFault::Punctuation('=')),
        ] {
            assert_eq!(fault(text), expected, "{text}");
            assert!(expected.hint().is_some(), "{text}");
        }
    }
}
