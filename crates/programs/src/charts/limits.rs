//! The limits of what servers send.

/// Maximum size of the archive of a chart.
pub(super) const MAX_ARCHIVE: u64 = 20 << 20;
/// Maximum size of the index of a repository.
pub(super) const MAX_INDEX: u64 = 64 << 20;
