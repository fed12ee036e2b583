//! Sealing certificates: fetched from a file, an address or a controller, and compared with a pinned one.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use sealwave_core::bounded_file::{BoundedReadError, read_regular_file};
use sealwave_core::diagnostic::{Explain, NOT_REGULAR_FILE, io_reason, printable};
use sealwave_providers::{ClusterAccess, ProviderError};
use sealwave_secrets::crypto::{Certificate, CertificateError, CertificateValidity};

use crate::controller::{ControllerError, ControllerNames};

/// The largest file.
const MAX_BYTES: usize = 1 << 20;
/// The time that a download may take.
const DOWNLOAD: Duration = Duration::from_secs(30);

/// Returns the start of a fingerprint.
pub(crate) fn short_fingerprint(fingerprint: &str) -> String {
    match fingerprint.get(..12) {
        Some(start) if fingerprint.len() > 12 => format!("{start}…"),
        _ => fingerprint.to_owned(),
    }
}

/// A place that certificates are fetched from. It is given by flags, never by a repository.
#[derive(Clone, Debug)]
pub enum CertificateSource {
    /// The controller of a cluster.
    Controller(ClusterAccess, ControllerNames),
    /// A file.
    File(PathBuf),
    /// An address.
    Url(String),
}

/// A certificate and its origin.
#[derive(Clone, Debug)]
pub struct FetchedCertificate {
    /// The certificate.
    pub certificate: Certificate,
    /// The origin, for messages.
    pub origin: String,
    /// Whether others could have replaced it on its way.
    pub is_unprotected: bool,
}

/// An error of a fetch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The address cannot be used.
    #[error("`{url}` cannot be fetched: {reason}")]
    Address {
        /// The address.
        url: String,
        /// The cause.
        reason: String,
    },
    /// The content is not a certificate that can be sealed for.
    #[error("`{origin}`: {error}")]
    Content {
        /// The file or address.
        origin: String,
        /// The problem.
        error: CertificateError,
    },
    /// The controller does not return its certificate.
    #[error(transparent)]
    Controller(#[from] ControllerError),
    /// The address does not return a file.
    #[error("the certificate {0}")]
    Download(ProviderError),
    /// The file cannot be read.
    #[error("`{path}` cannot be read: {reason}")]
    File {
        /// The file.
        path: String,
        /// The cause.
        reason: String,
    },
}

/// A reason why a file must not be replaced by a certificate.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// The file cannot be read.
    #[error(transparent)]
    Fetch(FetchError),
    /// The file holds more than certificates.
    #[error("`{0}` is not overwritten: it holds something else than certificates")]
    Mixed(String),
    /// The file holds something else.
    #[error("`{path}` is not overwritten: {error}")]
    NotACertificate {
        /// The file.
        path: String,
        /// The reason.
        error: CertificateError,
    },
}

impl Explain for PinError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Fetch(error) => error.hint(),
            Self::Mixed(_) | Self::NotACertificate { .. } => {
                Some("name another file, or move this one away".to_owned())
            }
        }
    }
}

/// Returns the certificate of a file that may be replaced: it has certificates only, is empty (`None`), or does not exist (`None`).
///
/// # Errors
/// The file holds something else, or cannot be read.
pub fn read_pinned(path: &Path) -> Result<Option<Certificate>, PinError> {
    let Ok(metadata) = fs_err::symlink_metadata(path) else { return Ok(None) };
    match CertificateSource::File(path.to_owned()).fetch(Instant::now()) {
        Ok(fetched) => match read_regular_file(path, MAX_BYTES as u64) {
            Ok(bytes) if Certificate::is_file_of_certificates(&bytes) => Ok(Some(fetched.certificate)),
            _ => Err(PinError::Mixed(path.display().to_string())),
        },
        Err(FetchError::Content { .. }) if metadata.len() == 0 => Ok(None),
        Err(FetchError::Content { error, .. }) => {
            Err(PinError::NotACertificate { path: path.display().to_string(), error })
        }
        Err(error) => Err(PinError::Fetch(error)),
    }
}

impl Explain for FetchError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Address { .. } => {
                Some("write it as `https://HOST/v1/cert.pem`, without a user name".to_owned())
            }
            Self::Content { error, .. } => error.hint(),
            Self::Controller(error) => error.hint(),
            Self::Download(error) => error.hint(),
            Self::File { .. } => None,
        }
    }
}

