//! The adapters for secret sources, behind one trait.
//!
//! A provider is created from the operator file alone; nothing from Git affects its address, credentials or limits.
//! References are the only input from Git, and each provider treats them as hostile.
//! No error contains a value, or any part of the document that was searched for a value.
//!
//! Each provider is a directory: its settings and facts, its documentation, and the code that fetches. The table in `kinds`
//! connects it with the operator file.

mod aws;
mod ca_file;
mod cluster;
mod cluster_peer;
mod config_error;
mod derive;
mod env;
mod error;
mod evidence;
mod fetched;
mod file;
mod k8s;
mod kinds;
mod local_context;
mod login;
mod login_check;
mod not_built;
mod offline;
mod offline_problem;
mod program;
mod protected_files;
mod provider;
mod provider_thread;
mod registry;
#[cfg(feature = "remote")]
mod remote;
mod sops;
#[cfg(test)]
mod testing;
mod vault;
#[cfg(feature = "web")]
mod web;

#[cfg(feature = "aws")]
pub use self::aws::account as aws_account;
pub use self::cluster::{
    ApiObject, ApiResource, ClusterAccess, ClusterClient, ClusterError, ClusterFailure, ProxyReply, RbacRule,
    ServiceProxy,
};
pub use self::cluster_peer::ClusterPeer;
pub use self::config_error::{ProviderConfigError, SettingsError};
pub use self::error::ProviderError;
pub use self::evidence::Evidence;
pub use self::fetched::{FetchResult, FetchedValue, evidence_of};
pub use self::kinds::{ProviderConfig, ProviderKind};
pub use self::local_context::EnvLookup;
pub use self::login::Login;
pub use self::login_check::LoginResult;
pub use self::offline::{OfflineCheck, OfflineReport};
pub use self::protected_files::ProtectedFiles;
pub use self::provider::{AppDetails, Provider};
pub use self::registry::ProviderRegistry;
#[cfg(feature = "vault")]
pub use self::vault::store as vault_store;
#[cfg(feature = "web")]
pub use self::web::{WebAddress, WebAddressError};

pub(crate) use self::local_context::LocalContext;
pub(crate) use self::offline_problem::OfflineProblem;
pub(crate) use self::provider::{CreateProvider, ProviderContext, ProviderSettings};

#[cfg(test)]
mod tests;
