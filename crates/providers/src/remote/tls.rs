//! TLS handshake failures, with the same messages for all HTTP clients.

use std::error::Error;
use std::io;

use rustls::{AlertDescription, CertificateError};

use crate::ProviderError;

/// The cause of a failed TLS handshake. A retry would fail in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HandshakeError {
    /// The server's certificate has expired.
    Expired,
    /// The peer does not speak TLS.
    NoTls,
    /// The server's certificate is not valid yet.
    NotYetValid,
    /// The peer rejected the handshake, usually because it requires a client certificate.
    Refused,
    /// No trusted CA signed the server's certificate.
    UnknownAuthority,
    /// Any other cause.
    Unusable,
    /// The server's certificate is for other names.
    WrongName,
}

impl HandshakeError {
    /// Finds a handshake failure in the sources of an error.
    pub(crate) fn find_in(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut at = Some(error);
        while let Some(error) = at {
            if let Some(found) = error.downcast_ref() {
                return Some(Self::from_rustls(found));
            }
            // `source` of an I/O error skips the error that it wraps.
            let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            at = inner.map_or_else(|| error.source(), |inner| Some(inner));
        }
        None
    }

    fn from_rustls(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::AlertReceived(
                AlertDescription::AccessDenied
                | AlertDescription::BadCertificate
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateRequired
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA
                | AlertDescription::UnsupportedCertificate,
            ) => Self::Refused,
            rustls::Error::InvalidCertificate(why) => match why {
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    Self::WrongName
                }
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    Self::NotYetValid
                }
                // `BadSignature`: the CA was recreated with a new key under the same name.
                CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::UnknownAuthority,
                _ => Self::Unusable,
            },
            rustls::Error::InvalidMessage(_) => Self::NoTls,
            _ => Self::Unusable,
        }
    }

    /// Converts to a provider error. `peer` names the server, `address` the setting with its address, and `trust` is the
    /// hint for an unknown CA.
    pub(crate) fn to_provider_error(self, peer: &str, address: &str, trust: &str) -> ProviderError {
        let (problem, hint) = match self {
            Self::Expired => {
                ("has a TLS certificate that has expired", "renew it, and check the clock of this machine")
            }
            Self::NoTls => {
                return ProviderError::unreachable(
                    format!("{peer} does not speak TLS"),
                    &format!("check the scheme and port of {address}"),
                );
            }
            Self::NotYetValid => (
                "has a TLS certificate that is not valid yet",
                "check the clocks of this machine and of its CA",
            ),
            Self::Refused => ("refuses the TLS connection", "check whether it requires a client certificate"),
            Self::UnknownAuthority => ("has a TLS certificate from a CA that is not trusted", trust),
            Self::Unusable => ("failed the TLS handshake", "check its certificate and its TLS versions"),
            Self::WrongName => {
                return ProviderError::unreachable(
                    format!("{peer} has a TLS certificate for another host name"),
                    &format!("use a host name in {address} that the certificate is for"),
                );
            }
        };
        ProviderError::unreachable(format!("{peer} {problem}"), hint)
    }
}
