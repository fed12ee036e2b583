//! Documents, diagnostics and YAML: the base of all other crates of sealwave.
//!
//! | module | holds |
//! |---|---|
//! | [`document`] | the tree of a document, with the position of every node, and the manifest on top of it |
//! | [`diagnostic`] | problems and notes: what is wrong, where, and what to do |
//! | [`yaml`] | YAML exactly as Kubernetes reads it, and its writers |
//! | [`names`] | names that Kubernetes and sealwave use |
//! | [`text`], [`time`] | small helpers for texts and dates |
//! | [`reach`], [`bounded_file`] | how far a path may lead, and how much is read there |
//!
//! This crate knows neither secrets nor schemas nor rules, and no message of it holds a value.

pub mod bounded_file;
pub mod caught;
pub mod diagnostic;
pub mod document;
pub mod encoding;
pub mod names;
pub mod pattern;
pub mod reach;
mod sha256;
pub mod text;
pub mod time;
pub mod workers;
pub mod yaml;

pub use sha256::{sha256, sha256_hex};
