//! Reads files with the operator's credentials and certificates when they are used.
//!
//! The files are read again for each run, since Kubernetes and Vault Agent replace them while sealwave is running.

use std::path::Path;

use sealwave_core::bounded_file::{BoundedReadError, read_regular_file};
use sealwave_core::diagnostic::{NOT_REGULAR_FILE, io_reason};
use zeroize::Zeroizing;

use crate::ProviderError;

/// The largest file, sized for certificate bundles.
const MAX_BYTES: u64 = 1 << 20;

/// Reads a file of the operator's; `what` names it in messages.
///
/// # Errors
/// The file cannot be read, is not a regular file, or is too large.
pub(crate) fn read_file(path: &Path, what: &str) -> Result<Zeroizing<Vec<u8>>, ProviderError> {
    let failed = |why: String| {
        ProviderError::unreachable(
            format!("{what} `{}` {why}", path.display()),
            "mount it at the configured path, readable by the user that runs sealwave",
        )
    };
    read_regular_file(path, MAX_BYTES).map_err(|error| match error {
        BoundedReadError::Io(error) => failed(format!("cannot be read ({})", io_reason(error.kind()))),
        BoundedReadError::NotRegular => failed(NOT_REGULAR_FILE.to_owned()),
        BoundedReadError::TooLarge => failed(format!("is larger than {} MiB", MAX_BYTES >> 20)),
    })
}

/// Reads a token from a file, without surrounding white space; `what` names the file in messages.
///
/// # Errors
/// The file cannot be read, or does not contain exactly one token.
#[cfg(feature = "vault")]
pub(crate) fn read_token(path: &Path, what: &str) -> Result<Zeroizing<String>, ProviderError> {
    let bytes = read_file(path, what)?;
    let text = std::str::from_utf8(&bytes).unwrap_or_default().trim_ascii();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ProviderError::invalid(
            format!("{what} `{}` does not contain a token", path.display()),
            "the file must contain only the token",
        ));
    }
    Ok(Zeroizing::new(text.to_owned()))
}
