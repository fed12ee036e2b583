//! `<aws-sm:name#key#version>` and `<aws-ssm:/name#key#version>`: AWS Secrets Manager and Parameter Store.
//!
//! The address, the credentials and the role come from the operator file and the sidecar ([`session`]); a reference only
//! names a secret ([`target`]). Each secret and version is requested once, regardless of the number of keys that are read
//! from it, in batches if the service supports them ([`exchange`]).
//!
//! A value is the exact text or bytes. With a key, it is parsed as JSON, even if it was stored as bytes, by the same rules
//! as a JSON file: strings as they are, numbers and booleans as written, objects and arrays as compact JSON;
//! null counts as missing.

#[cfg(feature = "aws")]
pub mod account;
#[cfg(feature = "aws")]
mod check;
#[cfg(feature = "aws")]
mod client;
#[cfg(feature = "aws")]
mod exchange;
#[cfg(feature = "aws")]
mod failure;
#[cfg(feature = "aws")]
mod identity;
#[cfg(feature = "aws")]
mod outcome;
#[cfg(feature = "aws")]
mod parameter_store;
#[cfg(feature = "aws")]
mod profile;
#[cfg(feature = "aws")]
mod profile_files;
#[cfg(feature = "aws")]
mod provider;
#[cfg(feature = "aws")]
mod secret;
#[cfg(feature = "aws")]
mod secrets_manager;
#[cfg(feature = "aws")]
mod session;
mod settings;
#[cfg(feature = "aws")]
mod target;

#[cfg(all(feature = "aws", feature = "sops"))]
pub(crate) use self::check::check;
#[cfg(all(feature = "aws", feature = "sops"))]
pub(crate) use self::failure::{AwsCall, AwsFailure, call_timeout};
#[cfg(all(feature = "aws", feature = "sops"))]
pub(crate) use self::session::AwsSession;
pub(crate) use self::settings::{AssumeRole, AwsSettings, ParameterStoreSettings, SecretsManagerSettings};
#[cfg(all(feature = "aws", feature = "sops"))]
pub(crate) use self::target::is_region;
