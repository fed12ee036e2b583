//! The types of Secrets defined by Kubernetes, and the API server's requirements for each.

use sealwave_core::diagnostic::{Explain, ProblemKind};
use sealwave_core::text::quoted_list;
use serde::de::IgnoredAny;

/// The item of a `kubernetes.io/dockercfg` Secret.
pub(crate) const DOCKERCFG: &str = ".dockercfg";
/// The item of a `kubernetes.io/dockerconfigjson` Secret.
pub const DOCKERCONFIGJSON: &str = ".dockerconfigjson";
/// The annotation of a `kubernetes.io/service-account-token` Secret that names the account.
pub const SERVICE_ACCOUNT_NAME: &str = "kubernetes.io/service-account.name";
/// The type of such a Secret.
pub const SERVICE_ACCOUNT_TOKEN: &str = "kubernetes.io/service-account-token";
/// The item of a `kubernetes.io/ssh-auth` Secret; the API server refuses an empty one.
pub const SSH_KEY: &str = "ssh-privatekey";
/// The type of a Secret with a certificate and its key.
pub const TLS: &str = "kubernetes.io/tls";
/// The item with the certificate.
pub const TLS_CERTIFICATE: &str = "tls.crt";
/// The item with its private key.
pub const TLS_KEY: &str = "tls.key";

/// The items that a type requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequiredItems {
    /// All of them; they may be empty.
    All(&'static [&'static str]),
    /// At least one of them.
    OneOf(&'static [&'static str]),
}

/// An error that the API server reports for a typed Secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretTypeError {
    /// A token without a service account.
    #[error("a Secret of type `{SERVICE_ACCOUNT_TOKEN}` needs the annotation `{SERVICE_ACCOUNT_NAME}`")]
    Account,
    /// An empty item.
    #[error("item `{key}` of a Secret of type `{secret_type}` is empty")]
    Empty {
        /// The type of the Secret.
        secret_type: String,
        /// The key of the item.
        key: &'static str,
    },
    /// A missing item.
    #[error("a Secret of type `{secret_type}` needs an item `{key}`")]
    Missing {
        /// The type of the Secret.
        secret_type: String,
        /// The key of the item.
        key: &'static str,
    },
    /// None of several items is present.
    #[error("a Secret of type `{secret_type}` needs one of {}", quoted_list(.keys))]
    MissingAll {
        /// The type of the Secret.
        secret_type: String,
        /// The keys of the items.
        keys: &'static [&'static str],
    },
    /// An item that is not valid for the type.
    #[error("item `{key}` of a Secret of type `{secret_type}` is not a JSON object")]
    NotJson {
        /// The type of the Secret.
        secret_type: String,
        /// The key of the item.
        key: &'static str,
    },
}

impl Explain for SecretTypeError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Account => "set it to the service account whose token the Secret contains".to_owned(),
            Self::Empty { .. } => "check the value at its source".to_owned(),
            Self::Missing { key, .. } => format!("add `{key}`, or omit `type`"),
            Self::MissingAll { keys, .. } => format!("add one of {}, or omit `type`", quoted_list(keys)),
            Self::NotJson { .. } => {
                "it looks like `{\"auths\": {\"registry.example.com\": {\"auth\": \"…\"}}}`".to_owned()
            }
        })
    }

    fn problem_kind(&self) -> Option<ProblemKind> {
        Some(ProblemKind::TypeKeys)
    }
}

/// Returns the items that the API server requires for a type of Secret.
#[must_use]
pub fn required_items(secret_type: &str) -> Option<RequiredItems> {
    Some(match secret_type {
        "kubernetes.io/basic-auth" => RequiredItems::OneOf(&["password", "username"]),
        "kubernetes.io/dockercfg" => RequiredItems::All(&[DOCKERCFG]),
        "kubernetes.io/dockerconfigjson" => RequiredItems::All(&[DOCKERCONFIGJSON]),
        "kubernetes.io/ssh-auth" => RequiredItems::All(&[SSH_KEY]),
        TLS => RequiredItems::All(&[TLS_CERTIFICATE, TLS_KEY]),
        _ => return None,
    })
}

/// Returns the item of a type that must contain a JSON object.
#[must_use]
pub fn json_item(secret_type: &str) -> Option<&'static str> {
    match secret_type {
        "kubernetes.io/dockercfg" => Some(DOCKERCFG),
        "kubernetes.io/dockerconfigjson" => Some(DOCKERCONFIGJSON),
        _ => None,
    }
}

/// Reports whether Go can unmarshal a text into a map: a JSON object, or `null`. Nothing of the text is kept.
#[must_use]
pub fn is_json_object(text: &[u8]) -> bool {
    let first = text.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    matches!(first, Some(b'n' | b'{')) && serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_accepted_like_in_go() {
        for text in ["{}", " \n{\"auths\": {}}\n", "null", "{\"a\": 1, \"a\": 2}", "{\"a\": \"\\ud800\"}"] {
            assert!(is_json_object(text.as_bytes()), "{text}");
        }
        assert!(is_json_object(b"{\"a\": \"\xff\"}"), "Go replaces invalid UTF-8");
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
        assert!(is_json_object(deep.as_bytes()));
        for text in [
            "",
            " ",
            "[]",
            "\"{}\"",
            "{} x",
            "{\"a\": \"b\"c\"}",
            "eyJhIjogMX0=",
            "\u{feff}{}",
            "true",
            "nul",
            "{'a': 1}",
        ] {
            assert!(!is_json_object(text.as_bytes()), "{text}");
        }
    }
}
