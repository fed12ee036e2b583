//! Texts within commands that people copy into a shell.

/// Quotes a text for a shell, if it needs that. A text with control characters is written so that it does nothing unseen.
#[must_use]
pub fn shell_quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%+,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    if text.chars().any(char::is_control) {
        let escaped: String = text.chars().flat_map(ansi_c).collect();
        return format!("$'{escaped}'");
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Returns a character as within `$'…'`.
fn ansi_c(c: char) -> Vec<char> {
    match c {
        '\'' | '\\' => vec!['\\', c],
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)).chars().collect(),
        c => vec![c],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_end_their_quotes() {
        for (name, written) in [
            ("a.yaml", "a.yaml"),
            ("$(id).yaml", "'$(id).yaml'"),
            ("a'b.yaml", r"'a'\''b.yaml'"),
            ("a\n;'id.yaml", r"$'a\u000a;\'id.yaml'"),
            ("", "''"),
        ] {
            assert_eq!(shell_quoted(name), written);
        }
    }
}
