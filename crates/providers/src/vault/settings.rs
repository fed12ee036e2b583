//! The operator's settings of a Vault provider: address, authentication and mounts.
//!
//! Credentials are always in files; no field contains one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::ca_file::ca_file_problem;
use crate::program::LoginProgram;
use crate::{LocalContext, OfflineProblem, ProviderSettings};
use sealwave_secrets::values::kv_path::KvVersion;

/// A Vault or OpenBao server, and the readable part of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VaultSettings {
    /// URL of the server, without `/v1`.
    pub address: String,
    /// Allows plain HTTP to another host than this one, which exposes the token and all values on the network.
    #[serde(default)]
    pub allow_http: bool,
    /// The authentication method.
    pub auth: VaultAuth,
    /// PEM certificates to trust for the server, instead of those of the system.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// The readable KV mounts and their versions. If empty, the server is asked for the mount of each path, and every
    /// KV mount can be read.
    #[serde(default)]
    pub mounts: BTreeMap<String, KvVersion>,
    /// A namespace of Vault Enterprise or OpenBao.
    #[serde(default)]
    pub namespace: Option<String>,
    /// An HTTP proxy for requests to the server.
    #[serde(default)]
    pub proxy: Option<String>,
}

impl ProviderSettings for VaultSettings {
    fn credential_files(&self) -> Vec<&Path> {
        self.auth.file().into_iter().chain(&self.ca_file).map(PathBuf::as_path).collect()
    }

    /// Returns other paths of the same secret, such as `secret/db` and `secret/data/db` if version 2 of the engine is
    /// mounted at `secret`. A path denied by a policy must be denied in every spelling. Without configured mounts,
    /// these are all paths that may mean the same secret.
    fn other_spellings(&self, path: &str) -> Vec<String> {
        let named = self.mounts.iter().map(|(mount, version)| (mount.trim_matches('/'), *version));
        let other_spelling = |mount: &str| {
            let below = path.strip_prefix(mount)?.strip_prefix('/')?;
            match below.strip_prefix("data/") {
                Some(secret) => (!secret.starts_with("data/")).then(|| format!("{mount}/{secret}")),
                None => Some(format!("{mount}/data/{below}")),
            }
        };
        if self.mounts.is_empty() {
            path.match_indices('/').filter_map(|(at, _)| other_spelling(path.get(..at)?)).collect()
        } else {
            named
                .filter(|(_, version)| *version == KvVersion::Two)
                .filter_map(|(mount, _)| other_spelling(mount))
                .collect()
        }
    }

    fn offline_problems(&self, context: &LocalContext<'_>) -> Vec<OfflineProblem> {
        ca_file_problem(context.operator_dir, self.ca_file.as_ref()).into_iter().collect()
    }

    fn login_programs(&self, _context: &LocalContext<'_>) -> Vec<LoginProgram> {
        Vec::new()
    }
}

/// An authentication method of Vault.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum VaultAuth {
    /// Role id and secret id.
    AppRole {
        /// Mount path of the method; by default `approle`.
        #[serde(default)]
        mount: Option<String>,
        /// The role id, which is not secret.
        role_id: String,
        /// The file with the secret id.
        secret_id_file: PathBuf,
    },
    /// Token of a service account.
    Kubernetes {
        /// Mount path of the method; by default `kubernetes`.
        #[serde(default)]
        mount: Option<String>,
        /// The role.
        role: String,
        /// The file with the service account's token; by default that of the pod.
        #[serde(default)]
        token_file: Option<PathBuf>,
    },
    /// A token that another tool keeps fresh, such as Vault Agent.
    Token {
        /// The file with the token.
        file: PathBuf,
    },
}

impl VaultAuth {
    /// Returns the configured file with the credential.
    #[must_use]
    pub const fn file(&self) -> Option<&PathBuf> {
        match self {
            Self::AppRole { secret_id_file: file, .. } | Self::Token { file } => Some(file),
            Self::Kubernetes { token_file, .. } => token_file.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(mounts: &[(&str, KvVersion)]) -> VaultSettings {
        VaultSettings {
            address: "https://vault".to_owned(),
            allow_http: false,
            auth: VaultAuth::Token { file: "token".into() },
            ca_file: None,
            mounts: mounts.iter().map(|(mount, version)| ((*mount).to_owned(), *version)).collect(),
            namespace: None,
            proxy: None,
        }
    }

    #[test]
    fn a_secret_of_version_2_has_two_spellings() {
        let named =
            settings(&[("secret/", KvVersion::Two), ("team/kv", KvVersion::Two), ("old", KvVersion::One)]);
        for (path, other) in [
            ("secret/db", Some("secret/data/db")),
            ("secret/data/db", Some("secret/db")),
            ("secret/data", Some("secret/data/data")),
            ("secret/data/data/db", None),
            ("team/kv/a/b", Some("team/kv/data/a/b")),
            ("old/data/db", None),
            ("secrets/db", None),
        ] {
            assert_eq!(named.other_spellings(path).first().map(String::as_str), other, "{path}");
        }
    }

    #[test]
    fn without_configured_mounts_any_mount_is_possible() {
        let open = settings(&[]);
        assert_eq!(open.other_spellings("a/data/b"), ["a/b", "a/data/data/b"]);
        assert_eq!(open.other_spellings("a/b/c"), ["a/data/b/c", "a/b/data/c"]);
        assert_eq!(open.other_spellings("a"), [""; 0]);
    }
}
