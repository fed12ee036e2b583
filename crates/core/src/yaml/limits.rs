//! Bounds on what a reader takes; repository content is hostile.

/// How much of everything a reader takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of scalars that aliases may add to one document.
    pub alias_bytes: usize,
    /// Nodes that aliases may add to one document.
    pub alias_nodes: usize,
    /// Levels of mappings and sequences, aliases expanded.
    pub depth: usize,
    /// Bytes of one document.
    pub document_bytes: usize,
    /// Nodes of one document, keys not counted.
    pub document_nodes: usize,
    /// What a key that is given twice means.
    pub duplicate_keys: DuplicateKeys,
    /// Bytes of the whole input.
    pub stream_bytes: usize,
}

/// What a key that is given twice in one mapping means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DuplicateKeys {
    /// The last one counts, as in Kubernetes. For comparing with Kubernetes only.
    LastWins,
    /// An error: one of the two is not what its author thinks.
    #[default]
    Refuse,
    /// An error, and the last one counts all the same: for whoever looks for all that is wrong.
    Report,
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
