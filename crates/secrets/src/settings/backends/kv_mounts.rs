//! The KV mounts of a Vault whose paths a backend has to write out itself.
//!
//! The path of the API differs between the versions of the engine. Where the version is not known, a path is taken only if it
//! is right for both: never a path that may mean another secret.

use std::collections::BTreeMap;

use crate::settings::KvVersion;
use crate::values::kv_path;

/// The mounts that the app file names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KvMounts {
    /// Without slashes at their ends.
    by_path: BTreeMap<String, KvVersion>,
    /// The version of all others.
    other: Option<KvVersion>,
}

impl KvMounts {
    /// Returns the mounts of these settings; slashes at their ends do not count.
    ///
    /// # Errors
    /// The first name that cannot be that of a mount.
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

    /// Returns the path of the API, without `v1/`, of the secret that a reference's path means.
    ///
    /// Of several mounts that hold the path the longest one serves it. `None` where the version of its mount is not known and
    /// the path does not say.
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
            // Right for either version, where the mount is the first segment.
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
    fn r10_paths_of_the_api() {
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
    fn names_that_are_no_mounts_are_refused() {
        for name in ["", "/", "a//b", "a/../b", ".", " "] {
            let named = BTreeMap::from([(name.to_owned(), Two)]);
            assert_eq!(KvMounts::new(&named, None), Err(name.to_owned()));
        }
    }
}
