//! Helpers for tests of providers: references as text, a fetch through the registry, and checks of results.

#![allow(dead_code, reason = "each set of features uses only a part of this module")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::{
    AppDetails, CreateProvider, EnvLookup, FetchResult, ProtectedFiles, Provider, ProviderConfig,
    ProviderContext, ProviderError, ProviderRegistry, SettingsError,
};
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::policy::PolicySubject;

/// A marker in all stub secrets and credentials, which must not appear in any error.
pub(super) const MARKER: &str = "CANARY";

/// A timeout that no passing test reaches.
pub(super) const LONG: Duration = Duration::from_mins(2);

/// The bytes of one reference.
pub(super) type BytesResult = Result<Vec<u8>, ProviderError>;

/// Parses `provider:path#key#version`.
pub(super) fn reference(source: &str) -> SecretReference {
    let (provider, rest) = source.split_once(':').expect("a provider");
    let mut fields = rest.split('#').map(str::to_owned);
    let (path, key, version) = (fields.next().unwrap_or_default(), fields.next(), fields.next());
    let key = key.filter(|key| version.is_none() || !key.is_empty());
    SecretReference { provider: provider.into(), path, key, version, all_keys: false }
}

/// Parses the same text as a reference to all keys.
pub(super) fn all_keys(source: &str) -> SecretReference {
    SecretReference { all_keys: true, ..reference(source) }
}

/// Returns the keys and texts of a result, or its error, which must not contain the marker.
pub(super) fn entries(answer: FetchResult) -> Result<Vec<(String, String)>, String> {
    let fetched = answer.map_err(|error| {
        assert!(!format!("{error} {error:?}").contains(MARKER), "{error:?}");
        error.to_string()
    })?;
    let text =
        |value: &sealwave_secrets::values::SecretValue| String::from_utf8_lossy(value.expose()).into_owned();
    let entries = fetched.entries.expect("all keys were asked for");
    assert!(fetched.value.is_empty());
    Ok(entries.iter().map(|(key, value)| (key.to_owned(), text(value))).collect())
}

/// Creates keys and texts as [`entries`] returns them.
pub(super) fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Returns the locations for an app in one directory.
pub(super) fn app(dir: &Path) -> AppDetails {
    AppDetails { directory: dir.to_owned(), boundary: dir.to_owned(), subject: PolicySubject::default() }
}

/// Creates the provider of settings in `dir`, for an app and without environment variables.
pub(super) fn create(
    settings: &impl CreateProvider,
    dir: &Path,
    app: &AppDetails,
) -> Result<Box<dyn Provider>, SettingsError> {
    let environment: EnvLookup = Arc::new(|_| None);
    let context = ProviderContext {
        operator_dir: dir,
        protected: &ProtectedFiles::default(),
        app,
        environment: &environment,
    };
    settings.create("name", &context)
}

/// Returns the error of settings in `dir`.
pub(super) fn settings_error(settings: &impl CreateProvider, dir: &Path) -> Option<String> {
    let error = create(settings, dir, &app(dir)).err()?;
    assert!(!format!("{error:?}").contains(MARKER), "{error:?}");
    Some(format!("{error}"))
}

/// Fetches each `path#key#version` from one provider whose settings are in `dir`.
pub(super) fn fetch(
    dir: &Path,
    (name, config): (&str, ProviderConfig),
    sources: &[&str],
    left: Duration,
) -> Vec<FetchResult> {
    let config = BTreeMap::from([(name.to_owned(), config)]);
    let providers = ProviderRegistry::new(&config, dir, &ProtectedFiles::default(), &app(dir), |_| None)
        .expect("valid settings");
    let references: Vec<SecretReference> =
        sources.iter().map(|source| reference(&format!("{name}:{source}"))).collect();
    let fetched = providers.fetch(&references, Instant::now() + left);
    references.iter().map(|reference| fetched[reference].clone()).collect()
}

/// Returns the bytes of each result; errors must have a hint and must not contain the marker.
pub(super) fn bytes(fetched: Vec<FetchResult>) -> Vec<BytesResult> {
    let answers: Vec<BytesResult> =
        fetched.into_iter().map(|answer| answer.map(|fetched| fetched.value.expose().to_vec())).collect();
    for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(MARKER), "{shown}");
        assert!(sealwave_core::diagnostic::Explain::hint(error).is_some(), "{shown}");
    }
    answers
}

/// Returns the fetched versions.
pub(super) fn versions(fetched: Vec<FetchResult>) -> Vec<Option<String>> {
    let version = |answer: FetchResult| answer.map(|fetched| fetched.version);
    fetched.into_iter().map(|answer| version(answer).expect("a value")).collect()
}

/// Returns the days on which the fetched versions were created.
pub(super) fn days(fetched: Vec<FetchResult>) -> Vec<Option<String>> {
    let day = |answer: FetchResult| answer.map(|fetched| fetched.changed.map(|day| day.to_string()));
    fetched.into_iter().map(|answer| day(answer).expect("a value")).collect()
}

/// Returns the kind of a result.
pub(super) const fn result_kind(answer: &BytesResult) -> &'static str {
    match answer {
        Ok(_) => "found",
        Err(ProviderError::Denied { .. }) => "denied",
        Err(ProviderError::Invalid { .. }) => "invalid",
        Err(ProviderError::NotFound { .. }) => "missing",
        Err(ProviderError::Overdue { .. } | ProviderError::Unreachable { .. }) => "unreachable",
    }
}

pub(super) fn is_denied(answer: &BytesResult) -> bool {
    result_kind(answer) == "denied"
}

pub(super) fn is_invalid(answer: &BytesResult) -> bool {
    result_kind(answer) == "invalid"
}

pub(super) fn is_missing(answer: &BytesResult) -> bool {
    result_kind(answer) == "missing"
}

pub(super) fn is_unreachable(answer: &BytesResult) -> bool {
    result_kind(answer) == "unreachable"
}
