//! The steps of a fetch from a source over the network, written once.
//!
//! All references are parsed first. Each distinct target is requested once, within the deadline. Then each reference gets
//! its value from the result of its target.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::runtime::{self, RuntimeError};
use crate::{FetchResult, Login, Provider, ProviderError};
use sealwave_core::diagnostic::Note;
use sealwave_secrets::placeholder::SecretReference;

/// A source over the network. Each one is a [`Provider`].
pub(crate) trait RemoteSource: Send + Sync {
    /// The target of a request: what a reference means without its key.
    type Target<'r>: Clone + Ord
    where
        Self: 'r;

    /// A whole secret, in which keys are looked up.
    type Secret;

    /// Returns the target of a reference.
    ///
    /// # Errors
    /// The reference cannot be a secret of this source.
    fn parse<'r>(&'r self, reference: &'r SecretReference) -> Result<Self::Target<'r>, ProviderError>;

    /// Requests all targets until `end`. There is at least one.
    ///
    /// # Errors
    /// No target can be requested, for example because the login fails.
    async fn fetch_all<'r>(
        &'r self,
        targets: BTreeSet<Self::Target<'r>>,
        end: Instant,
    ) -> Result<TargetResults<'r, Self>, ProviderError>;

    /// Logs in until `end`, and reads no secret.
    ///
    /// # Errors
    /// The login fails.
    async fn try_login(&self, end: Instant) -> Result<Login, ProviderError>;

    /// Returns the part of a secret that a reference requests.
    ///
    /// # Errors
    /// The secret does not have it.
    fn select(secret: &Self::Secret, reference: &SecretReference) -> FetchResult;

    /// Returns the error of all targets if the deadline cut off [`Self::fetch_all`].
    fn cut_off() -> ProviderError {
        ProviderError::overdue()
    }

    /// Takes the notes of fetches, as [`Provider::take_notes`] does.
    fn take_notes(&self) -> Vec<Note> {
        Vec::new()
    }
}

/// The result of each target.
pub(crate) type TargetResults<'r, S> =
    BTreeMap<<S as RemoteSource>::Target<'r>, Result<<S as RemoteSource>::Secret, ProviderError>>;

impl<S: RemoteSource> Provider for S {
    fn fetch(&self, references: &[&SecretReference], deadline: Instant) -> Vec<FetchResult> {
        let parsed: Vec<_> = references.iter().map(|reference| self.parse(reference)).collect();
        let targets: BTreeSet<_> = parsed.iter().filter_map(|target| target.as_ref().ok()).cloned().collect();
        // Without a valid target, credentials are not even looked up.
        let results = if targets.is_empty() { Ok(BTreeMap::new()) } else { request(self, targets, deadline) };
        let answers = parsed.into_iter().zip(references);
        answers.map(|(target, reference)| S::select(secret_of(&results, &target?)?, reference)).collect()
    }

    fn try_login(&self, deadline: Instant) -> Result<Option<Login>, ProviderError> {
        flatten::<S, _>(runtime::run(deadline, |end| RemoteSource::try_login(self, end))).map(Some)
    }

    fn take_notes(&self) -> Vec<Note> {
        RemoteSource::take_notes(self)
    }
}

/// Returns the secret of a target.
fn secret_of<'a, T: Ord, S>(
    results: &'a Result<BTreeMap<T, Result<S, ProviderError>>, ProviderError>,
    target: &T,
) -> Result<&'a S, ProviderError> {
    let results = results.as_ref().map_err(ProviderError::clone)?;
    let missing = || ProviderError::bug("the provider returned no result");
    results.get(target).ok_or_else(missing)?.as_ref().map_err(ProviderError::clone)
}

fn request<'r, S: RemoteSource>(
    source: &'r S,
    targets: BTreeSet<S::Target<'r>>,
    deadline: Instant,
) -> Result<TargetResults<'r, S>, ProviderError> {
    flatten::<S, _>(runtime::run(deadline, |end| source.fetch_all(targets, end)))
}

/// Converts the error of a runtime to an error of the source.
fn flatten<S: RemoteSource, T>(
    result: Result<Result<T, ProviderError>, RuntimeError>,
) -> Result<T, ProviderError> {
    match result {
        Ok(result) => result,
        Err(RuntimeError::DeadlineExceeded) => Err(S::cut_off()),
        Err(RuntimeError::NotStarted(kind)) => Err(ProviderError::cannot_start("the network runtime", kind)),
    }
}
