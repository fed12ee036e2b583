//! Helpers for texts.

mod closest;
mod shell;
mod short_text;
mod wrap;

use std::fmt::Display;

pub use closest::{closest_choice, closest_name};
pub use shell::shell_quoted;
pub use short_text::{same_key, split_at_byte};
pub use wrap::{ellipsize, indent_code, wrap, wrap_from, wrap_prose};

/// Returns a number and a noun, which gets an `s` unless the number is 1.
pub fn counted<N: Copy + Display + From<u8> + PartialEq>(number: N, noun: &str) -> String {
    let ending = if number == N::from(1) { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

/// Returns names in backticks, separated by commas.
pub fn quoted_list<T: AsRef<str>>(names: &[T]) -> String {
    names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn only_one_is_singular() {
        let all = [counted(0_u64, "file"), counted(1_usize, "SealedSecret"), counted(2_i64, "day")];
        assert_eq!(all, ["0 files", "1 SealedSecret", "2 days"]);
    }
}
