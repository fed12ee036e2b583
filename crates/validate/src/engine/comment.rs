//! Parses suppressions in comments: `# sealwave: ignore secret/in-env until 2026-12-31 -- a reason`.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::scalars::ScalarOutline;
use sealwave_core::time::{Date, InvalidDate};

const MARK: &str = "sealwave: ignore";

/// A suppression comment, possibly malformed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SuppressionComment {
    /// Line and column of the `#`, and the length in characters.
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) width: u32,
    /// The line that it applies to: its own, or the next one if the comment has its own line.
    pub(super) target: u32,
    /// Rule ids or globs.
    pub(super) rules: Vec<String>,
    /// The last day of validity.
    pub(super) until: Result<Option<Date>, InvalidDate>,
    /// The reason; empty if missing.
    pub(super) reason: String,
    /// A mistake in its syntax.
    pub(super) mistake: Option<CommentMistake>,
}

/// A mistake in the syntax of a suppression comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CommentMistake {
    /// A misspelled mark: `sealwave:ignore`, `Sealwave: Ignore`.
    Mark,
    /// A wrong separator: `- reason`.
    Separator,
}

/// Matches the first word of a mark in any case.
static NAME: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::builder().ascii_case_insensitive(true).build(["sealwave"]).ok());

/// The most marks read in a line.
const MAX_IN_LINE: usize = 8;

/// Returns all suppression comments of a text that starts after `lines_before` lines, in one pass.
pub(super) fn comments(text: &str, lines_before: u32) -> Vec<SuppressionComment> {
    let Some(name) = NAME.as_ref() else { return Vec::new() };
    if memchr::memchr(b'#', text.as_bytes()).is_none() || name.find(text).is_none() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut outline = ScalarOutline::default();
    // The index of the first comment that applies to the next line with content.
    let mut waiting = 0;
    let mut number = lines_before;
    for line in text.split('\n') {
        number = number.saturating_add(1);
        let is_comment = line.trim_start().starts_with('#');
        if !is_comment {
            found
                .iter_mut()
                .skip(waiting)
                .for_each(|comment: &mut SuppressionComment| comment.target = number);
        }
        let marks = name.find_iter(line).filter_map(|found| CommentMark::at(line, found.start()));
        let comments = marks.take(MAX_IN_LINE).filter(|mark| !outline.is_text(line, mark.before.len()));
        found.extend(comments.map(|mark| mark.comment(number)));
        if !is_comment {
            waiting = found.len();
        }
        outline.add_line(line);
    }
    found.iter_mut().skip(waiting).for_each(|comment| comment.target = number.saturating_add(1));
    found
}

/// A mark in a possible comment.
struct CommentMark<'a> {
    /// The text before the `#`, and the whole comment.
    before: &'a str,
    whole: &'a str,
    /// The text after the mark.
    rest: &'a str,
    is_exact: bool,
}

impl<'a> CommentMark<'a> {
    /// Returns the mark whose name starts at a byte offset of a line.
    fn at(line: &'a str, at: usize) -> Option<Self> {
        let before = line.get(..at)?.trim_end().strip_suffix('#')?;
        if !before.ends_with([' ', '\t']) && !before.trim_end().is_empty() {
            return None;
        }
        let words = line.get(at..)?;
        let rest = text_after_mark(words)?;
        let is_exact = words.get(..words.len() - rest.len()) == Some(MARK);
        Some(Self { before, whole: line.get(before.len()..)?, rest, is_exact })
    }

    /// Returns the comment at a line number. The target of a comment on its own line is set later.
    fn comment(&self, line: u32) -> SuppressionComment {
        let count = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        let (rules, until, reason) = parse(self.rest);
        let is_rule = |rule: &String| rule.contains(['/', '*']);
        let slip = if !self.is_exact {
            Some(CommentMistake::Mark)
        } else if reason.is_empty() && rules.iter().any(is_rule) && !rules.iter().all(is_rule) {
            Some(CommentMistake::Separator)
        } else {
            None
        };
        let column = count(self.before).saturating_add(1);
        SuppressionComment {
            line,
            column,
            width: count(self.whole.trim_end()),
            target: line,
            rules,
            until,
            reason,
            mistake: slip,
        }
    }
}

