//! Standard error of a program, reduced to the parts that a user needs.

use std::fmt;
use std::path::{Path, PathBuf};

use sealwave_core::diagnostic::printable;
use sealwave_core::text::ellipsize;

/// The most lines that are kept: the last ones, where programs write the cause.
const MAX_LINES: usize = 12;
/// The most characters of a line.
const MAX_LINE: usize = 400;
/// The most bytes of all lines, below the limit of a message.
const MAX_BYTES: usize = 1_500;

/// The last lines of standard error, without control characters, paths of this machine and values of variables.
/// Placeholders stay: they are in the repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorText(String);

impl ErrorText {
    /// Reduces a text.
    pub(crate) fn new(bytes: &[u8], replacements: &TextReplacements) -> Self {
        let text = replacements.apply(without_escapes(&String::from_utf8_lossy(bytes)));
        let lines = text.split(['\n', '\r']).map(str::trim_end).filter(|line| !line.trim().is_empty());
        let mut kept = Vec::new();
        let mut left = MAX_BYTES;
        for line in lines.rev().take(MAX_LINES) {
            let line = ellipsize(printable(line), MAX_LINE);
            let Some(rest) = left.checked_sub(line.len() + 1) else { break };
            left = rest;
            kept.push(line);
        }
        kept.reverse();
        Self(kept.join("\n"))
    }

    /// Returns the lines, separated by line breaks.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Keeps the lines that say more than others, unless none does. Indentation is removed.
    pub(crate) fn retain(&mut self, is_kept: impl Fn(&str) -> bool) {
        let lines = self.0.lines().map(|line| line.trim_start().trim_start_matches("\\t"));
        let kept: Vec<&str> = lines.filter(|line| is_kept(line)).collect();
        if !kept.is_empty() {
            self.0 = kept.join("\n");
        }
    }

    /// Reports whether the program wrote nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for ErrorText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Texts that are replaced, the longest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct TextReplacements(Vec<(String, String)>);

impl TextReplacements {
    /// Replaces a directory by a name, and removes another one from the start of paths.
    pub(crate) fn new(private: &Path, working: &Path, readable: &[PathBuf]) -> Self {
        let mut all = Self::default();
        all.add(private.display().to_string(), "$TMPDIR");
        for directory in std::iter::once(working).chain(readable.iter().map(PathBuf::as_path)) {
            all.add(format!("{}/", directory.display()), "");
        }
        all
    }

    /// Adds a text. Short ones are kept: they could be a part of any word.
    pub(crate) fn add(&mut self, text: String, replacement: impl Into<String>) {
        if text.len() > 3 {
            self.0.push((text, replacement.into()));
            self.0.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        }
    }

    fn apply(&self, text: String) -> String {
        self.0
            .iter()
            .fold(text, |text, (from, to)| if text.contains(from) { text.replace(from, to) } else { text })
    }
}

/// Removes the escape sequences of terminals: colors, titles and links.
fn without_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('\u{1b}') {
        out.push_str(before);
        rest = after_escape(escape);
    }
    out.push_str(rest);
    out
}

/// Returns what follows an escape sequence. One that does not end leaves its text, which is then escaped.
fn after_escape(sequence: &str) -> &str {
    let mut chars = sequence.chars();
    match chars.next() {
        Some('[') => {
            let end = sequence[1..].find(|c: char| ('@'..='~').contains(&c));
            end.map_or(sequence, |end| &sequence[end + 2..])
        }
        Some(']') => match sequence.find(['\u{7}', '\u{1b}', '\n']) {
            Some(end) => sequence[end..].trim_start_matches('\u{7}').trim_start_matches("\u{1b}\\"),
            None => sequence,
        },
        Some(_) => chars.as_str(),
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reduced(text: &str) -> String {
        let mut replacements = TextReplacements::new(
            Path::new("/tmp/sealwave-run-x"),
            Path::new("/repo/app"),
            &["/repo".into()],
        );
        replacements.add("hunter22".to_owned(), "[value of `HELM_TOKEN`]");
        ErrorText::new(text.as_bytes(), &replacements).to_string()
    }

    #[test]
    fn texts_are_safe_and_short() {
        for (text, shown) in [
            ("Error: a\n", "Error: a"),
            ("\n\n \n", ""),
            ("a\r\nb\rc", "a\nb\nc"),
            ("\u{1b}[31;1mError\u{1b}[0m: a", "Error: a"),
            ("\u{1b}]0;title\u{7}a", "a"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}", ""),
            ("a\u{1b}[", "a["),
            ("a\u{9b}2J\u{202e}b", "a\\u{9b}2J\\u{202e}b"),
            ("##[error]a", "## [error]a"),
            ("open /repo/app/values.yaml: no such file", "open values.yaml: no such file"),
            ("open /repo/_shared/x", "open _shared/x"),
            ("mkdir /tmp/sealwave-run-x/home: denied", "mkdir $TMPDIR/home: denied"),
            ("401 for hunter22", "401 for [value of `HELM_TOKEN`]"),
            ("password: <vault:shop/db#password>", "password: <vault:shop/db#password>"),
        ] {
            assert_eq!(reduced(text), shown, "{text:?}");
        }
    }

    #[test]
    fn the_last_lines_are_kept() {
        let text: String = (0..1000).map(|line| format!("line {line}")).collect::<Vec<_>>().join("\n");
        let shown = reduced(&text);
        assert!(shown.starts_with("line 988\n") && shown.ends_with("line 999"), "{shown}");
        assert!(reduced(&"x".repeat(1 << 20)).chars().count() <= MAX_LINE + 1);
        assert!(reduced(&format!("{}\n", "é".repeat(400)).repeat(50)).len() <= MAX_BYTES);
        assert_eq!(reduced("a\u{fffd}b"), "a\u{fffd}b");
    }
}
