//! The files of the operator that no provider may hand out.

use std::path::{Path, PathBuf};

/// The files of the operator that no provider may hand out, whatever its root. Relative paths are relative to the working
/// directory.
#[derive(Clone, Debug, Default)]
pub struct ProtectedFiles {
    /// The seal key.
    pub seal_key: Option<PathBuf>,
    /// The checksum key.
    pub checksum_key: Option<PathBuf>,
    /// The operator file, the credentials of providers and the audit log.
    pub others: Vec<PathBuf>,
}

impl ProtectedFiles {
    /// Returns all of them.
    pub fn all(&self) -> impl Iterator<Item = &Path> {
        let keys = [&self.seal_key, &self.checksum_key].into_iter().flatten();
        keys.chain(&self.others).map(PathBuf::as_path)
    }
}
