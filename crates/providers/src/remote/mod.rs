//! Code that sources over the network share: TLS, credentials, retries, and the steps of a fetch.

#![cfg_attr(
    not(all(feature = "aws", feature = "k8s", feature = "vault")),
    allow(dead_code, unused_imports, reason = "each source uses only a part of this module")
)]

pub(crate) mod authorities;
pub(crate) mod credential;
pub(crate) mod proxy;
pub(crate) mod retry;
pub(crate) mod runtime;
mod source;
pub(crate) mod tls;

pub(crate) use self::source::{RemoteSource, TargetResults};
