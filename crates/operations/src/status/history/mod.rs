//! The age of committed items, from the history of their file.
//!
//! Not every commit that changes a file changes the value of an item: re-sealing, another item or an annotation do not. An item
//! is therefore as old as the first commit that has it, by the digest that its checksum is computed from: of the first
//! ciphertext while the record of re-sealing holds, else of the present one. A ciphertext that comes back is as old as before.
//!
//! One `git log` for all files of a repository lists their versions, from the oldest on, and is read while Git goes on: a
//! version is looked at once, and forgotten. The search ends when all items are found. A file whose first version has an item may
//! have had another name before: then the same is done for those names.
//!
//! A history is hostile: bytes and time are limited. After that, only the newest versions are looked at. What was not read makes
//! an age a minimum, never wrong.

mod ages;
mod content;
mod item;
mod log;

pub use ages::{CommittedFile, HistoryLimits, committed_ages};
pub use item::{CommittedAge, CommittedItem};

#[cfg(test)]
mod tests;