impl CertificateSource {
    /// Returns the source that a flag names: an address if it starts with `http://` or `https://`, else a file, also as `file://`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text.starts_with("http://") || text.starts_with("https://") {
            Self::Url(text.to_owned())
        } else {
            Self::File(text.strip_prefix("file://").unwrap_or(text).into())
        }
    }

    /// Fetches the certificate.
    ///
    /// # Errors
    /// The source cannot be reached or read, or has no usable certificate.
    pub fn fetch(&self, deadline: Instant) -> Result<FetchedCertificate, FetchError> {
        match self {
            Self::Controller(access, names) => {
                let client = access.connect(deadline).map_err(ControllerError::from)?;
                let controller = names.find(&client)?;
                let origin = controller.service().to_string();
                Ok(FetchedCertificate {
                    certificate: controller.certificate()?,
                    origin,
                    is_unprotected: false,
                })
            }
            Self::File(path) => {
                let origin = without_credentials(&path.to_string_lossy());
                let failed = |reason| FetchError::File { path: origin.clone(), reason };
                let bytes = read_regular_file(path, MAX_BYTES as u64).map_err(|error| match error {
                    BoundedReadError::Io(error) => failed(io_reason(error.kind())),
                    BoundedReadError::NotRegular => failed(NOT_REGULAR_FILE.to_owned()),
                    BoundedReadError::TooLarge => failed("it is larger than one MiB".to_owned()),
                })?;
                parse(origin.clone(), &bytes, false)
            }
            Self::Url(url) => {
                let until = Instant::now().checked_add(DOWNLOAD).map_or(deadline, |end| end.min(deadline));
                download(url, until)
            }
        }
    }
}

#[cfg(feature = "web")]
fn download(url: &str, deadline: Instant) -> Result<FetchedCertificate, FetchError> {
    use sealwave_providers::WebAddress;
    let address = WebAddress::parse_public(url)
        .map_err(|error| FetchError::Address { url: without_credentials(url), reason: error.to_string() })?;
    let bytes = address.get(MAX_BYTES, deadline).map_err(FetchError::Download)?;
    parse(address.host().to_owned(), &bytes, !address.is_protected())
}

#[cfg(not(feature = "web"))]
fn download(url: &str, _: Instant) -> Result<FetchedCertificate, FetchError> {
    let reason = "this build of sealwave has no HTTP client".to_owned();
    Err(FetchError::Address { url: without_credentials(url), reason })
}

/// Returns an address for messages, without what may be a user name and a password. A mistake in an address can make it look like
/// the path of a file, so that is shown in the same way.
fn without_credentials(text: &str) -> String {
    match (text.find("//"), text.rfind('@')) {
        (Some(start), Some(end)) if start < end => {
            let [before, after] = [text.get(..start), text.get(end..)].map(Option::unwrap_or_default);
            printable(format!("{before}//…{after}"))
        }
        _ => printable(text),
    }
}

fn parse(origin: String, bytes: &[u8], is_unprotected: bool) -> Result<FetchedCertificate, FetchError> {
    match Certificate::from_pem(bytes) {
        Ok(certificate) => Ok(FetchedCertificate { certificate, origin, is_unprotected }),
        Err(error) => Err(FetchError::Content { origin, error }),
    }
}

/// A certificate that was fetched over a connection without TLS.
#[derive(Debug, thiserror::Error)]
#[error("certificate was fetched without TLS, so others could have replaced it on its way")]
pub struct UnprotectedFetch;

impl Explain for UnprotectedFetch {
    fn hint(&self) -> Option<String> {
        Some("use an https address, or compare the fingerprint with that of the controller".to_owned())
    }
}

/// A difference between a pinned certificate and the one in use, or a problem of one of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PinFinding {
    /// The certificate in use has expired.
    #[error("the {which} certificate expired at {not_after}")]
    Expired {
        /// The certificate: `pinned` or `live`.
        which: &'static str,
        /// The end of validity.
        not_after: String,
    },
    /// The certificate in use expires soon.
    #[error("the {which} certificate expires at {not_after}; whole days left: {days}")]
    ExpiresSoon {
        /// The certificate: `pinned` or `live`.
        which: &'static str,
        /// Whole days left.
        days: u64,
        /// The end of validity.
        not_after: String,
    },
    /// Items are sealed for another key than the controller's newest.
    #[error("the pinned certificate is for another key than the live one, which is {}", if *.live_is_newer { "newer" } else { "not newer" })]
    OtherKey {
        /// Whether the live key is newer.
        live_is_newer: bool,
    },
    /// The key is the same, but it has another certificate.
    #[error("the pinned certificate is an earlier one of the same key")]
    Reissued,
}

impl PinFinding {
    /// Reports whether something has to be done.
    #[must_use]
    pub const fn is_problem(&self) -> bool {
        !matches!(self, Self::Reissued)
    }

