//! The API server's rules for typed Secrets, checked while the values are at hand. The controller that makes the Secret
//! would be refused later, in the cluster, and the old Secret would stay.
//!
//! Values are looked at and never kept; no message holds anything of them.

use super::sealed_secrets::ItemShape;
use sealwave_core::diagnostic::{Explain, Note, Problem};
use sealwave_core::document::{Manifest, Node};
use sealwave_core::time::Date;
use sealwave_kube::secret_type::{
    RequiredItems, SERVICE_ACCOUNT_NAME, SERVICE_ACCOUNT_TOKEN, SSH_KEY, TLS, TLS_CERTIFICATE, TLS_KEY,
    is_json_object, json_item, required_items,
};
use sealwave_secrets::crypto::{TlsFault, TlsPair, last_day_of_certificate, tls_fault, tls_pair};
use sealwave_secrets::placeholder::list;

/// Why a typed Secret would be refused, or could not work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum SecretTypeError {
    /// A token of no account.
    #[error("a Secret of type `{SERVICE_ACCOUNT_TOKEN}` needs the annotation `{SERVICE_ACCOUNT_NAME}`")]
    Account,
    /// An item that must not be empty.
    #[error("item `{key}` of a Secret of type `{secret_type}` is empty")]
    Empty { secret_type: String, key: &'static str },
    /// An item that is missing.
    #[error("a Secret of type `{secret_type}` needs an item `{key}`")]
    Missing { secret_type: String, key: &'static str },
    /// None of several items.
    #[error("a Secret of type `{secret_type}` needs one of {}", list(.keys))]
    MissingAll { secret_type: String, keys: &'static [&'static str] },
    /// An item that cannot be read as the type wants it.
    #[error("item `{key}` of a Secret of type `{secret_type}` is not a JSON object")]
    NotJson { secret_type: String, key: &'static str },
    /// The key is that of another certificate in the same item.
    #[error(
        "`{TLS_KEY}` belongs to a later certificate of `{TLS_CERTIFICATE}`, and servers present the first one"
    )]
    PairOrder,
    /// The key is that of another certificate.
    #[error("`{TLS_KEY}` is not the private key of the certificate in `{TLS_CERTIFICATE}`")]
    Pair,
}

impl Explain for SecretTypeError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Account => "name the service account whose token the Secret is to hold".to_owned(),
            Self::Empty { .. } => "check the value at its source".to_owned(),
            Self::Missing { key, .. } => format!("add `{key}`, or leave `type` out"),
            Self::MissingAll { keys, .. } => format!("add one of {}, or leave `type` out", list(keys)),
            Self::NotJson { .. } => "write each value within JSON with the modifier `json` and without quotes around it; a value that is \
                 base64 of JSON needs `base64decode`"
                .to_owned(),
            Self::PairOrder => {
                format!("put the certificate of `{TLS_KEY}` first, and those that signed it after it")
            }
            Self::Pair => "take both items from the same version of the same pair".to_owned(),
        })
    }

    fn rule(&self) -> Option<&'static str> {
        Some(match self {
            Self::Pair | Self::PairOrder => "secret/tls-pair",
            _ => "secret/type-keys",
        })
    }
}

/// The certificate of a TLS Secret is of the past.
#[derive(Debug, thiserror::Error)]
#[error("the certificate in `{TLS_CERTIFICATE}` has expired")]
struct ExpiredCertificate;

impl Explain for ExpiredCertificate {
    fn hint(&self) -> Option<String> {
        Some("renew it at its source".to_owned())
    }

    fn rule(&self) -> Option<&'static str> {
        Some("secret/tls-pair")
    }
}

/// A server cannot read one of the two files.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message().0)]
struct UselessFile(TlsFault);

impl Explain for UselessFile {
    fn hint(&self) -> Option<String> {
        Some(self.0.message().1.to_owned())
    }

    fn rule(&self) -> Option<&'static str> {
        Some("secret/tls-pair")
    }
}

/// The items of a typed Secret.
#[derive(Clone, Copy, Default)]
pub(crate) struct TypedItems<'a> {
    /// Those whose keys are known.
    pub(crate) known: &'a [ItemShape<'a>],
    /// Whether there are others, whose keys are known only where the secret is read.
    pub(crate) more: bool,
}

/// Returns what the API server would refuse about a typed Secret, and pairs that cannot work. Whether a certificate has
/// expired becomes a note, since an output must not depend on the date.
pub(crate) fn problems(
    secret: &Manifest,
    items: TypedItems<'_>,
    today: Option<Date>,
    notes: &mut Vec<Note>,
) -> Vec<Problem> {
    let Some(node) = secret.root().get("type") else { return Vec::new() };
    let Some(secret_type) = node.as_str() else { return Vec::new() };
    let mut found = missing(secret, node, items);
    let value = |key: &str| {
        let item = items.known.iter().find(|item| item.key == key)?;
        Some((item.origin, item.value?.expose()))
    };
    let named = || secret_type.to_owned();
    if let Some(key) = json_item(secret_type)
        && let Some((origin, text)) = value(key)
        && !is_json_object(text)
    {
        found.push(Problem::at(origin, &SecretTypeError::NotJson { secret_type: named(), key }));
    }
    if required_items(secret_type) == Some(RequiredItems::All(&[SSH_KEY]))
        && let Some((origin, [])) = value(SSH_KEY)
    {
        found.push(Problem::at(origin, &SecretTypeError::Empty { secret_type: named(), key: SSH_KEY }));
    }
    if secret_type == TLS
        && let Some((at_certificate, certificate)) = value(TLS_CERTIFICATE)
    {
        if let Some((at_key, key)) = value(TLS_KEY) {
            let error = match tls_pair(certificate, key) {
                TlsPair::Matches | TlsPair::Unknown => None,
                TlsPair::Mismatch => Some(SecretTypeError::Pair),
                TlsPair::NotFirst => Some(SecretTypeError::PairOrder),
            };
            found.extend(error.map(|error| Problem::at(at_key, &error)));
            if let Some(fault) = tls_fault(certificate, key) {
                let at = if fault.is_of_key() { at_key } else { at_certificate };
                notes.push(Note::warning(Problem::at(at, &UselessFile(fault))));
            }
        }
        if matches!((last_day_of_certificate(certificate), today), (Some(end), Some(today)) if end < today) {
            notes.push(Note::warning(Problem::at(at_certificate, &ExpiredCertificate)));
        }
    }
    found
}

/// Returns what is not there at all.
fn missing(secret: &Manifest, node: &Node, items: TypedItems<'_>) -> Vec<Problem> {
    let secret_type = node.as_str().unwrap_or_default();
    let has = |key: &str| items.more || items.known.iter().any(|item| item.key == key);
    let named = || secret_type.to_owned();
    let mut found: Vec<SecretTypeError> = match required_items(secret_type) {
        Some(RequiredItems::All(keys)) => {
            let missing = keys.iter().copied().filter(|key| !has(key));
            missing.map(|key| SecretTypeError::Missing { secret_type: named(), key }).collect()
        }
        Some(RequiredItems::OneOf(keys)) if !keys.iter().any(|key| has(key)) => {
            vec![SecretTypeError::MissingAll { secret_type: named(), keys }]
        }
        Some(RequiredItems::OneOf(_)) | None => Vec::new(),
    };
    if secret_type == SERVICE_ACCOUNT_TOKEN
        && secret.annotation(SERVICE_ACCOUNT_NAME).is_none_or(str::is_empty)
    {
        found.push(SecretTypeError::Account);
    }
    found.iter().map(|error| Problem::at(node.origin, error)).collect()
}
