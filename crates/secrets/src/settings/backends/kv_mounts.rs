//! The KV mounts of a Vault server, for backends that write complete API paths.
//!
//! The API path differs between the versions of the engine. If the version is unknown, a path is accepted only if it is
//! right for both: a path must never mean another secret.

use std::collections::BTreeMap;

use crate::settings::KvVersion;
use crate::values::kv_path;

/// The mounts that the app file lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KvMounts {
    /// Without leading and trailing slashes.
    by_path: BTreeMap<String, KvVersion>,
    /// The version of all other mounts.
    other: Option<KvVersion>,
}

impl KvMounts {
    /// Creates the mounts from these settings; leading and trailing slashes are ignored.
    ///
    /// # Errors
    /// Returns the first name that is not a valid mount name.
    pub(super) fn new(
        mounts: &BTreeMap<String, KvVersion>,
        other: Option<KvVersion>,
    ) -> Result<Self, String> {
        let mut by_path = BTreeMap::new();
        for (name, version) in mounts {
            let path = name.trim_matches('/');
            if path.split('/').any(|segment| matches!(segment.trim(), "" | "." | "..")) {
                return Err(name.clone());
            }
            by_path.insert(path.to_owned(), *version);
        }
        Ok(Self { by_path, other })
    }

    /// Returns the API path, without `v1/`, of the secret that a reference's path means.
    ///
    /// The longest mount that contains the path is used. Returns `None` if the version of the mount is unknown and the
    /// path does not show it.
    #[must_use]
    pub fn api_path(&self, path: &str) -> Option<String> {
        let holding = self.by_path.iter().filter_map(|(mount, version)| {
            kv_path::below_mount(mount, path).map(|below| (mount.as_str(), *version, below))
        });
        if let Some((mount, version, below)) = holding.max_by_key(|(mount, ..)| mount.len()) {
            return Some(kv_path::api_path(mount, version, below));
        }
        let (mount, below) = path.split_once('/').filter(|(_, below)| !below.is_empty())?;
        match self.other {
            Some(version) => Some(kv_path::api_path(mount, version, below)),
            // Right for both versions if the mount is the first segment.
            None => below.strip_prefix("data/").filter(|name| !name.is_empty()).map(|_| path.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use KvVersion::{One, Two};

    fn mounts(named: &[(&str, KvVersion)], other: Option<KvVersion>) -> KvMounts {
        let named = named.iter().map(|(mount, version)| ((*mount).to_owned(), *version)).collect();
        KvMounts::new(&named, other).expect("mounts")
    }

    #[test]
    fn r10_api_paths() {
        let unknown = mounts(&[], None);
        let two = mounts(&[], Some(Two));
        let one = mounts(&[], Some(One));
        let named = mounts(&[("secret/", Two), ("/team/kv", Two), ("team", One), ("legacy", One)], None);
        for (mounts, path, expected) in [
            (&unknown, "secret/app", None),
            (&unknown, "secret/data/app", Some("secret/data/app")),
            (&unknown, "secret/data/data/odd", Some("secret/data/data/odd")),
            (&unknown, "secret/data", None),
            (&unknown, "secret/data/", None),
            (&unknown, "team/kv/data/app", None),
            (&unknown, "secret", None),
            (&two, "secret/app", Some("secret/data/app")),
            (&two, "secret/data/app", Some("secret/data/app")),
            (&two, "secret/data/data/odd", Some("secret/data/data/odd")),
            (&two, "secret/data", Some("secret/data/data")),
            (&two, "secret/shop/data/x", Some("secret/data/shop/data/x")),
            (&one, "secret/app", Some("secret/app")),
            (&one, "secret/data/app", Some("secret/data/app")),
            (&named, "secret/app", Some("secret/data/app")),
            (&named, "team/kv/app", Some("team/kv/data/app")),
            (&named, "team/kv/data/app", Some("team/kv/data/app")),
            (&named, "team/kv", Some("team/kv")),
            (&named, "team/other", Some("team/other")),
            (&named, "team/data/other", Some("team/data/other")),
            (&named, "legacy/data/app", Some("legacy/data/app")),
            (&named, "else/app", None),
            (&named, "else/data/app", Some("else/data/app")),
        ] {
            assert_eq!(mounts.api_path(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn invalid_mount_names_are_refused() {
        for name in ["", "/", "a//b", "a/../b", ".", " "] {
            let named = BTreeMap::from([(name.to_owned(), Two)]);
            assert_eq!(KvMounts::new(&named, None), Err(name.to_owned()));
        }
    }
}
