//! Limits of a reader; repository content is hostile.

/// Limits of a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Maximum bytes of scalars that aliases may add to one document.
    pub alias_bytes: usize,
    /// Maximum number of nodes that aliases may add to one document.
    pub alias_nodes: usize,
    /// Maximum nesting of mappings and sequences, after expanding aliases.
    pub depth: usize,
    /// Maximum size of one document, in bytes.
    pub document_bytes: usize,
    /// Maximum number of nodes of one document, without keys.
    pub document_nodes: usize,
    /// The handling of duplicate keys.
    pub duplicate_keys: DuplicateKeys,
    /// Maximum size of the whole input, in bytes.
    pub stream_bytes: usize,
}

/// The handling of duplicate keys in a mapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DuplicateKeys {
    /// The last one counts, as in Kubernetes. Only for comparison with Kubernetes.
    LastWins,
    /// Reports an error.
    #[default]
    Refuse,
    /// Reports an error, but still parses the document with the last value.
    Report,
}

impl Limits {
    /// Returns limits for validation: duplicate keys are reported, but the document is still parsed.
    #[must_use]
    pub fn lenient() -> Self {
        Self { duplicate_keys: DuplicateKeys::Report, ..Self::default() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            alias_bytes: 16 << 20,
            alias_nodes: 250_000,
            depth: 128,
            document_bytes: 64 << 20,
            document_nodes: 5_000_000,
            duplicate_keys: DuplicateKeys::Refuse,
            stream_bytes: 256 << 20,
        }
    }
}
