//! The API server's rules for typed Secrets, checked while the values are available. Otherwise the API server would reject
//! the controller's Secret later, in the cluster, and the old Secret would remain.
//!
//! Values are read but never stored, and messages never contain them.

use sealwave_core::diagnostic::{Explain, Note, Problem, ProblemKind};
use sealwave_core::document::{Manifest, Node, Origin};
use sealwave_core::time::Date;
use sealwave_kube::secret_type::{
    RequiredItems, SERVICE_ACCOUNT_NAME, SERVICE_ACCOUNT_TOKEN, SSH_KEY, SecretTypeError, TLS,
    TLS_CERTIFICATE, TLS_KEY, is_json_object, json_item, required_items,
};
use sealwave_secrets::crypto::{EXPIRED_CERTIFICATE, last_day_of_certificate, tls_fault, tls_pair};
use sealwave_secrets::values::SecretValue;

/// The hint for JSON that is not valid once its placeholders are replaced.
const JSON_HINT: &str = "write each value within JSON with the modifier `json` and without quotes around it; a value that is \
                         base64 of JSON needs `base64decode`";

/// A certificate and a key that servers cannot use.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct TlsError {
    message: &'static str,
    hint: &'static str,
}

impl TlsError {
    const fn new((message, hint): (&'static str, &'static str)) -> Self {
        Self { message, hint }
    }
}

impl Explain for TlsError {
    fn hint(&self) -> Option<String> {
        Some(self.hint.to_owned())
    }

    fn problem_kind(&self) -> Option<ProblemKind> {
        Some(ProblemKind::TlsPair)
    }
}

/// An item of a typed Secret.
#[derive(Clone, Copy)]
pub(super) struct TypedItem<'a> {
    /// The item's key.
    pub(super) key: &'a str,
    /// The location of its value.
    pub(super) origin: Origin,
    /// Its value, if it is known.
    pub(super) value: Option<&'a SecretValue>,
}

/// The items of a typed Secret.
#[derive(Clone, Copy, Default)]
pub(super) struct TypedItems<'a> {
    /// Items with known keys.
    pub(super) known: &'a [TypedItem<'a>],
    /// Whether there are more items, whose keys are known only after fetching.
    pub(super) has_unknown: bool,
}

/// Finds errors that the API server would report for a typed Secret, and pairs that cannot work. An expired certificate is
/// only a note, since the output must not depend on the date.
pub(super) fn problems(
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
        let error = SecretTypeError::NotJson { secret_type: type_name(), key };
        found.push(Problem { hint: Some(JSON_HINT.to_owned()), ..Problem::at(origin, &error) });
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
            let error = tls_pair(certificate, key).message().map(TlsError::new);
            found.extend(error.map(|error| Problem::at(at_key, &error)));
            if let Some(fault) = tls_fault(certificate, key) {
                let at = if fault.concerns_key() { at_key } else { at_certificate };
                notes.push(Note::warning(Problem::at(at, &TlsError::new(fault.message()))));
            }
        }
        if matches!((last_day_of_certificate(certificate), today), (Some(end), Some(today)) if end < today) {
            notes.push(Note::warning(Problem::at(at_certificate, &TlsError::new(EXPIRED_CERTIFICATE))));
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
