//! Suppressions in comments: `# sealwave: ignore secret/in-env until 2026-12-31 -- a reason`.

use memchr::memmem;

use crate::model::{Date, NotADate};

const MARK: &str = "sealwave: ignore";

/// A comment that suppresses.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Comment {
    /// Line and column of its `#`, and its length in characters.
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) width: u32,
    /// The line that it is for: its own, or the next one where it stands alone.
    pub(super) target: u32,
    /// Ids or globs.
    pub(super) rules: Vec<String>,
    /// The last day on which it counts.
    pub(super) until: Result<Option<Date>, NotADate>,
    /// Empty where it gives none.
    pub(super) reason: String,
}

/// All such comments of a text of which `lines_before` lines come before it.
///
/// A line of a block scalar that looks like one counts too: it can silence nothing but findings of the next line.
pub(super) fn comments(text: &str, lines_before: u32) -> Vec<Comment> {
    let mut found = Vec::new();
    let (mut counted_to, mut line) = (0, lines_before);
    for at in memmem::find_iter(text.as_bytes(), MARK) {
        let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
        let end = text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| at + length);
        let newlines = text.get(counted_to..start).map_or(0, |skipped| skipped.matches('\n').count());
        line = line.saturating_add(u32::try_from(newlines).unwrap_or(u32::MAX));
        counted_to = start;
        let (Some(whole), Some(rest)) = (text.get(start..end), text.get(start + (at - start)..end)) else {
            continue;
        };
        let before = whole.get(..at - start).unwrap_or_default();
        let Some(hash) = before.trim_end().strip_suffix('#') else { continue };
        let alone = hash.trim().is_empty();
        if !alone && !hash.ends_with([' ', '\t']) {
            continue;
        }
        let number = line.saturating_add(1);
        let count = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        let target = if alone { number.saturating_add(following(text, end)) } else { number };
        let (rules, until, reason) = parse(rest.get(MARK.len()..).unwrap_or_default());
        let column = count(hash).saturating_add(1);
        let width = count(whole.trim_end()).saturating_sub(count(hash));
        found.push(Comment { line: number, column, width, target, rules, until, reason });
    }
    found
}

/// How many lines further the next line is that is not a comment alone.
fn following(text: &str, end: usize) -> u32 {
    let rest = text.get(end + 1..).unwrap_or_default();
    let comments = rest.lines().take_while(|line| line.trim_start().starts_with('#')).count();
    u32::try_from(comments).unwrap_or(u32::MAX).saturating_add(1)
}

/// ` RULE[, RULE…] [until DATE] -- REASON`
fn parse(text: &str) -> (Vec<String>, Result<Option<Date>, NotADate>, String) {
    let (head, reason) = text.split_once(" -- ").unwrap_or((text, ""));
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

    fn brief(text: &str) -> Vec<(u32, u32, u32, Vec<String>, String)> {
        let all = comments(text, 0).into_iter();
        all.map(|found| (found.line, found.column, found.target, found.rules, found.reason)).collect()
    }

    #[test]
    fn a_comment_is_for_its_line_or_the_next() {
        let text = "a: 1 # sealwave: ignore x/y -- because\n\n  # sealwave: ignore x/y, z/* until 2026-01-02 -- so\n  # more\n  b: 2\n";
        assert_eq!(
            brief(text),
            [
                (1, 6, 1, vec!["x/y".to_owned()], "because".to_owned()),
                (3, 3, 5, vec!["x/y".to_owned(), "z/*".to_owned()], "so".to_owned())
            ]
        );
        assert_eq!(comments(text, 0)[1].until, Ok(Some("2026-01-02".parse().unwrap())));
    }

    #[test]
    fn what_is_no_comment_is_none() {
        assert_eq!(brief("a: sealwave: ignore x/y\n"), []);
        assert_eq!(brief("a: b# sealwave: ignore x/y\n"), []);
    }

    #[test]
    fn without_a_reason_and_with_a_bad_day() {
        assert_eq!(brief("a: 1 # sealwave: ignore x/y\n")[0].4, "");
        assert_eq!(comments("a: 1 # sealwave: ignore x/y until soon -- r\n", 0)[0].until, Err(NotADate));
    }
}
