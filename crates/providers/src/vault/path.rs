//! Converts placeholders to request paths.
//!
//! Every segment is percent-encoded as a whole, so it cannot end the path, climb, or be decoded into anything else. A request
//! always consists of a KV mount, from the operator or the server, and a path below it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::settings_error::VaultSettingsError;
use crate::ProviderError;
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::values::kv_path;
use sealwave_secrets::values::kv_path::KvVersion;

/// All characters except RFC 3986's unreserved ones.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// First segments that are not KV mounts; `cubbyhole` and `identity` belong to the token itself.
const RESERVED: [&str; 4] = ["auth", "cubbyhole", "identity", "sys"];

/// The longest path in bytes; no server accepts longer ones.
const MAX_PATH: usize = 1024;

/// Returns the path and the version of a reference.
///
/// # Errors
/// The reference cannot be a secret in a KV mount.
pub(super) fn check_reference(reference: &SecretReference) -> Result<(&str, Option<&str>), ProviderError> {
    let path = reference.path.as_str();
    if let Some(why) = path_problem(path) {
        return Err(ProviderError::invalid(
            format!("the path {why}"),
            "write the mount and the path below it, for example `secret/shop/db`",
        ));
    }
    let first = path.split('/').next().unwrap_or_default();
    if RESERVED.contains(&first) {
        return Err(ProviderError::denied(
            format!("`{first}/` contains no readable secrets"),
            "a path starts with the name of a KV mount, for example `secret/shop/db`",
        ));
    }
    let version = reference.version.as_deref();
    if version.is_some_and(|version| !is_version(version)) {
        return Err(ProviderError::invalid(
            "the version is not a positive number",
            "write the version that `vault kv metadata get` shows, or omit it to get the latest",
        ));
    }
    Ok((path, version))
}

/// Returns the problem of a malformed path.
pub(super) fn path_problem(path: &str) -> Option<&'static str> {
    if path.len() > MAX_PATH {
        Some("is too long")
    } else if path.starts_with('/') {
        Some("starts with `/`")
    } else if path.contains(['?', '#', '\\']) || path.chars().any(char::is_control) {
        Some("contains `?`, `#`, a backslash or a control character")
    } else if path.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        Some("has a segment that is empty, `.` or `..`")
    } else {
        None
    }
}

fn is_version(text: &str) -> bool {
    text.len() <= 9
        && !text.starts_with('0')
        && !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Percent-encodes the segments of a literal path.
pub(super) fn encode(path: &str) -> String {
    path.split('/')
        .map(|segment| utf8_percent_encode(segment, ENCODED).to_string())
        .collect::<Vec<_>>()
        .join("/")
}

/// A mount of the key-value engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KvMount {
    /// The path without surrounding slashes.
    path: String,
    version: KvVersion,
}

impl KvMount {
    /// Creates a mount from its path, with or without surrounding slashes.
    ///
    /// # Errors
    /// The path cannot be a KV mount.
    pub(super) fn new(path: &str, version: KvVersion) -> Result<Self, VaultSettingsError> {
        let path = path.trim_matches('/');
        if path_problem(path).is_some() || RESERVED.contains(&path.split('/').next().unwrap_or_default()) {
            return Err(VaultSettingsError::BadMount);
        }
        Ok(Self { path: path.to_owned(), version })
    }

    /// Returns the mount's precedence: of two mounts that contain a path, the longer one serves it.
    pub(super) const fn depth(&self) -> usize {
        self.path.len()
    }

    /// Returns the part of a path below this mount, or `None` if the path is elsewhere.
    pub(super) fn below<'p>(&self, path: &'p str) -> Option<&'p str> {
        kv_path::below_mount(&self.path, path)
    }
}

/// A GET request for a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SecretRequest {
    /// The literal API path without `v1/`, as policies use it.
    pub(super) path: String,
    pub(super) version: Option<String>,
    /// Whether the response is wrapped as in version 2 of the engine.
    pub(super) versioned: bool,
}

