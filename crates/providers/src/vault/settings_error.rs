//! Errors in the settings of a Vault provider, found before any request is sent.

use crate::remote::proxy;
use sealwave_core::diagnostic::Explain;

/// An error in the settings of a Vault provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum VaultSettingsError {
    /// `address` has a user or a password.
    #[error("`address` contains a user or a password")]
    AddressWithLogin,
    /// `address` has a query or a fragment.
    #[error("`address` contains a query or a fragment")]
    AddressWithQuery,
    /// `address` is malformed.
    #[error("`address` is not a server URL")]
    BadAddress,
    /// The mount path of the authentication method is malformed.
    #[error("`mount` of `auth` is not valid")]
    BadAuthMount,
    /// A key of `mounts` is malformed or reserved.
    #[error("`mounts` contains a path that cannot be a KV mount")]
    BadMount,
    /// `namespace` is malformed.
    #[error("`namespace` is not valid")]
    BadNamespace,
    /// `proxy` is malformed.
    #[error("`proxy` must be {}", proxy::FORM)]
    BadProxy,
    /// The server is another host, and the connection is not encrypted.
    #[error("`address` is plain HTTP, so the token and all values could be read in transit")]
    PlainHttp,
    /// The connection through the proxy is not encrypted.
    #[error("`proxy` is set, and `address` is plain HTTP, so the proxy could read the token and all values")]
    ProxyForPlainHttp,
}

impl Explain for VaultSettingsError {
    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::AddressWithLogin => "log in with `auth`",
                Self::AddressWithQuery | Self::BadAddress => {
                    "write it as `VAULT_ADDR` is written, for example `https://vault.example.com:8200`"
                }
                Self::BadAuthMount => "write it as `vault auth list` prints it, for example `kubernetes`",
                Self::BadMount => "write mounts as in `vault secrets list`, for example `secret: 2`",
                Self::BadNamespace => "write it as `vault namespace list` prints it",
                Self::BadProxy => "correct it in the operator file",
                Self::PlainHttp => {
                    "use https, or set `allowHttp: true` if something else protects the connection"
                }
                Self::ProxyForPlainHttp => "use https, or leave `proxy` out",
            }
            .to_owned(),
        )
    }
}
