//! Helpers for texts.

mod closest;
mod short_text;

pub use closest::closest_name;
pub use short_text::{same_key, split_at_byte};