/// Returns the text after `sealwave: ignore`, in any spelling of case, colon and spaces.
fn text_after_mark(text: &str) -> Option<&str> {
    let rest = text.get("sealwave".len()..)?;
    let rest = rest.trim_start_matches([' ', ':', '\t', '-', '/', '.']);
    let word = rest.get(.."ignore".len()).filter(|word| word.eq_ignore_ascii_case("ignore"))?;
    let rest = rest.get(word.len()..)?;
    (!rest.starts_with(|c: char| c.is_alphanumeric())).then_some(rest)
}

/// Parses ` RULE[, RULE…] [until DATE] -- REASON`.
fn parse(text: &str) -> (Vec<String>, Result<Option<Date>, InvalidDate>, String) {
    let (head, reason) = text.split_once(" -- ").unwrap_or((text, ""));
    let head = head.trim_end().strip_suffix(" --").unwrap_or(head);
    let (rules, until) = match head.split_once(" until ") {
        Some((rules, day)) => (rules, day.trim().parse().map(Some)),
        None => (head, Ok(None)),
    };
    let rules = rules.split([',', ' ']).map(str::trim).filter(|rule| !rule.is_empty()).map(str::to_owned);
    (rules.collect(), until, reason.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed_comments(text: &str) -> Vec<(u32, u32, u32, Vec<String>, String)> {
        let all = comments(text, 0).into_iter();
        all.map(|found| (found.line, found.column, found.target, found.rules, found.reason)).collect()
    }

    #[test]
    fn a_comment_applies_to_its_line_or_the_next() {
        let text = "a: 1 # sealwave: ignore x/y -- because\n\n  # sealwave: ignore x/y, z/* until 2026-01-02 -- so\n  # more\n  b: 2\n";
        assert_eq!(
            parsed_comments(text),
            [
                (1, 6, 1, vec!["x/y".to_owned()], "because".to_owned()),
                (3, 3, 5, vec!["x/y".to_owned(), "z/*".to_owned()], "so".to_owned())
            ]
        );
        assert_eq!(comments(text, 0)[1].until, Ok(Some("2026-01-02".parse().unwrap())));
    }

    #[test]
    fn comments_per_line_are_limited_and_a_block_applies_to_the_next_line() {
        assert_eq!(parsed_comments(&"# sealwave: ignore x/y -- r ".repeat(1_000)).len(), MAX_IN_LINE);
        let many = comments(&("# sealwave: ignore x/y -- r\n".repeat(1_000) + "a: 1\n"), 10);
        assert_eq!(many.len(), 1_000);
        assert!(many.iter().all(|comment| comment.target == 1_011));
        assert_eq!(comments("# sealwave: ignore x/y -- r", 0)[0].target, 2);
        assert_eq!(comments("a: 1\r\n# sealwave: ignore x/y -- r\r\n\r\nb: 1\r\n", 0)[0].target, 3);
    }

    #[test]
    fn other_text_is_not_a_suppression() {
        assert_eq!(parsed_comments("a: sealwave: ignore x/y\n"), []);
        assert_eq!(parsed_comments("a: b# sealwave: ignore x/y\n"), []);
        assert_eq!(parsed_comments("# sealwave ignores hidden files\n# sealwave is a tool\n"), []);
        assert_eq!(parsed_comments("a: |\n  # sealwave: ignore x/y -- an example\n"), []);
    }

    #[test]
    fn missing_reasons_and_invalid_dates_are_kept() {
        assert_eq!(parsed_comments("a: 1 # sealwave: ignore x/y\n")[0].4, "");
        assert_eq!(comments("a: 1 # sealwave: ignore x/y until soon -- r\n", 0)[0].until, Err(InvalidDate));
    }

    #[test]
    fn mistakes_in_the_syntax_are_detected() {
        let slip = |text: &str| comments(text, 0).pop().and_then(|comment| comment.mistake);
        for text in
            ["# sealwave:ignore x/y -- a", "# Sealwave: Ignore x/y -- a", "# sealwave ignore x/y -- a"]
        {
            assert_eq!(slip(text), Some(CommentMistake::Mark), "{text}");
        }
        for text in
            ["# sealwave: ignore x/y - a", "# sealwave: ignore x/y a b", "# sealwave: ignore x/y -- a"]
        {
            assert_eq!(slip(text).is_some(), !text.contains("--"), "{text}");
        }
        assert_eq!(slip("# sealwave: ignore x/y --"), None);
    }
}
