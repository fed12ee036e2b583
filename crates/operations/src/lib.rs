//! Plans and applies changes to committed files, clusters and accounts: the work of `seal`, `reseal`, `rotate`, `put`,
//! `verify` and `status`.
//!
//! A change is planned completely before anything is touched, and each step is recorded in a journal before it starts, so that
//! the next run can continue an interrupted one. No plan, journal, message or report holds a secret value. Nothing here takes an
//! address, a credential or a writable path from a repository. The pipeline that Argo CD runs never uses this crate.

#[cfg(feature = "aws")]
pub mod aws_store;
pub mod backup;
pub mod certificates;
pub mod clock;
pub mod controller;
pub mod controller_key;
pub mod documents;
pub mod file_changes;
pub mod json_document;
pub mod key_files;
pub mod manifest_files;
pub mod notification;
pub mod plan;
pub mod private_file;
pub mod progress;
#[cfg(any(feature = "aws", feature = "vault"))]
pub mod put;
pub mod report;
pub mod reseal;
#[cfg(feature = "aws")]
pub mod rotate_aws;
#[cfg(feature = "aws")]
pub mod rotate_secret;
pub mod seal;
pub mod sealed_files;
pub mod secret_document;
pub mod state;
pub mod status;
pub mod switch;
#[cfg(all(test, feature = "k8s"))]
mod testing;
pub mod unseal;
pub mod verify;
pub mod work_tree;
