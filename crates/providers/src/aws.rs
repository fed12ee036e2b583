//! `<aws-sm:name#key#version>` and `<aws-ssm:/name#key#version>`: AWS Secrets Manager and Parameter Store.
//!
//! The address, the credentials and the role come from the operator file and the sidecar ([`session`]); a reference only
//! names a secret ([`target`]). Each secret and version is requested once, regardless of the number of keys that are read
//! from it, in batches if the service supports them ([`exchange`]).
//!
//! A value is the exact text or bytes. With a key, it is parsed as JSON, even if it was stored as bytes, by the same rules
//! as a JSON file: strings as they are, numbers and booleans as written, objects and arrays as compact JSON;
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

use self::session::AwsSession;
use self::target::AwsTarget;
use super::runtime::{self, RuntimeError};
use super::{EnvLookup, FetchResult, FetchedValue, Provider, ProviderConfigError, ProviderError};
use sealwave_core::diagnostic::DUPLICATE_KEY;
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::settings::AwsSettings;
use sealwave_secrets::values::json_text::{self, JsonTextError};
use sealwave_secrets::values::{EntriesError, KEY_HINT, KeyPath, SecretEntries, SecretValue, WalkError};

/// An AWS service with secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AwsService {
    ParameterStore,
    SecretsManager,
}

/// The result of one target.
type TargetResult = Result<FetchedSecret, ProviderError>;

/// A whole secret.
#[derive(Clone)]
struct FetchedSecret {
    value: SecretValue,
    /// Whether it was stored as bytes.
    binary: bool,
    /// The version, as AWS numbers it.
    version: Option<String>,
}

/// Creates a provider for one of the services.
///
/// # Errors
/// Returns the first malformed setting.
pub(super) fn provider(
    name: &str,
    service: AwsService,
    settings: &AwsSettings,
    operator_dir: &Path,
    environment: &EnvLookup,
) -> Result<Box<dyn Provider>, ProviderConfigError> {
    settings::check(name, settings)?;
    let environment = Arc::clone(environment);
    Ok(Box::new(AwsProvider {
        service,
        settings: settings.with_absolute_paths(operator_dir),
        environment,
        fixed: None,
    }))
}

struct AwsProvider {
    service: AwsService,
    settings: AwsSettings,
    environment: EnvLookup,
    /// Credentials for tests, instead of those that the SDK finds.
    fixed: Option<Credentials>,
}

impl AwsProvider {
    fn ask(&self, targets: &BTreeSet<AwsTarget>, deadline: Instant) -> BTreeMap<AwsTarget, TargetResult> {
        let result = runtime::run(deadline, async |end| {
            let session =
                AwsSession::open(&self.settings, &self.environment, self.fixed.as_ref(), end).await?;
            Ok(exchange::fetch_targets(self.service, &session, targets, end).await)
        });
        let error = match result {
            Ok(Ok(answers)) => return answers,
            Ok(Err(error)) => error,
            Err(RuntimeError::DeadlineExceeded) => ProviderError::unreachable(
                "no AWS credentials were received before the run's deadline",
                "check that the sidecar can reach STS, the Pod Identity agent or the instance metadata",
            ),
            Err(RuntimeError::NotStarted(kind)) => ProviderError::cannot_start("the network runtime", kind),
        };
        targets.iter().map(|target| (target.clone(), Err(error.clone()))).collect()
    }
}

impl Provider for AwsProvider {
    fn fetch(&self, references: &[&SecretReference], deadline: Instant) -> Vec<FetchResult> {
        let targets: Vec<Result<AwsTarget, ProviderError>> =
            references.iter().map(|reference| AwsTarget::new(self.service, reference)).collect();
        let distinct: BTreeSet<AwsTarget> =
            targets.iter().filter_map(|target| target.as_ref().ok()).cloned().collect();
        // Without a valid target, credentials are not even looked up.
        let answers = if distinct.is_empty() { BTreeMap::new() } else { self.ask(&distinct, deadline) };
        let value = |(reference, target): (&&SecretReference, Result<AwsTarget, ProviderError>)| match answers
            .get(&target?)
        {
            Some(Ok(secret)) => {
                let version = secret.version.as_deref();
                if reference.all_keys {
                    return Ok(FetchedValue::with_version(secret.entries()?, version));
                }
                Ok(FetchedValue::with_version(secret.value(reference.key.as_deref())?, version))
            }
            Some(Err(error)) => Err(error.clone()),
            None => Err(ProviderError::bug("the provider returned no result")),
        };
        references.iter().zip(targets).map(value).collect()
    }
}

impl FetchedSecret {
    /// Returns all keys of a JSON object, each with its value.
    fn entries(&self) -> Result<SecretEntries, ProviderError> {
        let text = self.value.expose_str().ok_or(EntriesError::NotAnObject)?;
        // Text that is not JSON is a value without keys, not a malformed document.
        let text = text.trim_matches([' ', '\t', '\n', '\r']);
        if !text.starts_with('{') {
            return Err(EntriesError::NotAnObject.into());
        }
        Ok(SecretEntries::from_json(text)?)
    }

    fn value(&self, key: Option<&str>) -> Result<SecretValue, ProviderError> {
        let Some(key) = key else { return Ok(self.value.clone()) };
        let hint = "omit the key to get the whole value";
        let path = KeyPath::parse(key).map_err(ProviderError::bad_key)?;
        let not_json = |reason| {
            let reason =
                if self.binary { "the value is binary and not JSON, so it has no keys" } else { reason };
            ProviderError::invalid(reason, hint)
        };
        // A secret that was created from a file is often JSON stored as bytes.
        let text = self.value.expose_str().unwrap_or("");
        if !text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with(['{', '[']) {
            return Err(not_json("the value is not a JSON object or list, so it has no keys"));
        }
        let found = json_text::lookup(text, &path).map_err(|error| match error {
            WalkError::Missing(step) => ProviderError::not_found(step.message("the secret"), KEY_HINT),
            WalkError::Structure(JsonTextError::Duplicate) => {
                ProviderError::invalid(DUPLICATE_KEY, "remove one of them from the secret")
            }
            WalkError::Structure(JsonTextError::Syntax) => not_json("the value is not well-formed JSON"),
        })?;
        Ok(SecretValue::new(found.as_bytes().to_vec()))
    }
}

#[cfg(test)]
mod tests;
