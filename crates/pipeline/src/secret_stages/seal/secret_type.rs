//! The API server's rules for typed Secrets, checked while the values are available. Otherwise the API server would reject
//! the controller's Secret later, in the cluster, and the old Secret would remain.
//!
//! Values are read but never stored, and messages never contain them.

use sealwave_core::diagnostic::{Explain, Note, Problem, ProblemKind};
use sealwave_core::document::{Manifest, Node, Origin};
use sealwave_core::time::Date;
use sealwave_kube::secret_type::{
    RequiredItems, SERVICE_ACCOUNT_NAME, SERVICE_ACCOUNT_TOKEN, SSH_KEY, SecretTypeError, TLS,
    is_json_object, json_item, required_items,
};
use sealwave_secrets::crypto::{TlsFiles, TlsItem, TlsProblemKind, tls_problems};
use sealwave_secrets::values::SecretValue;

/// The hint for JSON that is not valid once its placeholders are replaced.
const JSON_HINT: &str = "write each value within JSON with the modifier `json` and without quotes around it; a value that is \
                         base64 of JSON needs `base64decode`";

/// A certificate and a key that servers cannot use.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct TlsError {
    message: String,
    hint: String,
}

impl Explain for TlsError {
    fn hint(&self) -> Option<String> {
        Some(self.hint.clone())
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

/// Finds errors that the API server would report for a typed Secret, and pairs that cannot work. The dates of
/// certificates only become notes, since the output must not depend on today's date.
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
    if secret_type == TLS {
        for (is_error, problem) in tls_pair_problems(value_of, today) {
            if is_error { found.push(problem) } else { notes.push(Note::warning(problem)) }
        }
    }
    found
}

/// Finds problems of a certificate and its key, and tells errors from warnings.
fn tls_pair_problems<'a>(
    value_of: impl Fn(&str) -> Option<(Origin, &'a [u8])>,
    today: Option<Date>,
) -> Vec<(bool, Problem)> {
    let bytes = |item: TlsItem| value_of(item.key()).map(|(_, bytes)| bytes);
    let files = TlsFiles {
        certificate: bytes(TlsItem::Certificate),
        key: bytes(TlsItem::Key),
        authority: bytes(TlsItem::Authority),
    };
    let found = tls_problems(files, today).into_iter().filter_map(|problem| {
        let (origin, _) = value_of(problem.item.key())?;
        let error = TlsError { message: problem.message, hint: problem.hint };
        Some((problem.kind == TlsProblemKind::Pair, Problem::at(origin, &error)))
    });
    found.collect()
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
