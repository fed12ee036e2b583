//! The grammar of placeholders: `<provider:path#key#version | modifier | …>` inside a string.
//!
//! A text is parsed once, before anything is fetched; a resolved value is never parsed.

use compact_str::CompactString;

/// What a placeholder refers to, apart from its modifiers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    /// Name of a provider.
    pub provider: CompactString,
    /// What the provider is asked for.
    pub path: String,
    /// One key of it.
    pub key: Option<String>,
    /// One version of it.
    pub version: Option<String>,
}

/// A string that may hold placeholders, parsed.
#[derive(Clone)]
pub struct Text {}
