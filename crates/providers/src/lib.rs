//! The adapters for secret sources, behind one trait.
//!
//! A provider is created from the operator file alone; nothing from Git affects its address, credentials or limits.
//! References are the only input from Git, and each provider treats them as hostile.
//! No error contains a value, or any part of the document that was searched for a value.

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
use sealwave_secrets::placeholder::SecretReference;

pub use self::cluster::ClusterAccess;
pub use self::config_error::ProviderConfigError;
pub use self::error::ProviderError;
pub use self::fetched::{Evidence, FetchResult, FetchedValue, evidence_of};
pub use self::registry::ProviderRegistry;

pub use sealwave_secrets::placeholder::PROVIDER_KINDS as KINDS;

/// A source of secrets.
pub trait Provider: Send + Sync {
    /// Fetches distinct references in as few calls as the source allows. Results are in the order of `references`.
    ///
    /// Gives up at the deadline, with [`ProviderError::Unreachable`] for everything that is still missing.
    /// A result that depends on a file in Git carries the [`Evidence`] of that file.
    fn fetch(&self, references: &[&SecretReference], deadline: Instant) -> Vec<FetchResult>;

    /// Takes the notes that a fetch left in addition to its results. They contain no credentials and no values.
    fn take_notes(&self) -> Vec<Note> {
        Vec::new()
    }
}

/// Looks up environment variables, as passed on by `config`.
pub(crate) type EnvLookup = Arc<dyn Fn(&str) -> Option<OsString> + Send + Sync>;

/// Locations of the app's own files, for providers that read them.
#[derive(Clone, Debug)]
pub struct AppFiles {
    /// The directory of the app file; paths in references are relative to it.
    pub directory: PathBuf,
    /// The directory that no path may leave; absolute, without symbolic links.
    pub boundary: PathBuf,
}

#[cfg(test)]
mod tests;
