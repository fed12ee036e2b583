//! Explains a syntax error by the text around it.
//!
//! The parser names a rule of the grammar, and often a place after the mistake. This module looks for the mistake itself:
//! a tab, an invisible character, a missing space or colon, an indentation that matches no line above, a bracket or a
//! quote that is not closed, conflict markers of Git. It finds nothing rather than something doubtful, and never quotes
//! a value.

use super::error::{SyntaxProblem, YamlError};
use super::indentation::{self, split_at_line};
use super::position::TextPosition;

/// A syntax error of the parser.
#[derive(Clone, Copy)]
pub(super) struct SyntaxFailure {
    pub(super) problem: SyntaxProblem,
    pub(super) at: TextPosition,
    /// The start of the construct that the parser was reading.
    pub(super) construct: Option<TextPosition>,
}

/// Returns the mistake that caused a syntax error, with its position; `None` if the parser's error says as much.
pub(super) fn find_mistake(text: &str, failure: SyntaxFailure) -> Option<(YamlError, TextPosition)> {
    let syntax = |problem, at| (YamlError::Syntax(problem), at);
    if let Some(line) = conflict_marker(text) {
        return Some(syntax(SyntaxProblem::ConflictMarker, TextPosition { line, column: 1 }));
    }
    for line in failure.lines(text).into_iter().flatten() {
        if let Some(found) = mistake_in_line(text, line) {
            return Some(found);
        }
    }
    match failure.problem {
        SyntaxProblem::Quote => failure.construct.map(|opened| syntax(SyntaxProblem::Quote, opened)),
        SyntaxProblem::Flow | SyntaxProblem::FlowColon => {
            let opened = failure.construct.filter(|opened| opened.line < failure.at.line)?;
            let bracket = char_at(text, opened).filter(|bracket| matches!(bracket, '[' | '{'))?;
            Some((YamlError::UnclosedFlow(bracket), opened))
        }
        SyntaxProblem::Indentation
        | SyntaxProblem::Key
        | SyntaxProblem::KeyMissing
        | SyntaxProblem::Other => {
            let quote = swallowing_quote(text, failure.at).map(|at| syntax(SyntaxProblem::Quote, at));
            quote
                .or_else(|| line_without_colon(text, failure).map(|at| syntax(SyntaxProblem::KeyMissing, at)))
                .or_else(|| indentation::find_mistake(text, failure.at.line))
                .or_else(|| colon_in_value(text, failure).map(|at| syntax(SyntaxProblem::ColonInValue, at)))
        }
        _ => None,
    }
}

impl SyntaxFailure {
    /// Returns the lines that may hold the mistake: a line that is not a key, but should be one, is part of a text until
    /// the parser meets the next colon or line.
    fn lines(self, text: &str) -> [Option<usize>; 2] {
        let above = match self.problem {
            SyntaxProblem::KeyMissing => self.construct.map(|at| at.line),
            SyntaxProblem::Key => line_above(text, self.at.line).map(|(line, _)| line),
            _ => None,
        };
        [Some(self.at.line), above]
    }
}

/// Returns the nearest line above that is neither blank nor a comment.
fn line_above(text: &str, line: usize) -> Option<(usize, &str)> {
    let (above, _) = split_at_line(text, line)?;
    let (above, distance) = above.lines().rev().zip(1..).find(|(line, _)| indentation::has_content(line))?;
    Some((line.checked_sub(distance)?, above))
}

/// Returns the line of the first conflict marker, if the text has the markers of both sides.
fn conflict_marker(text: &str) -> Option<usize> {
    let first = text.lines().position(|line| line.starts_with("<<<<<<< "))?;
    text.lines().any(|line| line.starts_with(">>>>>>> ")).then_some(first + 1)
}

