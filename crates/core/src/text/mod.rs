//! Helpers for texts.

mod closest;
mod shell;
mod short_text;
mod wrap;

pub use closest::{closest_choice, closest_name};
pub use shell::shell_quoted;
pub use short_text::{same_key, split_at_byte};
pub use wrap::{ellipsize, indent_code, wrap, wrap_from, wrap_prose};

/// Returns names in backticks, separated by commas.
pub fn quoted_list<T: AsRef<str>>(names: &[T]) -> String {
    names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(", ")
}
