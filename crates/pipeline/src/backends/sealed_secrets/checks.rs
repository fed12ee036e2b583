//! Checks a Secret before it is sealed. The API server or the controller would find most errors too, but only in the
//! cluster, hours later, and without naming the file.

use crate::backends::backend::MeasuredItem;
use crate::backends::metadata_types::{MetadataTypeError, metadata_type_errors};
use crate::backends::naming::{self, NamingError};
use sealwave_core::diagnostic::{Explain, Note, Problem};
use sealwave_core::document::{Manifest, Node, NodeValue, Origin};
use sealwave_core::names::{self, MAX_ITEM_KEY, is_item_key};
use sealwave_secrets::SealingScope;

/// The total size of a Secret's values (`MaxSecretSize` in Kubernetes).
const MAX_DATA_BYTES: usize = 1 << 20;

/// An error of a Secret that cannot become a `SealedSecret`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SealedSecretError {
    /// A key that Kubernetes rejects; it is not shown, since it may be a misplaced value.
    #[error(
        "item key is not valid: 1 to {MAX_ITEM_KEY} letters, digits, `-`, `_` or `.`, and not starting with `..`"
    )]
    ItemKey,
    /// A label or an annotation that is not a string.
    #[error(transparent)]
    MetadataType(#[from] MetadataTypeError),
    /// A name that Kubernetes rejects.
    #[error(transparent)]
    Naming(#[from] NamingError),
    /// A missing name, to which the scope binds a `SealedSecret`.
    #[error("Secret has no `metadata.name`, which scope strict needs")]
    NoName,
    /// A missing namespace, to which the scope binds a `SealedSecret`.
    #[error("Secret `{name}` has no namespace, which scope {scope} needs")]
    NoNamespace {
        /// The Secret's name.
        name: String,
        /// The Secret's scope.
        scope: SealingScope,
    },
    /// A scope annotation that the controller would silently treat as "false".
    #[error("annotation `{0}` must be the text \"true\" or \"false\"")]
    ScopeAnnotation(&'static str),
    /// Data above Kubernetes' limit.
    #[error("Secret has {bytes} bytes of data; Kubernetes allows at most {MAX_DATA_BYTES}")]
    TooBig {
        /// The total size of all values.
        bytes: usize,
    },
    /// A field of the wrong type.
    #[error("`{field}` must be of type {expected}, not {found}")]
    WrongType {
        /// The field.
        field: &'static str,
        /// The expected type.
        expected: &'static str,
        /// The actual type.
        found: &'static str,
    },
}

impl Explain for SealedSecretError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::MetadataType(error) => return error.hint(),
            Self::Naming(error) => return error.hint(),
            Self::NoName => {
                "set `metadata.name`; a generated name works only with scope namespace-wide or cluster-wide"
            }
            Self::NoNamespace { .. } => {
                "set `metadata.namespace`, or `namespace` in `sealwave.yaml`; `--namespace NAME` is the destination of Argo CD in a local run"
            }
            Self::ScopeAnnotation(_) => "put it in quotes, or remove it: any other value means scope strict",
            Self::TooBig { .. } => "split it into several Secrets",
            Self::ItemKey | Self::WrongType { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

/// A Secret with the annotations of two scopes.
#[derive(Debug, thiserror::Error)]
#[error("Secret has the annotations of two scopes; `{}` takes precedence", names::CLUSTER_WIDE)]
struct TwoScopes;

impl Explain for TwoScopes {
    fn hint(&self) -> Option<String> {
        Some("keep the intended one".to_owned())
    }
}

/// Returns the scope, or all problems.
pub(super) fn check(
    secret: &Manifest,
    items: &[MeasuredItem],
    notes: &mut Vec<Note>,
) -> Result<SealingScope, Vec<Problem>> {
    let mut found: Vec<(Origin, SealedSecretError)> = Vec::new();
    check_fields(secret, &mut found);
    check_annotations(secret, &mut found);
    let scope = SealingScope::from_annotation_map(secret.annotations());
    check_identity(secret, scope, &mut found);
    check_items(secret, items, &mut found);
    if !found.is_empty() {
        return Err(found.iter().map(|(origin, error)| Problem::at(*origin, error)).collect());
    }
    if [names::CLUSTER_WIDE, names::NAMESPACE_WIDE].iter().all(|name| secret.annotation(name) == Some("true"))
    {
        notes.push(Note::warning(Problem::at(secret.origin(), &TwoScopes)));
    }
    Ok(scope)
}

fn check_fields(secret: &Manifest, found: &mut Vec<(Origin, SealedSecretError)>) {
    let fields: [(&[&str], &'static str, &'static str); 7] = [
        (&["immutable"], "immutable", "boolean"),
        (&["metadata", "annotations"], "metadata.annotations", "object"),
        (&["metadata", "generateName"], "metadata.generateName", "string"),
        (&["metadata", "labels"], "metadata.labels", "object"),
        (&["metadata", "name"], "metadata.name", "string"),
        (&["metadata", "namespace"], "metadata.namespace", "string"),
        (&["type"], "type", "string"),
    ];
    for (path, field, expected) in fields {
        expect_type(secret.root().at(path), field, expected, found);
    }
}

fn expect_type(
    node: Option<&Node>,
    field: &'static str,
    expected: &'static str,
    found: &mut Vec<(Origin, SealedSecretError)>,
) {
    if let Some(node) = node
        && node.type_name() != expected
        && node.value != NodeValue::Null
    {
        let error = SealedSecretError::WrongType { field, expected, found: node.type_name() };
        found.push((node.origin, error));
    }
}

fn check_annotations(secret: &Manifest, found: &mut Vec<(Origin, SealedSecretError)>) {
    let scopes = [names::CLUSTER_WIDE, names::NAMESPACE_WIDE];
    for name in scopes {
        if let Some(node) = secret.annotations().and_then(|annotations| annotations.get(name))
            && !matches!(node.as_str(), Some("" | "false" | "true"))
        {
            found.push((node.origin, SealedSecretError::ScopeAnnotation(name)));
        }
    }
    let errors = metadata_type_errors(secret, |name| scopes.contains(&name));
    found.extend(errors.into_iter().map(|(origin, error)| (origin, error.into())));
}

fn check_identity(secret: &Manifest, scope: SealingScope, found: &mut Vec<(Origin, SealedSecretError)>) {
    found.extend(naming::naming_errors(secret).into_iter().map(|(origin, error)| (origin, error.into())));
    if scope == SealingScope::Strict && secret.name().is_empty() {
        found.push((secret.origin(), SealedSecretError::NoName));
    }
    let has_other_type = secret
        .root()
        .at(&["metadata", "namespace"])
        .is_some_and(|node| !crate::backends::metadata::is_empty(node));
    if scope != SealingScope::ClusterWide && secret.namespace().is_empty() && !has_other_type {
        let name = secret.name().to_owned();
        found.push((secret.origin(), SealedSecretError::NoNamespace { name, scope }));
    }
}

fn check_items(secret: &Manifest, items: &[MeasuredItem], found: &mut Vec<(Origin, SealedSecretError)>) {
    for item in items.iter().filter(|item| !is_item_key(&item.key)) {
        found.push((item.origin, SealedSecretError::ItemKey));
    }
    let bytes = items.iter().filter_map(|item| item.size).fold(0, usize::saturating_add);
    if bytes > MAX_DATA_BYTES {
        found.push((secret.origin(), SealedSecretError::TooBig { bytes }));
    }
}
