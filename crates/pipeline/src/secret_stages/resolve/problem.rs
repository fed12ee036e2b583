//! Errors about placeholders and items. No text here comes from a value or a literal.

use sealwave_core::diagnostic::{Explain, Problem, ProblemKind};
use sealwave_core::document::Origin;
use sealwave_core::text::quoted_list;
use sealwave_kube::{SOPS_HINT, SOPS_OBJECT};
use sealwave_providers::ProviderError;
use sealwave_secrets::placeholder::{GrammarError, LookAlikeKind, SecretReference};

/// The places that use a reference.
#[derive(Clone, Copy)]
pub(super) struct ReferencePlaces {
    first: Origin,
    count: usize,
}

impl ReferencePlaces {
    pub(super) const fn new(first: Origin) -> Self {
        Self { first, count: 1 }
    }

    pub(super) const fn add(&mut self) {
        self.count += 1;
    }

    /// Adds the places of another; the first place stays.
    pub(super) const fn merge(&mut self, other: &Self) {
        self.count += other.count;
    }

    pub(super) const fn first(&self) -> Origin {
        self.first
    }

    /// Returns the number of places after the first.
    pub(super) const fn others(&self) -> usize {
        self.count - 1
    }
}

/// An error of this stage.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ResolveError {
    #[error("item `{key}` of `data` is not base64")]
    DataNotBase64 { key: String },
    #[error("item `{key}` of `data` is a placeholder that does not produce base64")]
    DataPlaceholder { key: String },
    #[error("{SOPS_OBJECT}")]
    EncryptedObject,
    #[error("reference `{reference}` {error}{}", and_others(*.others))]
    Failed { reference: SecretReference, error: ProviderError, others: usize },
    #[error("placeholder `<…>` is outside of a Secret's data, in {object}")]
    GenericOutside { object: String },
    #[error("item `{key}`: {error}{}", in_value(*.at))]
    Grammar { key: String, error: GrammarError, at: Option<(usize, usize)> },
    // An invalid key may be a misplaced value.
    #[error("item key is not valid; it is not shown, since it may be a value")]
    ItemKey,
    #[error("item `{key}` {kind}{}", in_value(*.at))]
    LookAlike { key: String, kind: LookAlikeKind, at: Option<(usize, usize)> },
    #[error("item `{key}`: modifier `{modifier}` of `{reference}` cannot be applied: {why}")]
    Modifier { key: String, reference: SecretReference, modifier: &'static str, why: &'static str },
    #[error("`<path:…>` is used, but the app does not set a default provider")]
    NoDefaultProvider,
    #[error("placeholder of provider `{provider}` is outside of a Secret's data, in {object}")]
    Outside { provider: String, object: String },
    #[error("path of reference `{reference}` has a segment `..`")]
    PathClimbs { reference: SecretReference },
    #[error("`{field}` of a Secret is of type {got}, not object")]
    SectionType { field: &'static str, got: &'static str },
    #[error("item `{key}` is larger than {limit} bytes after its placeholders are resolved")]
    TooLarge { key: String, limit: usize },
    #[error("Secrets of this run have more than {limit} bytes after their placeholders are resolved")]
    TooLargeInAll { limit: usize },
    // The field is not shown: it may be a misplaced value.
    #[error("field of a Secret is unknown; its name is not shown, since it may be a value")]
    UnknownField,
    #[error("provider `{provider}` is unknown")]
    UnknownProvider { provider: String, known: Vec<String>, is_default: bool },
    // An entry without a string may be a misplaced value.
    #[error("item of `{field}` is of type {got}, not string")]
    ValueType { field: &'static str, got: &'static str },
}

fn and_others(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => " (1 other place uses it)".to_owned(),
        more => format!(" ({more} other places use it)"),
    }
}

fn in_value(at: Option<(usize, usize)>) -> String {
    at.map_or_else(String::new, |(line, column)| format!(" (line {line}, column {column} of the value)"))
}

