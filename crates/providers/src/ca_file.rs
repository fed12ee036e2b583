//! Checks files with CA certificates before a rollout.

use std::path::{Path, PathBuf};

use crate::OfflineProblem;
use sealwave_core::bounded_file::open_regular_file;

/// Returns the problem of a file with CA certificates, if any. That it can be read is checked separately.
pub(crate) fn ca_file_problem(operator_dir: &Path, file: Option<&PathBuf>) -> Option<OfflineProblem> {
    let path = operator_dir.join(file?);
    open_regular_file(&path).ok()?;
    #[cfg(feature = "remote")]
    if let Err(error @ crate::ProviderError::Invalid { .. }) = crate::remote::authorities::read_ca_file(&path)
    {
        return Some(OfflineProblem::unusable(&error));
    }
    None
}
