//! Opens SealedSecrets with the private keys of their controller, for recovery.
//!
//! The result is what the controller would write, without the owner: the Secret that the template describes, with the opened
//! items. All items of all objects are opened, or nothing is printed. Values are in types that cannot be printed by accident;
//! `output` writes them, on demand.

mod error;
mod object;
mod output;
mod secrets;

pub use secrets::{OpenedItem, UnsealedSecrets};

#[cfg(test)]
mod tests;