impl Explain for ResolveError {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::DataNotBase64 { .. } => "values in `data` are base64; put plain text in `stringData`",
            Self::DataPlaceholder { .. } => {
                "put it in `stringData`; in `data`, it must be one placeholder that ends in `| base64`, or base64 of a text"
            }
            Self::EncryptedObject => SOPS_HINT,
            Self::Failed { error, .. } => return error.hint(),
            Self::GenericOutside { .. } => {
                "put the value in a Secret and refer to it; if it is meant as text, remove `avp.kubernetes.io/path` from the object, or double its `<`"
            }
            Self::Grammar { error, .. } => return Some(error.kind.hint()),
            Self::ItemKey => {
                "a key has letters, digits, `-`, `_` and `.`, at most 253; a placeholder belongs in the value"
            }
            Self::LookAlike { kind, .. } => return Some(kind.hint()),
            Self::Modifier { .. } => "check the value of the reference, and the modifiers before this one",
            Self::NoDefaultProvider => "set `provider` in sealwave.yaml, or replace `path` by a provider",
            Self::Outside { .. } => {
                "put the value in a Secret and refer to it; if it is meant as text, double its `<`: `<<name:…`, or set the annotation `sealwave.dev/literal: \"true\"` on the object"
            }
            Self::PathClimbs { .. } => "write the full path",
            Self::SectionType { .. } => "write a mapping of keys to strings",
            Self::TooLarge { .. } => "Kubernetes accepts at most 1 MiB per Secret",
            Self::TooLargeInAll { .. } => "split the app",
            Self::UnknownField => {
                "a Secret has `metadata`, `type`, `immutable`, `data` and `stringData`; case matters"
            }
            Self::UnknownProvider { known, is_default, .. } => return Some(unknown_hint(known, *is_default)),
            Self::ValueType { field: "data", .. } => "values in `data` are base64 strings; quote them",
            Self::ValueType { .. } => "put it in quotes; values of a Secret are strings",
        };
        Some(text.to_owned())
    }

    fn problem_kind(&self) -> Option<ProblemKind> {
        match self {
            Self::DataNotBase64 { .. } => Some(ProblemKind::BadBase64),
            Self::ItemKey => Some(ProblemKind::InvalidKey),
            Self::EncryptedObject | Self::LookAlike { .. } => Some(ProblemKind::EncryptedLeftover),
            _ => None,
        }
    }

    fn needs_commit(&self) -> bool {
        match self {
            Self::DataNotBase64 { .. }
            | Self::DataPlaceholder { .. }
            | Self::EncryptedObject
            | Self::GenericOutside { .. }
            | Self::Grammar { .. }
            | Self::ItemKey
            | Self::LookAlike { .. }
            | Self::NoDefaultProvider
            | Self::Outside { .. }
            | Self::PathClimbs { .. }
            | Self::SectionType { .. }
            | Self::UnknownField
            | Self::ValueType { .. } => true,
            Self::Failed { .. }
            | Self::Modifier { .. }
            | Self::TooLarge { .. }
            | Self::TooLargeInAll { .. }
            | Self::UnknownProvider { .. } => false,
        }
    }
}

fn unknown_hint(known: &[String], is_default: bool) -> String {
    let known = match known {
        [] => "the operator file has no providers".to_owned(),
        names => format!("providers are {}", quoted_list(names)),
    };
    if is_default {
        format!("{known}; `provider` in sealwave.yaml sets the default")
    } else {
        format!("{known}; if it is meant as text, double its `<`: `<<name:…`")
    }
}

/// Returns the problem of a reference that was not fetched, at its first place.
pub(super) fn fetch_problem(
    reference: &SecretReference,
    error: &ProviderError,
    places: &ReferencePlaces,
) -> Problem {
    let error =
        ResolveError::Failed { reference: reference.clone(), error: error.clone(), others: places.others() };
    Problem::at(places.first(), &error)
}

/// Returns the position of a character within a scalar, if the scalar is on one line without escapes.
///
/// An origin has the position and the width of the scalar as written. A plain scalar is as wide as its text, a quoted
/// one two characters wider.
pub(super) fn place_in(origin: Origin, text: &str, offset: usize) -> Option<Origin> {
    let before = text.get(..offset)?.chars().count();
    let whole = before + text.get(offset..)?.chars().count();
    let quote = (origin.width as usize).checked_sub(whole)?;
    if origin.column == 0 || !matches!(quote, 0 | 2) || text.contains('\n') {
        return None;
    }
    let column = origin.column.checked_add(u32::try_from(before + quote / 2).ok()?)?;
    Some(Origin { column, width: 0, ..origin })
}

/// Returns the line and column of a character within a text, from 1.
pub(super) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or("");
    let line = before.rsplit('\n').next().unwrap_or("");
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// Returns a key for messages: shortened, with control characters escaped.
pub(super) fn printable_key(key: &str) -> String {
    key.chars().take(80).flat_map(char::escape_debug).collect()
}
