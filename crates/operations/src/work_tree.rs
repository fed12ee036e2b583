//! The Git checkout that a command changes: it must be clean where the command writes, and only allowed files change.
//!
//! Commits hold the planned files only, whatever else is staged. No hook of the repository runs. Nothing here switches branches,
//! resets, or forces a push. Each call of Git has a deadline, and never asks a question.

mod allowed;
mod attributes;
mod checkout;
mod delivery;
mod error;
mod git_paths;

pub use allowed::AllowedPaths;
pub use checkout::WorkTree;
pub use delivery::{Delivery, PushTarget};
pub use error::WorkTreeError;

#[cfg(test)]
mod tests;
