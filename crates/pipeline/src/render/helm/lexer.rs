//! Splits the text of a tag into words: those of Handlebars, of Go templates, and operators of other languages.

/// The maximum number of words of a tag.
const MAX_WORDS: usize = 256;

/// A word of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word<'t> {
    /// `:=`, or `=` that does not follow a name.
    Assign,
    Bar,
    Close,
    CloseBracket,
    Comma,
    /// A name and its `=`.
    Key(&'t str),
    Name(&'t str),
    Number(&'t str),
    Open,
    OpenBracket,
    Operator(&'t str),
    /// A text with its quotes.
    Text(&'t str),
}

/// A word, and whether it follows the word before without a blank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lexeme<'t> {
    pub(super) word: Word<'t>,
    pub(super) is_glued: bool,
}

/// Splits a text; `None` if a character is not known, or if there are too many words.
pub(super) fn lex(text: &str) -> Option<Vec<Lexeme<'_>>> {
    let mut words = Vec::new();
    let mut rest = text;
    loop {
        let trimmed = rest.trim_start();
        if trimmed.is_empty() {
            return Some(words);
        }
        let is_glued = trimmed.len() == rest.len() && !words.is_empty();
        let (word, length) = next_word(trimmed, is_glued)?;
        rest = trimmed.get(length..)?;
        words.push(Lexeme { word, is_glued });
        if words.len() > MAX_WORDS {
            return None;
        }
    }
}

const OPERATORS: [&str; 16] =
    ["==", "!=", "<=", ">=", "&&", "||", "!", "<", ">", "+", "*", "%", "/", "-", "?", ":"];

fn next_word(text: &str, is_glued: bool) -> Option<(Word<'_>, usize)> {
    let first = text.chars().next()?;
    if let Some(end) = text_end(text, first) {
        return Some((Word::Text(text.get(..end)?), end));
    }
    if text.starts_with(":=") {
        return Some((Word::Assign, 2));
    }
    if let Some(operator) = OPERATORS.iter().find(|operator| text.starts_with(**operator))
        && !is_number(text, is_glued)
    {
        return Some((Word::Operator(operator), operator.len()));
    }
    let mark = match first {
        '(' => Word::Open,
        ')' => Word::Close,
        '[' => Word::OpenBracket,
        ']' => Word::CloseBracket,
        ',' => Word::Comma,
        '|' => Word::Bar,
        '=' => Word::Assign,
        _ => return name_or_number(text, is_glued),
    };
    Some((mark, 1))
}

/// Returns the end of a quoted text.
fn text_end(text: &str, quote: char) -> Option<usize> {
    if !matches!(quote, '"' | '\'' | '`') {
        return None;
    }
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !is_escaped {
            return Some(at + 1);
        }
        is_escaped = c == '\\' && !is_escaped && quote != '`';
    }
    None
}

fn is_number(text: &str, is_glued: bool) -> bool {
    let digits = if is_glued { text } else { text.strip_prefix('-').unwrap_or(text) };
    digits.starts_with(|c: char| c.is_ascii_digit())
}

fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '@' | '$') || !c.is_ascii()
}

fn name_or_number(text: &str, is_glued: bool) -> Option<(Word<'_>, usize)> {
    let end = name_end(text);
    let name = text.get(..end).filter(|name| !name.is_empty())?;
    if is_number(text, is_glued) && name.parse::<f64>().is_ok() {
        return Some((Word::Number(name), end));
    }
    let behind = text.get(end..)?;
    if behind.starts_with('=') && !behind.starts_with("==") {
        return Some((Word::Key(name), end + 1));
    }
    Some((Word::Name(name), end))
}

/// Returns the end of a name, which may contain keys in brackets: `a.[b c]`.
fn name_end(text: &str) -> usize {
    let mut end = 0;
    loop {
        let rest = text.get(end..).unwrap_or_default();
        end += rest.find(|c| !is_name_char(c)).unwrap_or(rest.len());
        let has_key = text.get(..end).is_some_and(|name| name.ends_with(['.', '/']));
        let key = text.get(end..).filter(|rest| has_key && rest.starts_with('['));
        match key.and_then(|key| key.find(']')) {
            Some(close) => end += close + 1,
            None => return end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_several_languages_are_split() {
        let words = |text| lex(text).map(|all| all.into_iter().map(|lexeme| lexeme.word).collect::<Vec<_>>());
        let name = Word::Name;
        assert_eq!(
            words(".Values.a-b | default \"x|y\""),
            Some(vec![name(".Values.a-b"), Word::Bar, name("default"), Word::Text("\"x|y\"")])
        );
        assert_eq!(words("$x := -1"), Some(vec![name("$x"), Word::Assign, Word::Number("-1")]));
        assert_eq!(
            words("a=../b.[c d] 1.10"),
            Some(vec![Word::Key("a"), name("../b.[c d]"), Word::Number("1.10")])
        );
        assert_eq!(
            words("!a&&b"),
            Some(vec![Word::Operator("!"), name("a"), Word::Operator("&&"), name("b")])
        );
        assert_eq!(words("a ? 'b' : c").map(|all| all.len()), Some(5));
        assert_eq!(words("f \"x"), None);
        assert_eq!(words(";"), None);
        assert_eq!(words(&"a ".repeat(300)), None);
    }
}