/// Returns a character of a line that the reader of the text cannot see, or a colon without a space.
fn mistake_in_line(text: &str, line: usize) -> Option<(YamlError, TextPosition)> {
    let content = text.lines().nth(line.checked_sub(1)?)?;
    let at = |column: usize| TextPosition { line, column: column + 1 };
    let hidden = structure_of(content).find(|(_, c)| *c == '\t' || is_invisible(*c));
    match hidden {
        Some((column, '\t')) => return Some((YamlError::Syntax(SyntaxProblem::Tab), at(column))),
        Some((column, c)) => return Some((YamlError::InvisibleCharacter(c.into()), at(column))),
        None => {}
    }
    let column = indentation::colon_without_space(content)?;
    Some((YamlError::Syntax(SyntaxProblem::ColonWithoutSpace), at(column)))
}

/// Returns the characters before the first value of a line: its indentation, its dashes, and its key with the blanks
/// after it, without tabs there, which are allowed.
fn structure_of(line: &str) -> impl Iterator<Item = (usize, char)> {
    let mut was_colon = false;
    let mut in_value = false;
    line.chars().enumerate().take_while(move |(_, c)| {
        let is_blank = c.is_whitespace() || is_invisible(*c);
        in_value |= was_colon && !is_blank || matches!(c, '"' | '\'' | '#' | '[' | '{');
        was_colon |= *c == ':';
        !(in_value || was_colon && *c == '\t')
    })
}

/// Reports whether a character looks like a space or like nothing.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    c.is_whitespace() && !matches!(c, ' ' | '\t' | '\r' | '\n')
        || crate::diagnostic::is_deceptive(c) && !c.is_control()
}

fn char_at(text: &str, at: TextPosition) -> Option<char> {
    text.lines().nth(at.line.checked_sub(1)?)?.chars().nth(at.column.checked_sub(1)?)
}

/// Returns the start of a quoted string that ends where the next one should begin: its own closing quote is missing, so
/// that it extends over several lines.
fn swallowing_quote(text: &str, at: TextPosition) -> Option<TextPosition> {
    let (above, end) = split_at_line(text, at.line)?;
    let quoted = above.lines().rev().zip(1..).find(|(line, _)| line.contains(['"', '\'']));
    let (line, distance) = quoted?;
    let (column, quote) = opened_quote(line)?;
    // The quote that should open another string closes this one.
    let before = end.get(..end.find(quote)?)?;
    let line = at.line.checked_sub(distance)?;
    before.trim_end().ends_with(':').then_some(TextPosition { line, column: column + 1 })
}

/// Returns the column from 0 of a quote that starts the value of a line and is not closed in it.
fn opened_quote(line: &str) -> Option<(usize, char)> {
    let start = line.find(": ").map_or(0, |colon| colon + 2);
    let value = line.get(start..)?.trim_start_matches([' ', '-']);
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let column = line.get(..line.len() - value.len())?.chars().count();
    (value.matches(quote).count() == 1).then_some((column, quote))
}

/// Returns the colon in a plain value that makes it look like another key.
fn colon_in_value(text: &str, failure: SyntaxFailure) -> Option<TextPosition> {
    let (_, line) = split_at_line(text, failure.at.line).filter(|_| failure.problem == SyntaxProblem::Key)?;
    let at_colon = line.chars().nth(failure.at.column.checked_sub(1)?) == Some(':');
    (at_colon && indentation::has_plain_value(line, failure.at.column)).then_some(failure.at)
}

