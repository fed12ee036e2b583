//! Unified differences of files.

use std::path::Path;

use similar::TextDiff;

/// Returns a path as Git shows it: with slashes.
pub(super) fn shown(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// Returns the unified difference of two texts. Bytes that are not UTF-8 are replaced.
pub(super) fn unified(path: &str, before: &[u8], after: &[u8]) -> String {
    let [before, after] = [before, after].map(String::from_utf8_lossy);
    let diff = TextDiff::from_lines(before.as_ref(), after.as_ref());
    diff.unified_diff().context_radius(3).header(&format!("a/{path}"), &format!("b/{path}")).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_changed_lines_differ() {
        let shown = unified("x.yaml", b"a: 1\nb: 2\nc: 3\n", b"a: 1\nb: 5\nc: 3\n");
        assert_eq!(shown, "--- a/x.yaml\n+++ b/x.yaml\n@@ -1,3 +1,3 @@\n a: 1\n-b: 2\n+b: 5\n c: 3\n");
    }
}
