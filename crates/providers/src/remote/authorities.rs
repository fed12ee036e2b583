//! CA certificates that the operator trusts instead of the system's.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::credential;
use crate::ProviderError;

/// Reads a file of PEM certificates. Every certificate is checked, since clients differ in how they treat unusable ones.
///
/// # Errors
/// The file cannot be read, or contains no certificate or an unusable one.
pub(crate) fn read_ca_file(file: &Path) -> Result<Vec<u8>, ProviderError> {
    let pem = credential::read_file(file, "`caFile`")?;
    let mut roots = RootCertStore::empty();
    let read = CertificateDer::pem_slice_iter(&pem).try_for_each(|certificate| {
        certificate.map_err(drop).and_then(|certificate| roots.add(certificate).map_err(drop))
    });
    if read.is_err() || roots.is_empty() {
        let content = if read.is_err() { "a certificate that cannot be read" } else { "no certificate" };
        return Err(ProviderError::invalid(
            format!("`caFile` `{}` contains {content}", file.display()),
            "the file must contain PEM certificates",
        ));
    }
    Ok(pem.to_vec())
}
