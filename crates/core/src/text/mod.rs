//! Helpers for texts.

mod closest;
mod short_text;

pub use closest::closest;
pub use short_text::{same_key, split_at_byte};
