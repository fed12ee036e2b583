//! Wraps text to a width.

/// Wraps a text into lines of at most `width` characters, unless a word is longer; code in backticks is one word.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    text.lines().flat_map(|line| wrap_line(line, width)).collect()
}

/// Wraps prose with fenced code; code is indented and otherwise unchanged.
pub(crate) fn wrap_prose(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut in_code = false;
    for line in text.trim_end().lines() {
        if line.starts_with("```") {
            in_code = !in_code;
        } else if in_code {
            out.push_str(&indent_code(line));
        } else {
            out.push_str(&wrap_line(line, width).join("\n"));
            out.push('\n');
        }
    }
    out
}

/// Indents a line of code.
pub(crate) fn indent_code(line: &str) -> String {
    format!("{}\n", format!("    {line}").trim_end())
}

fn wrap_line(line: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in words(line) {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push(String::new());
            used = 0;
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

/// Splits a line at spaces outside code.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    line.split(move |c: char| {
        in_code ^= c == '`';
        c == ' ' && !in_code
    })
    .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_wrap_and_code_is_not_split() {
        assert_eq!(wrap("a bc `d e f` g", 8), ["a bc", "`d e f`", "g"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abcdefgh", "ij"]);
        assert_eq!(wrap("a\nb", 9), ["a", "b"]);
        assert_eq!(wrap_prose("a b\n\n```yaml\na:   b\n```\n", 2), "a\nb\n\n    a:   b\n");
    }
}
