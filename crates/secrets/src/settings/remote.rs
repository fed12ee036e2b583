//! What the operator says of secret stores that are asked over HTTP: where they are, and how to log in.
//!
//! Credentials are always in files; no field here holds one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

/// Secrets of a Kubernetes cluster: the one that sealwave runs in, unless a kubeconfig is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct K8sSettings {
    /// The one namespace whose Secrets can be read; a placeholder gives the Secret's name alone.
    #[serde(default)]
    pub namespace: Option<String>,
    /// The namespaces whose Secrets can be read; a placeholder gives `NAMESPACE/NAME`.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// A kubeconfig file.
    #[serde(default)]
    pub kubeconfig: Option<PathBuf>,
    /// A context of the kubeconfig; without it, its current one.
    #[serde(default)]
    pub context: Option<String>,
}

/// A Vault or OpenBao server, and the part of it that can be read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VaultSettings {
    /// Its URL, without `/v1`.
    pub address: String,
    /// Talk plain HTTP to a host other than this one. The token and all values can be read on the way.
    #[serde(default)]
    pub allow_http: bool,
    /// How to log in.
    pub auth: VaultAuth,
    /// PEM certificates that the server's must come from, instead of those that the system trusts.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// The KV mounts that can be read, and their versions. Where there are none, the server is asked for the mount of
    /// each path, and every KV mount can be read.
    #[serde(default)]
    pub mounts: BTreeMap<String, KvVersion>,
    /// A namespace of Vault Enterprise or OpenBao.
    #[serde(default)]
    pub namespace: Option<String>,
    /// An HTTP proxy that leads to it.
    #[serde(default)]
    pub proxy: Option<String>,
}

impl VaultSettings {
    /// Other paths that mean the same secret: `secret/db` and `secret/data/db` do, where version 2 of the engine is
    /// mounted at `secret`. What a policy denies under one of them must be denied under each. Where the operator names
    /// no mounts, these are the paths that may mean the same, whatever is mounted where.
    #[must_use]
    pub fn other_spellings(&self, path: &str) -> Vec<String> {
        let named = self.mounts.iter().map(|(mount, version)| (mount.trim_matches('/'), *version));
        let other = |mount: &str| {
            let below = path.strip_prefix(mount)?.strip_prefix('/')?;
            match below.strip_prefix("data/") {
                Some(secret) => (!secret.starts_with("data/")).then(|| format!("{mount}/{secret}")),
                None => Some(format!("{mount}/data/{below}")),
            }
        };
        if self.mounts.is_empty() {
            path.match_indices('/').filter_map(|(at, _)| other(path.get(..at)?)).collect()
        } else {
            named
                .filter(|(_, version)| *version == KvVersion::Two)
                .filter_map(|(mount, _)| other(mount))
                .collect()
        }
    }
}

/// How to log in to Vault.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum VaultAuth {
    /// With a role id and a secret id.
    AppRole {
        /// Where the method is mounted; by default at `approle`.
        #[serde(default)]
        mount: Option<String>,
        /// The role id, which is not secret.
        role_id: String,
        /// The file that holds the secret id.
        secret_id_file: PathBuf,
    },
    /// With the token of a service account.
    Kubernetes {
        /// Where the method is mounted; by default at `kubernetes`.
        #[serde(default)]
        mount: Option<String>,
        /// The role.
        role: String,
        /// The file that holds the service account's token; by default the one of the pod.
        #[serde(default)]
        token_file: Option<PathBuf>,
    },
    /// With a token that something else keeps fresh, such as Vault Agent.
    Token {
        /// The file that holds it.
        file: PathBuf,
    },
}

impl VaultAuth {
    /// The file with the credential, where the operator names one.
    #[must_use]
    pub const fn file(&self) -> Option<&PathBuf> {
        match self {
            Self::AppRole { secret_id_file: file, .. } | Self::Token { file } => Some(file),
            Self::Kubernetes { token_file, .. } => token_file.as_ref(),
        }
    }
}

/// A version of Vault's key-value engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u8")]
pub enum KvVersion {
    /// Without versions of secrets.
    One,
    /// With them.
    Two,
}

impl TryFrom<u8> for KvVersion {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        match number {
            1 => Ok(Self::One),
            2 => Ok(Self::Two),
            _ => Err("a version of the KV engine is 1 or 2"),
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
    fn where_no_mount_is_named_any_may_be_meant() {
        let open = settings(&[]);
        assert_eq!(open.other_spellings("a/data/b"), ["a/b", "a/data/data/b"]);
        assert_eq!(open.other_spellings("a/b/c"), ["a/data/b/c", "a/b/data/c"]);
        assert_eq!(open.other_spellings("a"), [""; 0]);
    }
}
