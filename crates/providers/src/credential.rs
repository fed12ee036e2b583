//! Files that hold a credential or a certificate of the operator's, read at the moment of use.
//!
//! They are read again for each run, since Kubernetes and Vault Agent replace them while sealwave lives.

use std::io::Read as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::ProviderError;

/// A bundle of certificates can be large; a token never is.
const MAX_BYTES: u64 = 1 << 20;

/// The bytes of a file that the operator named as `what`.
///
/// # Errors
/// It cannot be read, or cannot be one.
pub(super) fn read(path: &Path, what: &str) -> Result<Zeroizing<Vec<u8>>, ProviderError> {
    let failed = |why: String| {
        ProviderError::unreachable(
            format!("{what} `{}` {why}", path.display()),
            "mount it where the operator file says, readable by the user that runs sealwave",
        )
    };
    let unreadable = |error: std::io::Error| failed(format!("cannot be read ({})", error.kind()));
    // Looked at before it is opened: opening a FIFO would wait for a writer.
    if !fs_err::metadata(path).map_err(unreadable)?.is_file() {
        return Err(failed("is no regular file".to_owned()));
    }
    let file = fs_err::File::open(path).map_err(unreadable)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(8192));
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(failed(format!("is larger than {} MiB", MAX_BYTES >> 20)));
    }
    Ok(bytes)
}

/// The text of a file that the operator named as `what`, without white space around it.
///
/// # Errors
/// It cannot be read, is empty, or is no token.
#[cfg(feature = "vault")]
pub(super) fn token(path: &Path, what: &str) -> Result<Zeroizing<String>, ProviderError> {
    let bytes = read(path, what)?;
    let text = std::str::from_utf8(&bytes).unwrap_or_default().trim_ascii();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ProviderError::invalid(
            format!("{what} `{}` holds no token", path.display()),
            "the file holds the token and nothing else",
        ));
    }
    Ok(Zeroizing::new(text.to_owned()))
}
