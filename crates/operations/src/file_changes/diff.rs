//! Unified differences of files.
//!
//! A file that may hold a Secret in plaintext is shown without the lines around a change: they may be values. A changed line of
//! such a file is shown only if it has one entry of a mapping, because no change of sealwave touches a value.

use std::fmt::Write as _;
use std::path::Path;

use similar::{ChangeTag, TextDiff};

/// The kind whose objects hold values.
const SECRET: &[u8] = b"Secret";

/// Stands for a line that may hold a value.
const HIDDEN: &str = "(a line of a file with a Secret in plaintext)";

/// Returns a path as Git shows it: with slashes.
pub(super) fn shown(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// Returns the unified difference of two texts. Bytes that are not UTF-8 are replaced.
pub(super) fn unified(path: &str, before: &[u8], after: &[u8]) -> String {
    let is_confidential = may_hold_values(before) || may_hold_values(after);
    let [before, after] = [before, after].map(String::from_utf8_lossy);
    let diff = TextDiff::from_lines(before.as_ref(), after.as_ref());
    let [old, new] = [format!("a/{path}"), format!("b/{path}")];
    if is_confidential {
        return changed_entries(&diff, &old, &new);
    }
    diff.unified_diff().context_radius(3).header(&old, &new).to_string()
}

/// Returns the changed lines without those around them.
fn changed_entries(diff: &TextDiff<'_, '_, str>, old: &str, new: &str) -> String {
    let mut text = format!("--- {old}\n+++ {new}\n");
    for hunk in diff.unified_diff().context_radius(0).iter_hunks() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", hunk.header());
        for change in hunk.iter_changes() {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => continue,
            };
            let line = change.value().trim_end_matches(['\r', '\n']);
            text.push(sign);
            text.push_str(if is_entry(line) { line } else { HIDDEN });
            text.push('\n');
        }
    }
    text
}

/// Reports whether a line has one entry of a mapping in block style, or in JSON with a line for each entry, without a comment.
fn is_entry(line: &str) -> bool {
    !line.contains(['{', '[', '#', '&', '*']) && line.split_once(':').is_some_and(|(key, _)| is_key(key))
}

fn is_key(text: &str) -> bool {
    let key = text.trim().trim_start_matches("- ").trim_matches('"');
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'/');
    !key.is_empty() && key.bytes().all(allowed)
}

/// Reports whether a file may hold a Secret with values: it has the word `Secret`, or escapes that may hide it.
fn may_hold_values(bytes: &[u8]) -> bool {
    let is_word = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        let after = bytes.get(at + SECRET.len());
        let is_part = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        !is_part(before) && !is_part(after)
    };
    let hides = |text: &[u8]| memchr::memmem::find(bytes, text).is_some();
    memchr::memmem::find_iter(bytes, SECRET).any(is_word) || hides(b"SecretList") || hides(b"\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_changed_lines_differ() {
        let shown = unified("x.yaml", b"a: 1\nb: 2\nc: 3\n", b"a: 1\nb: 5\nc: 3\n");
        assert_eq!(shown, "--- a/x.yaml\n+++ b/x.yaml\n@@ -1,3 +1,3 @@\n a: 1\n-b: 2\n+b: 5\n c: 3\n");
    }

    #[test]
    fn lines_of_a_file_with_a_secret_in_plaintext_are_hidden() {
        let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: CANARY\n";
        let edited = secret.replace("db\n", "db\n  annotations:\n    a.b/c: \"true\"\n");
        let shown = unified("x.yaml", secret.as_bytes(), edited.as_bytes());
        assert_eq!(
            shown,
            "--- a/x.yaml\n+++ b/x.yaml\n@@ -4,0 +5,2 @@\n+  annotations:\n+    a.b/c: \"true\"\n"
        );
        // Everything on one line, a comment, an anchor, and a kind that is written with an escape.
        for (before, after) in [
            ("{kind: Secret, data: {a: CANARY}}\n", "{kind: Secret, data: {a: CANARY}, b: c}\n"),
            ("kind: Secret\na: b # CANARY\n", "kind: Secret\na: c # CANARY\n"),
            ("kind: Secret\na: &x CANARY\n", "kind: Secret\na: &x CANARY2\n"),
            ("kind: \"\\x53ecret\"\nx: CANARY\ny: 1\n", "kind: \"\\x53ecret\"\nx: CANARY\ny: 2\n"),
            ("kind: Secret\nCANARY\n", "kind: Secret\nCANARY2\n"),
        ] {
            let shown = unified("x.yaml", before.as_bytes(), after.as_bytes());
            assert!(!shown.contains("CANARY"), "{shown}");
            assert!(shown.lines().count() > 3, "{shown}");
        }
        // A SealedSecret alone is public.
        let sealed = unified("x.yaml", b"kind: SealedSecret\na: 1\n", b"kind: SealedSecret\na: 2\n");
        assert!(sealed.contains(" kind: SealedSecret\n"), "{sealed}");
    }
}
