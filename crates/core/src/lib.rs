//! Documents, diagnostics and YAML: the base of all other crates of sealwave.
//!
//! | module | holds |
//! |---|---|
//! | [`document`] | the tree of a document, with the position of every node, and the manifest on top of it |
//! | [`diagnostic`] | problems and notes: what is wrong, where, and what to do |
//! | [`yaml`] | YAML exactly as Kubernetes reads it, and its writers |
//! | [`terminal`] | messages for people, with source lines and wrapped texts |
//! | [`excerpts`] | source lines that may be shown |
//! | [`names`] | names that Kubernetes and sealwave use |
//! | [`text`], [`time`] | small helpers for texts and dates |
//! | [`reach`], [`bounded_file`] | how far a path may lead, and how much is read there |
//! | [`output_path`], [`kept_content`] | where commands may write, and what they never replace |
//!
//! This crate knows neither secrets nor schemas nor rules, and no message of it holds a value.

pub mod bounded_file;
pub mod caught;
pub mod diagnostic;
pub mod document;
pub mod encoding;
pub mod excerpts;
pub mod kept_content;
pub mod names;
pub mod output_path;
pub mod pattern;
pub mod reach;
mod sha256;
pub mod terminal;
pub mod text;
pub mod time;
pub mod workers;
pub mod yaml;

pub use sha256::{sha256, sha256_hex};
