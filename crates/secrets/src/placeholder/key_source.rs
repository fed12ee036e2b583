//! A secret whose keys become items of a Secret, and the selection of keys. No I/O.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::SecretReference;
use sealwave_core::document::Origin;
use sealwave_core::names::MAX_ITEM_KEY;

/// One secret of `sealwave.dev/string-data-from`.
#[derive(Clone)]
pub struct KeySource {
    /// The secret; `all_keys` is set.
    pub reference: SecretReference,
    /// Origin of the annotation's value.
    pub origin: Origin,
    /// Patterns of selected keys; if empty, all keys.
    pub include: KeyPatterns,
    /// Patterns of excluded keys.
    pub exclude: KeyPatterns,
    /// Prefix of the item's key, before the key of the secret.
    pub prefix: String,
}

/// Patterns for the keys of a secret: `*` is any text, `?` one character.
///
/// Nothing else is supported, so that the cost of a pattern is bounded by its length and that of the key.
#[derive(Clone, Default)]
pub struct KeyPatterns {
    set: GlobSet,
    texts: Vec<String>,
}

impl KeyPatterns {
    /// Compiles patterns.
    ///
    /// # Errors
    /// Returns the first pattern that contains anything but characters of item keys, `*` and `?`.
    pub fn new(texts: Vec<String>) -> Result<Self, String> {
        let mut set = GlobSetBuilder::new();
        for text in &texts {
            let is_allowed =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'*' | b'?');
            let is_valid = (1..=MAX_ITEM_KEY).contains(&text.len()) && text.bytes().all(is_allowed);
            let glob = GlobBuilder::new(text).literal_separator(false).build();
            set.add(glob.ok().filter(|_| is_valid).ok_or_else(|| text.clone())?);
        }
        let set = set.build().map_err(|_| texts.first().cloned().unwrap_or_default())?;
        Ok(Self { set, texts })
    }

    /// Reports whether the list of patterns is empty.
    pub(crate) fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Reports whether a pattern matches the key.
    pub(crate) fn matches(&self, key: &str) -> bool {
        self.set.is_match(key)
    }

    /// Returns the patterns that match none of these keys.
    pub fn unmatched<'k>(&self, keys: impl Iterator<Item = &'k str>) -> impl Iterator<Item = &str> {
        let mut seen = vec![false; self.texts.len()];
        for key in keys {
            for index in self.set.matches(key) {
                if let Some(seen) = seen.get_mut(index) {
                    *seen = true;
                }
            }
        }
        self.texts.iter().zip(seen).filter(|(_, seen)| !seen).map(|(text, _)| text.as_str())
    }
}

impl KeySource {
    /// Reports whether a key of the secret becomes an item.
    #[must_use]
    pub fn selects(&self, key: &str) -> bool {
        (self.include.is_empty() || self.include.matches(key)) && !self.exclude.matches(key)
    }

    /// Reports whether every key of the secret becomes an item.
    #[must_use]
    pub fn selects_all(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// Returns the derivation input of an item that comes from a key, before anything is fetched: reference and key,
    /// each length-prefixed. It differs from the text of every explicit item, as the derivation requires.
    pub fn unresolved(&self, key: &str) -> Vec<u8> {
        let SecretReference { provider, path, version, .. } = &self.reference;
        let version = version.as_ref().map_or_else(Vec::new, |version| vec![version.as_str()]);
        let mut out = b"\0sealwave.dev/string-data-from/v1".to_vec();
        for part in [provider.as_str(), path, key].into_iter().chain(version) {
            out.extend((part.len() as u64).to_be_bytes());
            out.extend(part.as_bytes());
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(texts: &[&str]) -> Result<KeyPatterns, String> {
        KeyPatterns::new(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn patterns_match_whole_keys() {
        let set = patterns(&["DB_*", "a.b", "x?z"]).unwrap();
        for key in ["DB_", "DB_HOST", "a.b", "xyz", "DB_a/b\n"] {
            assert!(set.matches(key), "{key}");
        }
        for key in ["db_host", "XDB_", "a-b", "aXb", "xz", "xyyz", ""] {
            assert!(!set.matches(key), "{key}");
        }
        assert!(!KeyPatterns::default().matches("a"));
        assert_eq!(set.unmatched(["a.b", "DB_X"].into_iter()).collect::<Vec<_>>(), ["x?z"]);
    }

    #[test]
    fn hostile_patterns_are_refused_or_cheap() {
        for text in ["", "{a,b}", "[a-z]", "a/b", "a\\*", "a b", "ä", "a\n", "\0", &"*".repeat(254)] {
            assert!(patterns(&[text]).is_err(), "{text}");
        }
        let slow: Vec<String> = (0..64).map(|n| format!("{}{n}", "a*".repeat(125))).collect();
        let set = KeyPatterns::new(slow).unwrap();
        let started = std::time::Instant::now();
        for _ in 0..200 {
            assert!(!set.matches(&"a".repeat(250)));
        }
        assert!(started.elapsed() < std::time::Duration::from_secs(20), "{:?}", started.elapsed());
    }

    #[test]
    fn unresolved_texts_are_injective() {
        let source = |provider: &str, path: &str, version: Option<&str>| KeySource {
            reference: SecretReference {
                provider: provider.into(),
                path: path.to_owned(),
                key: None,
                version: version.map(str::to_owned),
                all_keys: true,
            },
            origin: sealwave_core::document::Origin::whole(
                sealwave_core::document::Sources::default().add("a"),
            ),
            include: KeyPatterns::default(),
            exclude: KeyPatterns::default(),
            prefix: String::new(),
        };
        let all = [
            source("vault", "a", None).unresolved("k"),
            source("vault", "a", None).unresolved("k2"),
            source("vault", "ak", None).unresolved(""),
            source("vaulta", "", None).unresolved("k"),
            source("vault", "a", Some("2")).unresolved("k"),
            source("vault", "a", Some("")).unresolved("k"),
        ];
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }
}
