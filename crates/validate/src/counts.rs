//! Counts in messages.

/// Returns a count with its noun: `1 error`, `2 errors`.
pub(crate) fn quantity(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