/// Returns the start of a line that should be a key, but has no colon.
fn line_without_colon(text: &str, failure: SyntaxFailure) -> Option<TextPosition> {
    if failure.problem == SyntaxProblem::KeyMissing {
        return failure.construct;
    }
    // `spec` and below it `  replicas: 1` are one string up to the colon.
    let (_, here) = split_at_line(text, failure.at.line)?;
    let (line, above) = line_above(text, failure.at.line)?;
    let (is_deeper, word) = (indentation::of(above) < indentation::of(here), above.trim());
    let is_word = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_deeper && is_word).then(|| TextPosition { line, column: indentation::of(above) + 1 })
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::ProblemPlace;
    use crate::document::Sources;
    use crate::yaml::{Limits, read};

    /// Returns `line:column message; hint` of the first problem.
    fn problem(text: &str) -> String {
        let source = Sources::default().add("input.yaml");
        let failure = read(text.as_bytes(), source, &Limits::default()).expect_err("should be refused");
        let problem = &failure.problems()[0];
        let ProblemPlace::Origin(origin) = problem.at else { panic!("no place: {text}") };
        let hint = problem.hint.as_deref().unwrap_or("-");
        format!("{}:{} {}; {hint}", origin.line, origin.column, problem.message)
    }

    fn check(cases: &[(&str, &str)]) {
        for (text, expected) in cases {
            let found = problem(text);
            assert!(found.starts_with(expected), "{text:?}\n  is  {found}\n  not {expected}");
            assert!(!found.contains("hunter2"), "{found}");
        }
    }

    #[test]
    fn tabs_are_found_wherever_they_indent() {
        let tab = "tab is used for indentation; indent with spaces";
        for (text, at) in [
            ("a:\n\tb: 1\n", "2:1"),
            ("a:\n  b: 1\n\tc: 2\n", "3:1"),
            ("a:\n  b:\n  \tc: 2\n", "3:3"),
            ("a: 1\n\tb: 2\n", "2:1"),
            ("a:\n- b: 1\n\tc: 2\n", "3:1"),
            ("a:\n-\tb: 1\n  c: 2\n", "2:2"),
            ("\ta: 1\n", "1:1"),
            ("a: 1\n---\nb: 1\n---\nc:\n\td: 1\n", "6:1"),
        ] {
            check(&[(text, &format!("{at} {tab}"))]);
        }
        // A tab within a text is not the mistake.
        assert!(!problem("a: b: c\td\n").contains("tab"));
        assert!(!problem("a: |\n  x\n  \ty\nb: [\n").contains("tab"));
    }

    #[test]
    fn invisible_characters_are_named() {
        check(&[
            (
                "a:\n\u{a0}\u{a0}b: 1\n  c: 2\n",
                "2:1 invisible character U+00A0 (no-break space) is not a space",
            ),
            ("a:\u{a0}1\nb: 2\n", "1:3 invisible character U+00A0 (no-break space)"),
            ("a:\n  -\u{a0}b: 1\n    c: 2\n", "2:4 invisible character U+00A0 (no-break space)"),
            ("a:\n\u{3000}b: 1\n  c: 2\n", "2:1 invisible character U+3000 (ideographic space)"),
            ("a:\n  b: 1\n \u{200b}c: 2\n", "3:2 invisible character U+200B (zero-width space)"),
        ]);
        assert!(!problem("a: b\u{a0}c: d\n").contains("invisible"));
    }

    #[test]
    fn conflict_markers_are_named() {
        let text = "a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> other\n";
        check(&[(text, "2:1 merge conflict is not resolved; choose the lines to keep")]);
        assert!(!problem("<<<<<<< HEAD\nb: [\n").contains("merge conflict"));
    }

    #[test]
    fn colons_and_keys_that_are_missing_are_found() {
        check(&[
            ("a:\n  hunter2:80\n  c: 1\n", "2:10 colon has no space after it, so it does not end a key"),
            ("a:\n  - b:\"x\"\n    c: 1\n", "2:6 colon has no space"),
            ("a:\n  hunter2:80\n  c:1\n  d: 1\n", "3:4 colon has no space"),
            ("a: 1\nhunter2\nb: 2\n", "2:1 line is not a key: it has no colon; write `key: value`"),
            ("a: 1\nspec\n  b: 2\n", "2:1 line is not a key"),
        ]);
    }

    #[test]
    fn colons_in_values_are_told_from_keys() {
        let message =
            "value contains a colon and a space, which only a key has; put the whole value in quotes, or";
        check(&[
            ("a:\n  b: x hunter2: y\n", &format!("2:15 {message}")),
            ("- a: hunter2: y\n", &format!("1:13 {message}")),
        ]);
    }

    #[test]
    fn brackets_and_quotes_are_found_where_they_open() {
        check(&[
            (
                "a: [x, y\nb: 1\nc: 2\n",
                "1:4 `[` is not closed, or a comma is missing after it; close it with `]`",
            ),
            ("a:\n  b: {x: 1,\n  c: 2\nd: 3\n", "2:6 `{` is not closed"),
            ("a: \"hunter2\nb: 1\n", "1:4 quoted string is not closed; close the quote"),
            ("a: 'hunter2\nb: 1\n", "1:4 quoted string is not closed"),
            ("x: 1\na: \"hunter2\nb: \"x\"\nc: 1\n", "2:4 quoted string is not closed"),
            ("- 'hunter2\n- a\nb: 'x'\n", "1:3 quoted string is not closed"),
        ]);
    }

    #[test]
    fn indentation_is_explained_by_the_lines_above() {
        let uneven = "indentation does not match the lines above; indent the line with";
        for (text, at, advice) in [
            ("p:\n  - name: x\n  port: 80\n", "3:3", "4 spaces, like key `name`"),
            ("p:\n- name: x\n  # note\n port: 80\n", "4:2", "2 spaces, like key `name`"),
            ("a:\n  b: 1\n c: 2\n", "3:2", "2 spaces, like key `b`"),
            ("a:\n    b: 1\n   c: 2\n", "3:4", "4 spaces, like key `b`"),
            ("a:\n  - x\n - y\n", "3:2", "2 spaces, like the dash above"),
            ("a:\n  b: 1\n    c: 2\n", "3:5", "2 spaces, like key `b`; if it continues the value"),
            ("a:\n  b: |\n    hunter2: x\n  c: 1\n d: 2\n", "5:2", "2 spaces, like key `c`"),
        ] {
            check(&[(text, &format!("{at} {uneven} {advice}"))]);
        }
        check(&[(
            "a: 1\n  b: 2\n",
            "2:3 indentation does not match the lines above; do not indent the line, like key `a`",
        )]);
        for text in ["a: b: c\n", "a:\n  b: \"x\n    hunter2: y\"\n c: 1\n", "a: |\n  hunter2: x\n b: 1\n"] {
            assert!(!problem(text).contains("hunter2"), "{}", problem(text));
        }
    }

    #[test]
    fn documents_without_separator_are_one_problem_each() {
        let object = |name: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n");
        let three = object("a") + &object("b") + &object("c");
        let source = Sources::default().add("input.yaml");
        let failure = read(three.as_bytes(), source, &Limits::default()).expect_err("refused");
        assert_eq!(failure.problems().len(), 2);
        check(&[(
            &three,
            "5:1 `---` is missing before this line: key `apiVersion` is already defined on line 1; write `---`",
        )]);
        // Keys of other mappings, and single keys, remain duplicates.
        check(&[
            ("a: 1\nkind: 2\nkind: 3\n", "3:1 key `kind` is already defined on line 2"),
            (
                "x:\n  apiVersion: 1\n  kind: 1\n  apiVersion: 1\n  kind: 2\n",
                "4:3 key `apiVersion` is already defined",
            ),
        ]);
    }

    #[test]
    fn hostile_texts_are_explained_in_time() {
        for text in [
            "- ".repeat(400_000) + "a: b: c\n",
            "a:\n".to_owned() + &"\u{a0}".repeat(400_000) + ":b: c: [\n",
            "k: '\n".repeat(100_000) + "x: y: z\n",
            ":".repeat(500_000) + " a: b: [\n",
        ] {
            let started = std::time::Instant::now();
            let _ = read(text.as_bytes(), Sources::default().add("x"), &Limits::default());
            assert!(started.elapsed().as_secs() < 20, "{}", text.get(..9).unwrap_or(""));
        }
    }
}
