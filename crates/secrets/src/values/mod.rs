//! Secret values in types that cannot print, and the paths that lead to them in a fetched document.

pub mod json_text;
mod key_path;
pub mod kv_path;
mod secret_entries;
mod secret_value;

pub use key_path::{KEY_HINT, KeyPath, KeyPathError, KeyedValue, MissingStep, ValueShape, WalkError};
pub use secret_entries::{EntriesError, MAX_SECRET_ENTRIES, SecretEntries};
pub use secret_value::{SecretBuffer, SecretValue};
