//! Why a TLS handshake failed: what the clients of HTTP services make of it, in the same words.

use std::error::Error;
use std::io;

use rustls::{AlertDescription, CertificateError};

use super::ProviderError;

/// Why a TLS handshake failed: reasons that another attempt would meet again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handshake {
    /// The server's certificate is over.
    Expired,
    /// There is no TLS at the other end.
    NoTls,
    /// The server's certificate is not valid yet.
    NotYetValid,
    /// The other end does not take what we are, most often because it wants a certificate of ours.
    Refused,
    /// No authority that we trust has signed the server's certificate.
    UnknownAuthority,
    /// Anything else.
    Unusable,
    /// The server's certificate is for other names.
    WrongName,
}

impl Handshake {
    /// What made a connection fail, if it was the handshake.
    pub fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut at = Some(error);
        while let Some(error) = at {
            if let Some(found) = error.downcast_ref() {
                return Some(Self::of_tls(found));
            }
            // An I/O error's source is that of what it holds, which it would pass over.
            let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            at = held.map_or_else(|| error.source(), |held| Some(held));
        }
        None
    }

    fn of_tls(error: &rustls::Error) -> Self {
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
                // The second: an authority that was made anew, under the same name.
                CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::UnknownAuthority,
                _ => Self::Unusable,
            },
            rustls::Error::InvalidMessage(_) => Self::NoTls,
            _ => Self::Unusable,
        }
    }

    /// In the words of a provider: `peer` is what was to be talked to, `address` the setting that says where it is, and
    /// `trust` what to do where its authority is not known.
    pub(super) fn explain(self, peer: &str, address: &str, trust: &str) -> ProviderError {
        let (what, hint) = match self {
            Self::Expired => {
                ("has a TLS certificate that has expired", "renew it; the clock here must be right, too")
            }
            Self::NoTls => {
                return ProviderError::unreachable(
                    format!("{peer} does not talk TLS"),
                    &format!("see to scheme and port of {address}"),
                );
            }
            Self::NotYetValid => (
                "has a TLS certificate that is not valid yet",
                "the clock here, or the one of its CA, is wrong",
            ),
            Self::Refused => ("refuses the TLS connection", "see whether it wants a client certificate"),
            Self::UnknownAuthority => ("has a TLS certificate of a CA that is not trusted here", trust),
            Self::Unusable => {
                ("cannot be talked to over TLS", "see to its certificate, and to its TLS versions")
            }
            Self::WrongName => {
                return ProviderError::unreachable(
                    format!("{peer} has a TLS certificate for another host name"),
                    &format!("use a host name in {address} that the certificate is for"),
                );
            }
        };
        ProviderError::unreachable(format!("{peer} {what}"), hint)
    }
}
