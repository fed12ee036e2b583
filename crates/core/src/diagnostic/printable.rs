//! Texts from a repository, made safe for terminals and for the logs of CI systems.

use std::fmt;

/// Returns a text as one line: escapes terminal control characters and line breaks, and breaks up the commands that CI
/// systems interpret anywhere in a line.
pub fn printable(text: impl fmt::Display) -> String {
    let text = text.to_string();
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_deceptive(c) {
            out.extend(c.escape_default());
        } else if c == '[' && starts_command(&out) {
            out.push_str(" [");
        } else {
            out.push(c);
        }
    }
    out
}

/// Returns a text as one line that can be first on its line: GitHub executes lines that start with `::`.
pub fn first_on_line(text: impl fmt::Display) -> String {
    let text = printable(text);
    match text.trim_start().strip_prefix("::") {
        Some(rest) => format!("\\u{{3a}}:{rest}"),
        None => text,
    }
}

/// Reports whether a `[` after this text would start a command: `##[` (GitHub), `##vso[` (Azure Pipelines) and
/// `##teamcity[` are executed anywhere on a line.
#[must_use]
pub fn starts_command(before: &str) -> bool {
    before
        .trim_end_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        .ends_with("##")
}

/// Reports whether a character controls a terminal, or hides or reorders the text around it.
#[must_use]
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_a_ci_command() {
        for (text, shown) in [
            ("a ##[error]b", "a ## [error]b"),
            ("###[group]", "### [group]"),
            ("x##vso[task.setvariable variable=a]b", "x##vso [task.setvariable variable=a]b"),
            ("##teamcity[message text='a']", "##teamcity [message text='a']"),
            ("a[0] # [b]", "a[0] # [b]"),
            ("## a[0]", "## a[0]"),
            ("a\n::error::b", "a\\n::error::b"),
            ("\u{1b}[0Ksection_start:1:a\r\u{1b}[0K", "\\u{1b}[0Ksection_start:1:a\\r\\u{1b}[0K"),
        ] {
            assert_eq!(printable(text), shown);
        }
        assert_eq!(first_on_line(" ::error::a"), "\\u{3a}:error::a");
        assert_eq!(first_on_line("a::b"), "a::b");
    }

    #[test]
    fn printable_text_has_no_line_breaks_or_commands() {
        let hostile = "a\n::error::b\r\nerror: c\u{2028}d\u{85}e##[error]f###[g\u{1b}[2J\u{9b}";
        let shown = printable(hostile);
        assert!(!shown.chars().any(char::is_control) && !shown.contains('\u{2028}'), "{shown}");
        assert!(!shown.contains("##["), "{shown}");
        assert!(shown.starts_with("a\\n::error::b"), "{shown}");
    }
}
