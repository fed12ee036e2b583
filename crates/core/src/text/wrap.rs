//! Wraps text to a width, and truncates it.

/// Wraps a text into lines of at most `width` characters, unless a word is longer; code in backticks is one word.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    text.lines().flat_map(|line| wrap_from(line, width, width)).collect()
}

/// Wraps one line like [`wrap`]; the first line of the result has another width.
#[must_use]
pub fn wrap_from(line: &str, first_width: usize, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let (mut used, mut width_here) = (0, first_width);
    for word in words(line) {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width_here {
            lines.push(String::new());
            (used, width_here) = (0, width);
        }
        if let Some(last) = lines.last_mut() {
            if used > 0 {
                last.push(' ');
                used += 1;
            }
            last.push_str(word);
            used += length;
        }
    }
    lines
}

/// Wraps prose with fenced code; code is indented and otherwise unchanged.
#[must_use]
pub fn wrap_prose(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut in_code = false;
    for line in text.trim_end().lines() {
        if line.starts_with("```") {
            in_code = !in_code;
        } else if in_code {
            out.push_str(&indent_code(line));
        } else {
            out.push_str(&wrap_from(line, width, width).join("\n"));
            out.push('\n');
        }
    }
    out
}

/// Indents a line of code.
#[must_use]
pub fn indent_code(line: &str) -> String {
    format!("{}\n", format!("    {line}").trim_end())
}

/// Truncates a text to `max` characters and marks the cut with an ellipsis.
#[must_use]
pub fn ellipsize(mut text: String, max: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(max) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Splits a line at spaces outside code. A backtick without a second one starts no code.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    let mut left = line.matches('`').count();
    line.split(move |c: char| {
        if c == '`' {
            left -= 1;
            in_code = !in_code && left > 0;
        }
        c == ' ' && !in_code
    })
    .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_wrap_and_code_is_not_split() {
        assert_eq!(wrap("a bc `d e f` g", 8), ["a bc", "`d e f`", "g"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abcdefgh", "ij"]);
        assert_eq!(wrap("a\nb", 9), ["a", "b"]);
        assert_eq!(wrap("a `b` c ` d e", 5), ["a `b`", "c ` d", "e"]);
        assert_eq!(wrap_from("ab cd ef gh", 2, 5), ["ab", "cd ef", "gh"]);
        assert_eq!(wrap_prose("a b\n\n```yaml\na:   b\n```\n", 2), "a\nb\n\n    a:   b\n");
    }

    proptest! {
        #[test]
        fn no_line_is_longer_than_the_width_or_one_word(line in "[ab` ä]{0,80}", width in 1..40_usize) {
            let lines = wrap(&line, width);
            for wrapped in &lines {
                prop_assert!(wrapped.chars().count() <= width || words(wrapped).count() == 1, "{wrapped}");
            }
            let all: Vec<&str> = words(&line).collect();
            prop_assert_eq!(lines.join(" "), all.join(" "));
        }
    }
}
