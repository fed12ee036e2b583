//! Tries the login of each provider, all at the same time. No secret is read.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use crate::{Login, OfflineCheck, ProviderConfig, ProviderError, provider_thread};
use sealwave_core::diagnostic::{Explain as _, Note, Problem};

/// The result of trying the login of a provider.
#[derive(Debug)]
pub struct LoginResult {
    /// The time that it took.
    pub elapsed: Duration,
    /// The login; `None` if the source needs none. The problem has no place.
    pub login: Result<Option<Login>, Problem>,
}

/// The result of a provider's thread.
struct TriedLogin {
    elapsed: Duration,
    login: Result<Option<Login>, ProviderError>,
    /// The notes of the session, which name the provider.
    notes: Vec<Note>,
}

impl OfflineCheck<'_> {
    /// Tries the logins of these providers until the deadline. Providers whose settings are not valid have no result.
    #[must_use]
    pub fn try_logins<'c>(
        &self,
        configs: &[(&'c str, &ProviderConfig)],
        deadline: Instant,
    ) -> BTreeMap<&'c str, LoginResult> {
        let providers =
            configs.iter().filter_map(|(name, config)| Some((*name, self.create(name, config).ok()?)));
        let providers: Vec<_> = providers.collect();
        let results: Vec<_> = thread::scope(|scope| {
            let start = |(_, provider): &'_ (_, Box<dyn crate::Provider>)| {
                let started = Instant::now();
                let login = provider.try_login(deadline);
                TriedLogin { elapsed: started.elapsed(), login, notes: provider.take_notes() }
            };
            let running: Vec<_> = providers
                .iter()
                .map(|provider| provider_thread::start(scope, move || start(provider)))
                .collect();
            running.into_iter().map(provider_thread::join).collect()
        });
        let names = providers.iter().map(|(name, _)| *name);
        let result = |(name, result)| (name, LoginResult::new(name, result));
        names.zip(results).map(result).collect()
    }
}

impl LoginResult {
    fn new(name: &str, result: Result<TriedLogin, ProviderError>) -> Self {
        let TriedLogin { elapsed, login, notes } = result.unwrap_or_else(|error| TriedLogin {
            elapsed: Duration::ZERO,
            login: Err(error),
            notes: Vec::new(),
        });
        let login = login.map_err(|error| Problem {
            message: format!("provider `{name}`: {}", error.reason()),
            hint: error.hint(),
            ..Problem::new(&error)
        });
        let with_name = |mut note: Note| {
            note.problem.message = format!("provider `{name}`: {}", note.problem.message);
            note
        };
        let login = login.map(|login| {
            login.map(|login| Login {
                notes: login.notes.into_iter().map(with_name).chain(notes).collect(),
                ..login
            })
        });
        Self { elapsed, login }
    }
}
