//! The API server's rules for typed Secrets, checked while the values are available. Otherwise the API server would reject
//! the controller's Secret later, in the cluster, and the old Secret would remain.
//!
//! Values are read but never stored, and messages never contain them.

use super::sealed_secrets::ItemShape;
use sealwave_core::diagnostic::{Explain, Note, Problem, ProblemKind};
use sealwave_core::document::{Manifest, Node};
use sealwave_core::time::Date;
use sealwave_kube::secret_type::{
    RequiredItems, SERVICE_ACCOUNT_NAME, SERVICE_ACCOUNT_TOKEN, SSH_KEY, TLS, TLS_CERTIFICATE, TLS_KEY,
    is_json_object, json_item, required_items,
};
use sealwave_secrets::crypto::{TlsFault, TlsPair, last_day_of_certificate, tls_fault, tls_pair};
use sealwave_secrets::placeholder::quoted_list;

/// An error that the API server would report for a typed Secret, or a pair that cannot work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum SecretTypeError {
    /// A token without a service account.
    #[error("a Secret of type `{SERVICE_ACCOUNT_TOKEN}` needs the annotation `{SERVICE_ACCOUNT_NAME}`")]
    Account,
    /// An empty item.
    #[error("item `{key}` of a Secret of type `{secret_type}` is empty")]
    Empty { secret_type: String, key: &'static str },
    /// A missing item.
    #[error("a Secret of type `{secret_type}` needs an item `{key}`")]
    Missing { secret_type: String, key: &'static str },
    /// None of several items is present.
    #[error("a Secret of type `{secret_type}` needs one of {}", quoted_list(.keys))]
    MissingAll { secret_type: String, keys: &'static [&'static str] },
    /// An item that is not valid for the type.
    #[error("item `{key}` of a Secret of type `{secret_type}` is not a JSON object")]
    NotJson { secret_type: String, key: &'static str },
    /// The key belongs to another certificate in the same item.
    #[error(
        "`{TLS_KEY}` belongs to a later certificate of `{TLS_CERTIFICATE}`, and servers present the first one"
    )]
    PairOrder,
    /// The key belongs to another certificate.
    #[error("`{TLS_KEY}` is not the private key of the certificate in `{TLS_CERTIFICATE}`")]
    Pair,
}

impl Explain for SecretTypeError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Account => "set it to the service account whose token the Secret contains".to_owned(),
            Self::Empty { .. } => "check the value at its source".to_owned(),
            Self::Missing { key, .. } => format!("add `{key}`, or leave `type` out"),
            Self::MissingAll { keys, .. } => format!("add one of {}, or leave `type` out", quoted_list(keys)),
            Self::NotJson { .. } => "write each value within JSON with the modifier `json` and without quotes around it; a value that is \
                 base64 of JSON needs `base64decode`"
                .to_owned(),
            Self::PairOrder => {
                format!("put the certificate of `{TLS_KEY}` first, followed by those that signed it")
            }
            Self::Pair => "take both items from the same version of the same pair".to_owned(),
        })
    }

    fn problem_kind(&self) -> Option<ProblemKind> {
        Some(match self {
            Self::Pair | Self::PairOrder => ProblemKind::TlsPair,
            _ => ProblemKind::TypeKeys,
        })
    }
}

/// A TLS Secret whose certificate has expired.
#[derive(Debug, thiserror::Error)]
#[error("the certificate in `{TLS_CERTIFICATE}` has expired")]
struct ExpiredCertificate;

impl Explain for ExpiredCertificate {
    fn hint(&self) -> Option<String> {
        Some("renew it at its source".to_owned())
    }

    fn problem_kind(&self) -> Option<ProblemKind> {
        Some(ProblemKind::TlsPair)
    }
}

/// A certificate or key that a server cannot read.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message().0)]
struct UnusableTlsFile(TlsFault);

impl Explain for UnusableTlsFile {
    fn hint(&self) -> Option<String> {
        Some(self.0.message().1.to_owned())
    }

    fn problem_kind(&self) -> Option<ProblemKind> {
        Some(ProblemKind::TlsPair)
    }
}

/// The items of a typed Secret.
#[derive(Clone, Copy, Default)]
pub(crate) struct TypedItems<'a> {
    /// Items with known keys.
    pub(crate) known: &'a [ItemShape<'a>],
    /// Whether there are more items, whose keys are known only after fetching.
    pub(crate) has_unknown: bool,
}

/// Finds errors that the API server would report for a typed Secret, and pairs that cannot work. An expired certificate is
/// only a note, since the output must not depend on the date.
pub(crate) fn problems(
    secret: &Manifest,
    items: TypedItems<'_>,
    today: Option<Date>,
    notes: &mut Vec<Note>,
) -> Vec<Problem> {
    let Some(node) = secret.root().get("type") else { return Vec::new() };
    let Some(secret_type) = node.as_str() else { return Vec::new() };
    let mut found = missing_items(secret, node, items);
    let value_of = |key: &str| {
        let item = items.known.iter().find(|item| item.key == key)?;
        Some((item.origin, item.value?.expose()))
    };
    let type_name = || secret_type.to_owned();
    if let Some(key) = json_item(secret_type)
        && let Some((origin, text)) = value_of(key)
        && !is_json_object(text)
    {
        found.push(Problem::at(origin, &SecretTypeError::NotJson { secret_type: type_name(), key }));
    }
    if required_items(secret_type) == Some(RequiredItems::All(&[SSH_KEY]))
        && let Some((origin, [])) = value_of(SSH_KEY)
    {
        found.push(Problem::at(origin, &SecretTypeError::Empty { secret_type: type_name(), key: SSH_KEY }));
    }
    if secret_type == TLS
        && let Some((at_certificate, certificate)) = value_of(TLS_CERTIFICATE)
    {
        if let Some((at_key, key)) = value_of(TLS_KEY) {
            let error = match tls_pair(certificate, key) {
                TlsPair::Matches | TlsPair::Unknown => None,
                TlsPair::Mismatch => Some(SecretTypeError::Pair),
                TlsPair::NotFirst => Some(SecretTypeError::PairOrder),
            };
            found.extend(error.map(|error| Problem::at(at_key, &error)));
            if let Some(fault) = tls_fault(certificate, key) {
                let at = if fault.concerns_key() { at_key } else { at_certificate };
                notes.push(Note::warning(Problem::at(at, &UnusableTlsFile(fault))));
            }
        }
        if matches!((last_day_of_certificate(certificate), today), (Some(end), Some(today)) if end < today) {
            notes.push(Note::warning(Problem::at(at_certificate, &ExpiredCertificate)));
        }
    }
    found
}

/// Finds missing items and annotations.
fn missing_items(secret: &Manifest, node: &Node, items: TypedItems<'_>) -> Vec<Problem> {
    let secret_type = node.as_str().unwrap_or_default();
    let has = |key: &str| items.has_unknown || items.known.iter().any(|item| item.key == key);
    let type_name = || secret_type.to_owned();
    let mut found: Vec<SecretTypeError> = match required_items(secret_type) {
        Some(RequiredItems::All(keys)) => {
            let missing = keys.iter().copied().filter(|key| !has(key));
            missing.map(|key| SecretTypeError::Missing { secret_type: type_name(), key }).collect()
        }
        Some(RequiredItems::OneOf(keys)) if !keys.iter().any(|key| has(key)) => {
            vec![SecretTypeError::MissingAll { secret_type: type_name(), keys }]
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
