//! Helpers for the tests of every crate. It is a dev-dependency only and never part of the program.
//!
//! [`danger_unseal`] opens sealed items with a private key; nothing that ships may depend on this crate.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::new_without_default,
    clippy::return_self_not_must_use,
    clippy::unwrap_used,
    reason = "a panic fails the test, and the names of small helpers say what they do"
)]

pub mod aws_proxy;
pub mod aws_stub;
pub mod bench_input;
mod files;
mod git;
mod objects;
mod pages;
mod skip;
mod sops_cipher;
pub mod stub_server;
pub mod tls;
mod unseal;

pub use files::{check_file, is_update_requested, repository_root};
pub use git::{git, git_command, git_output};
pub use objects::{manifest, manifests, node};
pub use pages::{check_page_line, check_page_section, page_section};
#[cfg(feature = "vault")]
pub use reqwest;
pub use rustls;
pub use skip::skipped;
pub use sops_cipher::sops_encrypt;
#[cfg(any(feature = "aws", feature = "vault"))]
pub use tokio;
pub use unseal::{DangerError, DangerPrivateKey, danger_unseal};
#[cfg(feature = "aws")]
pub use {aws_config, aws_sdk_secretsmanager, aws_sdk_ssm, aws_sdk_sts, aws_smithy_http_client};
