//! Paths of secrets in Vault's KV mounts: the mount of a path, and the secret's API path. No I/O.
//!
//! Everything that deals with Vault secrets uses this module (the provider, `ExternalSecret`, `SecretProviderClass`),
//! so that a reference means the same secret everywhere.

use schemars::JsonSchema;
use serde::Deserialize;

/// A version of Vault's key-value engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "u8")]
#[schemars(extend("enum" = [1, 2]))]
pub enum KvVersion {
    /// Version 1, without versions of secrets.
    One,
    /// Version 2, with versions of secrets.
    Two,
}

impl TryFrom<u8> for KvVersion {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        match number {
            1 => Ok(Self::One),
            2 => Ok(Self::Two),
            _ => Err("the KV engine version must be 1 or 2"),
        }
    }
}

/// Returns the part of a path below a mount; `None` if the path is elsewhere.
#[must_use]
pub fn below_mount<'p>(mount: &str, path: &'p str) -> Option<&'p str> {
    path.strip_prefix(mount)?.strip_prefix('/').filter(|below| !below.is_empty())
}

/// Returns the name of a secret within its mount. In version 2 of the engine, `db` and `data/db` are the same secret; a
/// secret named `data/db` is written `data/data/db`.
#[must_use]
pub fn secret_name(version: KvVersion, below: &str) -> &str {
    match version {
        KvVersion::One => below,
        KvVersion::Two => below.strip_prefix("data/").unwrap_or(below),
    }
}

/// Returns the API path, without `v1/`, for reading a secret of a mount.
#[must_use]
pub fn api_path(mount: &str, version: KvVersion, below: &str) -> String {
    let name = secret_name(version, below);
    match version {
        KvVersion::One => format!("{mount}/{name}"),
        KvVersion::Two => format!("{mount}/data/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_one_path_in_version_2_only() {
        for (below, two, one) in [
            ("db", "kv/data/db", "kv/db"),
            ("data/db", "kv/data/db", "kv/data/db"),
            ("data/data/db", "kv/data/data/db", "kv/data/data/db"),
            ("data", "kv/data/data", "kv/data"),
            ("a/data/b", "kv/data/a/data/b", "kv/a/data/b"),
        ] {
            assert_eq!(api_path("kv", KvVersion::Two, below), two, "{below}");
            assert_eq!(api_path("kv", KvVersion::One, below), one, "{below}");
        }
    }

    #[test]
    fn mounts_match_whole_segments() {
        assert_eq!(below_mount("team/kv", "team/kv/a/b"), Some("a/b"));
        for path in ["team/kv", "team/kv/", "team/kvs/a", "Team/kv/a", "a/team/kv/b"] {
            assert_eq!(below_mount("team/kv", path), None, "{path}");
        }
    }
}
