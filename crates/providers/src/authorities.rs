//! The certificates of authorities that the operator trusts instead of the system's.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::{ProviderError, credential};

/// The PEM text of a file of certificates. All of it is known to be of
/// use, since clients differ in what they make of the rest.
///
/// # Errors
/// It cannot be read, or holds anything but certificates.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, ProviderError> {
    let pem = credential::read(file, "`caFile`")?;
    let mut roots = RootCertStore::empty();
    let read = CertificateDer::pem_slice_iter(&pem).try_for_each(|certificate| {
        certificate.map_err(drop).and_then(|certificate| roots.add(certificate).map_err(drop))
    });
    if read.is_err() || roots.is_empty() {
        let holds = if read.is_err() { "a certificate that cannot be read" } else { "no certificate" };
        return Err(ProviderError::invalid(
            format!("`caFile` `{}` holds {holds}", file.display()),
            "the file holds PEM certificates",
        ));
    }
    Ok(pem.to_vec())
}
