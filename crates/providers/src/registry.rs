//! The providers of an operator file: created once and queried concurrently.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crate::{
    AppDetails, EnvLookup, FetchResult, ProtectedFiles, Provider, ProviderConfig, ProviderConfigError,
    ProviderContext, ProviderError, provider_thread,
};
use sealwave_core::diagnostic::{Failure, Note, Problem, ProblemPlace};
use sealwave_core::text::quoted_list;
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::settings::SettingPath;

/// The most pending references that an error lists.
const MAX_AWAITED: usize = 20;

/// The providers of an operator file by the name that placeholders use.
#[derive(Default)]
pub struct ProviderRegistry {
    all: BTreeMap<String, Box<dyn Provider>>,
}

impl ProviderRegistry {
    /// Creates the providers of an operator file whose places are unknown.
    ///
    /// # Errors
    /// See [`Self::from_operator_file`].
    pub fn new(
        config: &BTreeMap<String, ProviderConfig>,
        operator_dir: &Path,
        protected: &ProtectedFiles,
        app: &AppDetails,
        environment: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static,
    ) -> Result<Self, Failure> {
        let locate = |_: &SettingPath| ProblemPlace::Unknown;
        Self::from_operator_file(config, operator_dir, protected, app, environment, &locate)
    }

    /// Creates the providers of an operator file. `locate` returns the place of a setting.
    ///
    /// Relative paths of settings are relative to `operator_dir`. `app` is the app of the run. Only the paths of roots are
    /// read at this point.
    ///
    /// # Errors
    /// Returns all settings that are not valid.
    pub fn from_operator_file(
        config: &BTreeMap<String, ProviderConfig>,
        operator_dir: &Path,
        protected: &ProtectedFiles,
        app: &AppDetails,
        environment: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static,
        locate: &dyn Fn(&SettingPath) -> ProblemPlace,
    ) -> Result<Self, Failure> {
        let environment: EnvLookup = Arc::new(environment);
        let mut problems = Vec::new();
        let mut all = BTreeMap::new();
        let context = ProviderContext { operator_dir, protected, app, environment: &environment };
        for (name, config) in config {
            let at = locate(&SettingPath::of_keys(&["providers", name]));
            let mut report = |error: &ProviderConfigError| {
                problems.push(Problem { at: at.clone(), ..Problem::new(error) });
            };
            if let Err(error) = ProviderConfigError::check_name(name) {
                report(&error);
            }
            match config.create(name, &context) {
                Ok(provider) => {
                    all.insert(name.clone(), provider);
                }
                Err(error) => {
                    report(&ProviderConfigError::in_settings(name, error));
                }
            }
        }
        Failure::unless_empty(problems)?;
        Ok(Self { all })
    }

    /// Adds or replaces a provider.
    #[must_use]
    pub fn with(mut self, name: &str, provider: impl Provider + 'static) -> Self {
        self.all.insert(name.to_owned(), Box::new(provider));
        self
    }

    /// Returns the names of all providers.
    #[must_use]
    pub fn names(&self) -> BTreeSet<String> {
        self.all.keys().cloned().collect()
    }

    /// Fetches each reference once, with one call per provider and all providers concurrently.
    pub fn fetch<'r>(
        &self,
        references: impl IntoIterator<Item = &'r SecretReference>,
        deadline: Instant,
    ) -> BTreeMap<&'r SecretReference, FetchResult> {
        let mut by_provider: BTreeMap<&str, BTreeSet<&SecretReference>> = BTreeMap::new();
        for reference in references {
            by_provider.entry(&reference.provider).or_default().insert(reference);
        }
        let batches: Vec<(&str, Vec<&SecretReference>)> = by_provider
            .into_iter()
            .map(|(name, references)| (name, references.into_iter().collect()))
            .collect();
        let answers = thread::scope(|scope| {
            let running: Vec<_> = batches
                .iter()
                .map(|(name, references)| {
                    let ask = move || self.ask(name, references, deadline);
                    provider_thread::start(scope, ask)
                })
                .collect();
            running.into_iter().map(provider_thread::join).collect::<Vec<_>>()
        });
        batches
            .into_iter()
            .zip(answers)
            .flat_map(|((_, references), answers)| pair_results(references, answers))
            .collect()
    }

    /// Takes the notes of all fetches, ordered by provider name.
    #[must_use]
    pub fn take_notes(&self) -> Vec<Note> {
        self.all.values().flat_map(|provider| provider.take_notes()).collect()
    }

    fn ask(&self, name: &str, references: &[&SecretReference], deadline: Instant) -> Vec<FetchResult> {
        let error = match self.all.get(name) {
            Some(_) if Instant::now() >= deadline => ProviderError::overdue(),
            Some(provider) => return provider.fetch(references, deadline),
            None => ProviderError::invalid("the provider is not configured", "add it to the operator file"),
        };
        vec![Err(error); references.len()]
    }
}

/// Pairs each reference with its result. Deadline errors list all pending references.
fn pair_results(
    references: Vec<&SecretReference>,
    answers: Result<Vec<FetchResult>, ProviderError>,
) -> Vec<(&SecretReference, FetchResult)> {
    let (answers, rest) = match answers {
        Ok(answers) => (answers, ProviderError::bug("the provider returned no result")),
        Err(error) => (Vec::new(), error),
    };
    let answers = answers.into_iter().chain(std::iter::repeat_with(|| Err(rest.clone())));
    let mut all: Vec<(&SecretReference, FetchResult)> = references.into_iter().zip(answers).collect();
    let is_overdue = |answer: &FetchResult| matches!(answer, Err(ProviderError::Overdue { .. }));
    let awaited: BTreeSet<String> = all
        .iter()
        .filter(|(_, answer)| is_overdue(answer))
        .map(|(reference, _)| format!("{}:{}", reference.provider, reference.path))
        .collect();
    if !awaited.is_empty() {
        let error = ProviderError::Overdue { pending: Some(shortened_list(&awaited)) };
        all.iter_mut().filter(|(_, answer)| is_overdue(answer)).for_each(|(_, answer)| {
            *answer = Err(error.clone());
        });
    }
    all
}

fn shortened_list(names: &BTreeSet<String>) -> String {
    let first: Vec<&String> = names.iter().take(MAX_AWAITED).collect();
    match names.len() - first.len() {
        0 => quoted_list(&first),
        more => format!("{} and {more} more", quoted_list(&first)),
    }
}