    /// Reports whether this follows from the pinned certificate alone.
    #[must_use]
    pub fn is_about_pinned_dates(&self) -> bool {
        matches!(self, Self::Expired { which: "pinned", .. } | Self::ExpiresSoon { which: "pinned", .. })
    }
}

impl Explain for PinFinding {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Expired { which: "live", .. } | Self::ExpiresSoon { which: "live", .. } => {
                "let the controller make a new key: `sealwave rotate controller-key`"
            }
            Self::Expired { .. } | Self::ExpiresSoon { .. } | Self::Reissued => {
                "pin the live certificate: `sealwave cert fetch --write FILE`"
            }
            Self::OtherKey { live_is_newer: true } => {
                "pin the live certificate with `sealwave cert fetch --write FILE`, then re-seal committed files with `sealwave reseal`"
            }
            Self::OtherKey { live_is_newer: false } => {
                "check that both are of the same cluster; a restored controller may have lost its newest key"
            }
        };
        Some(hint.to_owned())
    }
}

/// Compares a pinned certificate with the one that the controller publishes.
#[must_use]
pub fn compare(pinned: &Certificate, live: &Certificate, now: SystemTime) -> Vec<PinFinding> {
    let mut findings = Vec::new();
    let is_same_key = pinned.public_key_sha256() == live.public_key_sha256();
    if !is_same_key {
        findings.push(PinFinding::OtherKey { live_is_newer: live.not_before() > pinned.not_before() });
    } else if pinned.details().certificate_sha256 != live.details().certificate_sha256 {
        findings.push(PinFinding::Reissued);
    }
    findings.extend(expiry("pinned", pinned, now));
    if pinned.details().certificate_sha256 != live.details().certificate_sha256 {
        findings.extend(expiry("live", live, now));
    }
    findings
}

fn expiry(which: &'static str, certificate: &Certificate, now: SystemTime) -> Option<PinFinding> {
    let not_after = certificate.details().not_after.clone();
    match certificate.validity(now) {
        CertificateValidity::Expired => Some(PinFinding::Expired { which, not_after }),
        CertificateValidity::ExpiresSoon(days) => Some(PinFinding::ExpiresSoon { which, days, not_after }),
        CertificateValidity::NotYetValid | CertificateValidity::Valid => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_message_has_credentials_of_an_address() {
        for text in [
            "https://user:PASSWORD@127.0.0.1:1/x",
            "https://u:PASSWORD@PASSWORD@h:99999/x",
            "HTTPS://u:PASSWORD@[::1/x",
            "ftp://u:PASSWORD@h/x",
            "//u:PASSWORD@h",
            "file:////u:PASSWORD@h",
        ] {
            let error = CertificateSource::parse(text).fetch(Instant::now()).expect_err("refused");
            assert!(!error.to_string().contains("PASSWORD"), "{error}");
        }
        assert_eq!(without_credentials("keys/a@b.pem"), "keys/a@b.pem");
    }

    fn read(name: &str) -> Certificate {
        let path = sealwave_testkit::repository_root().join("testdata/sealed-secrets").join(name);
        Certificate::from_pem(&fs_err::read(path).expect("readable")).expect("a certificate")
    }

    #[test]
    fn only_another_key_or_the_end_of_validity_is_a_problem() {
        let (old, reissued, other) = (read("rsa2048.crt"), read("rsa2048-reissued.crt"), read("rsa3072.crt"));
        let now = old.not_before().max(reissued.not_before()) + Duration::from_hours(1);
        assert_eq!(compare(&old, &old, now), []);
        let findings = compare(&old, &reissued, now);
        assert_eq!(findings[0], PinFinding::Reissued);
        assert!(!findings[0].is_problem());
        assert!(matches!(compare(&old, &other, now)[0], PinFinding::OtherKey { .. }));
        let late = now + Duration::from_hours(24 * 365 * 200);
        let expired = compare(&old, &old, late);
        assert!(matches!(expired[..], [PinFinding::Expired { which: "pinned", .. }]), "{expired:?}");
    }

    #[test]
    fn a_source_is_an_address_or_a_file() {
        assert!(matches!(CertificateSource::parse("https://a/v1/cert.pem"), CertificateSource::Url(_)));
        assert!(matches!(CertificateSource::parse("http://a"), CertificateSource::Url(_)));
        for file in ["cert.pem", "file:///etc/passwd", "ftp://a", "HTTPS"] {
            assert!(matches!(CertificateSource::parse(file), CertificateSource::File(_)), "{file}");
        }
    }
}