impl SecretRequest {
    /// Creates the request for a path and a version.
    ///
    /// # Errors
    /// The mount does not support versions.
    pub(super) fn new(mount: &KvMount, path: &str, version: Option<&str>) -> Result<Self, ProviderError> {
        let below = mount.below(path).unwrap_or(path);
        match mount.version {
            KvVersion::One if version.is_some() => Err(ProviderError::invalid(
                format!("`{}` is version 1 of the KV engine, which has no versions", mount.path),
                "omit the version",
            )),
            kind => Ok(Self {
                path: kv_path::api_path(&mount.path, kind, below),
                version: version.map(str::to_owned),
                versioned: kind == KvVersion::Two,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(path: &str, version: Option<&str>) -> SecretReference {
        SecretReference {
            provider: "vault".into(),
            path: path.to_owned(),
            key: None,
            version: version.map(str::to_owned),
            all_keys: false,
        }
    }

    #[test]
    fn both_spellings_are_the_same_request() {
        let mount = KvMount::new("/secret/", KvVersion::Two).expect("a mount");
        let request = |path| SecretRequest::new(&mount, path, Some("2")).expect("a request");
        assert_eq!(request("secret/db"), request("secret/data/db"));
        assert_eq!(request("secret/db").path, "secret/data/db");
        assert_eq!(request("secret/data").path, "secret/data/data");
        assert_eq!(request("secret/data/data/db").path, "secret/data/data/db");
    }

    #[test]
    fn version_1_paths_are_used_as_written() {
        let mount = KvMount::new("team/kv", KvVersion::One).expect("a mount");
        let request = SecretRequest::new(&mount, "team/kv/data/db", None).expect("a request");
        assert_eq!((request.path.as_str(), request.versioned), ("team/kv/data/db", false));
        assert!(matches!(
            SecretRequest::new(&mount, "team/kv/db", Some("1")),
            Err(ProviderError::Invalid { .. })
        ));
    }

    #[test]
    fn segments_are_encoded_as_a_whole() {
        assert_eq!(encode("a b/%2e%2e/ä;=/~._-"), "a%20b/%252e%252e/%C3%A4%3B%3D/~._-");
    }

    #[test]
    fn hostile_paths_are_refused() {
        for path in [
            "",
            "/secret/a",
            "secret//a",
            "secret/a/",
            "secret/./a",
            "secret/../sys/a",
            "..",
            "secret/a?b=c",
            "secret/a#b",
            "secret\\a",
            "secret/a\n",
            "secret/\u{85}a",
        ] {
            assert!(
                matches!(check_reference(&reference(path, None)), Err(ProviderError::Invalid { .. })),
                "{path}"
            );
        }
        for path in ["sys/health", "auth/token/lookup-self", "identity/oidc/token/x", "cubbyhole/a", "sys"] {
            assert!(
                matches!(check_reference(&reference(path, None)), Err(ProviderError::Denied { .. })),
                "{path}"
            );
        }
        for version in ["0", "01", "-1", "1.0", "latest", "9999999999", "", " 1", "١"] {
            assert!(check_reference(&reference("secret/a", Some(version))).is_err(), "{version}");
        }
        assert_eq!(check_reference(&reference("secret/a", Some("12"))), Ok(("secret/a", Some("12"))));
        assert!(check_reference(&reference(&format!("secret/{}", "a".repeat(MAX_PATH)), None)).is_err());
    }

    #[test]
    fn mounts_match_whole_segments() {
        let mount = KvMount::new("secret", KvVersion::Two).expect("a mount");
        assert_eq!(mount.below("secret/a/b"), Some("a/b"));
        for path in ["secret", "secrets/a", "Secret/a", "a/secret/b"] {
            assert_eq!(mount.below(path), None, "{path}");
        }
        for name in ["", "/", "sys", "auth/x", "a//b", "a/../b"] {
            assert!(KvMount::new(name, KvVersion::One).is_err(), "{name}");
        }
    }
}
