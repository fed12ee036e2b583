//! The adapters: where secrets come from, behind one trait.
//!
//! A provider is made from the operator file alone; nothing from Git reaches its address, its credentials or its
//! bounds. References are the only thing that comes from Git, and each provider takes them for hostile.
//! No error here holds a value, nor a part of the document that a value was looked for in.

#[cfg(any(feature = "aws", feature = "vault"))]
mod authorities;
#[cfg(feature = "aws")]
mod aws;
mod cluster;
mod config_error;
#[cfg(any(feature = "aws", feature = "k8s", feature = "vault"))]
mod credential;
mod env;
mod error;
mod fetched;
mod file;
#[cfg(feature = "k8s")]
mod k8s;
mod make;
#[cfg(not(all(feature = "aws", feature = "k8s", feature = "sops", feature = "vault")))]
mod not_built;
#[cfg(any(feature = "aws", feature = "vault"))]
mod proxy;
mod registry;
#[cfg(any(feature = "k8s", feature = "vault"))]
mod retry;
#[cfg(any(feature = "aws", feature = "k8s", feature = "vault"))]
mod runtime;
#[cfg(feature = "sops")]
mod sops;
#[cfg(test)]
mod testing;
#[cfg(any(feature = "aws", feature = "k8s", feature = "vault"))]
mod tls;
#[cfg(feature = "vault")]
mod vault;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use sealwave_core::diagnostic::Note;
use sealwave_secrets::placeholder::Reference;

pub use self::cluster::Cluster;
pub use self::config_error::ProviderConfigError;
pub use self::error::ProviderError;
pub use self::fetched::{Evidence, FetchResult, Fetched, evidence_of};
pub use self::registry::Providers;

pub use sealwave_secrets::placeholder::PROVIDER_KINDS as KINDS;

/// A source of secrets.
pub trait Provider: Send + Sync {
    /// Fetches distinct references in as few calls as the source allows, and answers each in its place.
    ///
    /// Gives up at the deadline, with [`ProviderError::Unreachable`] for what is still missing.
    /// An answer that stands on a file in Git carries the [`Evidence`] of it.
    fn fetch(&self, references: &[&Reference], deadline: Instant) -> Vec<FetchResult>;

    /// Takes the notes that a fetch left beside its answers. They hold no credential and no value.
    fn take_notes(&self) -> Vec<Note> {
        Vec::new()
    }
}

/// The environment, as `config` hands it on.
pub(crate) type Environment = Arc<dyn Fn(&str) -> Option<OsString> + Send + Sync>;

/// Where the app's own files are, for providers that read them.
#[derive(Clone, Debug)]
pub struct AppFiles {
    /// The directory of the app file; paths in references are relative to it.
    pub directory: PathBuf,
    /// The directory that no path may leave; absolute, without links.
    pub boundary: PathBuf,
}

#[cfg(test)]
mod tests;
