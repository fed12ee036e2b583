//! Reads files that the operator file or an argument names, up to a size limit.

use std::path::Path;

use super::error::{MAX_FILE_BYTES, OperatorFileError};
use crate::config::PathSource;
use sealwave_core::bounded_file::read_regular_file;
use sealwave_secrets::values::SecretValue;

/// Reads a regular file, which may hold a key.
pub(super) fn read_bounded(path: &Path, named_by: PathSource) -> Result<SecretValue, OperatorFileError> {
    let bytes = read_regular_file(path, MAX_FILE_BYTES);
    let mut bytes = bytes.map_err(|error| OperatorFileError::refused(path, named_by, error))?;
    Ok(SecretValue::new(std::mem::take(&mut *bytes)))
}
