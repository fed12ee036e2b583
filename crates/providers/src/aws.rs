//! `<aws-sm:name#key#version>` and `<aws-ssm:/name#key#version>`: AWS Secrets Manager and Parameter Store.
//!
//! The address, the credentials and the role come from the operator file and the sidecar ([`session`]); a reference says
//! what to ask for and nothing else ([`target`]). Each secret and version is asked for once, whatever number of keys is
//! read from it, in batches where the service has them ([`exchange`]).
//!
//! A value is the text or the bytes, exactly. With a key, it is read as JSON, also where it was stored as bytes, by the
//! same rules as a JSON file: strings as they are, numbers and booleans as written, objects and arrays as compact JSON;
//! null counts as missing.

mod client;
mod exchange;
pub(super) mod failure;
mod parameter_store;
mod secrets_manager;
pub(super) mod session;
pub(super) mod settings;
mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use aws_credential_types::Credentials;

use self::session::Session;
use self::target::Target;
use super::runtime::{self, Interrupted};
use super::{Environment, FetchResult, Fetched, Provider, ProviderConfigError, ProviderError};
use sealwave_secrets::placeholder::Reference;
use sealwave_secrets::settings::AwsSettings;
use sealwave_secrets::values::json_text::{self, NotJson};
use sealwave_secrets::values::{EntriesError, KEY_HINT, KeyPath, SecretEntries, SecretValue, WalkError};

/// The two services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    ParameterStore,
    SecretsManager,
}

/// What one target gave.
type Answer = Result<Held, ProviderError>;

/// A whole secret.
#[derive(Clone)]
struct Held {
    value: SecretValue,
    /// It was stored as bytes.
    binary: bool,
    /// Which version of it that is, as AWS numbers it.
    version: Option<String>,
}

/// A provider of one of the services.
///
/// # Errors
/// A setting that is not of its form.
pub(super) fn provider(
    name: &str,
    service: Service,
    settings: &AwsSettings,
    operator_dir: &Path,
    environment: &Environment,
) -> Result<Box<dyn Provider>, ProviderConfigError> {
    settings::check(name, settings)?;
    let environment = Arc::clone(environment);
    Ok(Box::new(Aws { service, settings: settings.within(operator_dir), environment, fixed: None }))
}

struct Aws {
    service: Service,
    settings: AwsSettings,
    environment: Environment,
    /// Credentials instead of those that would be found; for tests.
    fixed: Option<Credentials>,
}

impl Aws {
    fn ask(&self, targets: &BTreeSet<Target>, deadline: Instant) -> BTreeMap<Target, Answer> {
        let asked = runtime::run(deadline, async |end| {
            let session = Session::open(&self.settings, &self.environment, self.fixed.as_ref(), end).await?;
            Ok(exchange::ask(self.service, &session, targets, end).await)
        });
        let error = match asked {
            Ok(Ok(answers)) => return answers,
            Ok(Err(error)) => error,
            Err(Interrupted::Elapsed) => ProviderError::unreachable(
                "AWS credentials were still awaited at the run's deadline",
                "see whether the sidecar reaches STS, the Pod Identity agent or the instance metadata",
            ),
            Err(Interrupted::NotStarted(kind)) => ProviderError::unreachable(
                format!("the system refuses what a network call needs ({kind})"),
                "look at the sidecar's limits for processes and files",
            ),
        };
        targets.iter().map(|target| (target.clone(), Err(error.clone()))).collect()
    }
}

impl Provider for Aws {
    fn fetch(&self, references: &[&Reference], deadline: Instant) -> Vec<FetchResult> {
        let targets: Vec<Result<Target, ProviderError>> =
            references.iter().map(|reference| Target::new(self.service, reference)).collect();
        let distinct: BTreeSet<Target> =
            targets.iter().filter_map(|target| target.as_ref().ok()).cloned().collect();
        // Without a question that can be asked, not even credentials are looked for.
        let answers = if distinct.is_empty() { BTreeMap::new() } else { self.ask(&distinct, deadline) };
        let value =
            |(reference, target): (&&Reference, Result<Target, ProviderError>)| match answers.get(&target?) {
                Some(Ok(held)) => {
                    let version = held.version.as_deref();
                    if reference.all_keys {
                        return Ok(Fetched::at_version(held.entries()?, version));
                    }
                    Ok(Fetched::at_version(held.value(reference.key.as_deref())?, version))
                }
                Some(Err(error)) => Err(error.clone()),
                None => Err(no_answer()),
            };
        references.iter().zip(targets).map(value).collect()
    }
}

impl Held {
    /// Returns all keys of a JSON object, each with its value.
    fn entries(&self) -> Result<SecretEntries, ProviderError> {
        let text = self.value.expose_str().ok_or(EntriesError::NotAnObject)?;
        // Text that is not JSON is a value without keys, and not a broken document.
        let text = text.trim_matches([' ', '\t', '\n', '\r']);
        if !text.starts_with('{') {
            return Err(EntriesError::NotAnObject.into());
        }
        Ok(SecretEntries::from_json(text)?)
    }

    fn value(&self, key: Option<&str>) -> Result<SecretValue, ProviderError> {
        let Some(key) = key else { return Ok(self.value.clone()) };
        let whole = "leave the key out to get the whole value";
        let path = KeyPath::parse(key).map_err(ProviderError::bad_key)?;
        let not_json = |reason| {
            let reason = if self.binary { "it is binary and not JSON, so it has no keys" } else { reason };
            ProviderError::invalid(reason, whole)
        };
        // A secret that was created from a file is often JSON in bytes.
        let text = self.value.expose_str().unwrap_or("");
        if !text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with(['{', '[']) {
            return Err(not_json("it is not a JSON object or list, so it has no keys"));
        }
        let found = json_text::lookup(text, &path).map_err(|error| match error {
            WalkError::Missing(step) => ProviderError::not_found(step.message("it"), KEY_HINT),
            WalkError::Structure(NotJson::Duplicate) => {
                ProviderError::invalid("it has the key twice", "remove one of them from the secret")
            }
            WalkError::Structure(NotJson::Syntax) => not_json("it is not well-formed JSON"),
        })?;
        Ok(SecretValue::new(found.as_bytes().to_vec()))
    }
}

fn no_answer() -> ProviderError {
    ProviderError::unreachable("AWS gave no answer", "this is a defect of sealwave")
}

#[cfg(test)]
mod tests;
