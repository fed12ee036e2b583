//! `<env:NAME>`: environment variables of the process that the operator allows.
//!
//! Variables that Argo CD sets from authors' data, and the sidecar's own, can never be read.

use std::time::Instant;

use globset::{Glob, GlobMatcher};

use super::{EnvLookup, FetchResult, FetchedValue, Provider, ProviderConfigError, ProviderError};
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::values::SecretValue;

/// Authors control `ARGOCD_ENV_*` and `PARAM_*`; the others belong to Argo CD, Kubernetes, Git or sealwave.
const RESERVED_PREFIXES: [&str; 6] = ["ARGOCD_", "GIT_", "KUBERNETES_", "KUBE_", "PARAM_", "SEALWAVE_"];

/// Unrelated names: a glob that matches all of them matches anything.
const UNLIKELY_TOGETHER: [&str; 3] = ["A", "QX_7", "ZZZZ"];

pub(super) struct EnvProvider {
    names: Vec<GlobMatcher>,
    environment: EnvLookup,
}

impl EnvProvider {
    pub(super) fn new(
        provider: &str,
        names: &[String],
        environment: EnvLookup,
    ) -> Result<Self, ProviderConfigError> {
        let names = names.iter().map(|pattern| matcher(provider, pattern)).collect::<Result<_, _>>()?;
        Ok(Self { names, environment })
    }

    fn read(&self, reference: &SecretReference) -> FetchResult {
        let name = reference.path.as_str();
        if reference.key.is_some() || reference.version.is_some() {
            return Err(ProviderError::invalid(
                "an environment variable has no keys and no versions",
                "write `<env:NAME>`; for JSON in it, `<env:NAME | jsonPath {.key}>`",
            ));
        }
        if reference.all_keys {
            return Err(ProviderError::invalid(
                "an environment variable holds a single value without keys",
                "put `<env:NAME>` into an item of `stringData`",
            ));
        }
        if !is_name(name) {
            return Err(ProviderError::invalid(
                "the path is not a valid environment variable name",
                "use letters, digits and `_`, not starting with a digit",
            ));
        }
        if RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
            return Err(ProviderError::denied(
                "variables of Argo CD, Kubernetes, Git and sealwave itself cannot be read",
                "give the variable another name",
            ));
        }
        if !self.names.iter().any(|glob| glob.is_match(name)) {
            return Err(ProviderError::denied(
                "the operator file does not allow this variable",
                "add it to `names` of this provider in the operator file",
            ));
        }
        (self.environment)(name)
            .map(|value| FetchedValue::from(SecretValue::new(value.into_encoded_bytes())))
            .ok_or_else(|| ProviderError::not_found("the variable is not set", "set it, or correct its name"))
    }
}

impl Provider for EnvProvider {
    fn fetch(&self, references: &[&SecretReference], _deadline: Instant) -> Vec<FetchResult> {
        references.iter().map(|reference| self.read(reference)).collect()
    }
}

fn matcher(provider: &str, pattern: &str) -> Result<GlobMatcher, ProviderConfigError> {
    let glob = Glob::new(pattern).map(|glob| glob.compile_matcher()).map_err(|_| {
        ProviderConfigError::BadPattern { provider: provider.to_owned(), pattern: pattern.to_owned() }
    })?;
    if UNLIKELY_TOGETHER.iter().all(|name| glob.is_match(name)) {
        return Err(ProviderConfigError::CatchAll {
            provider: provider.to_owned(),
            pattern: pattern.to_owned(),
        });
    }
    Ok(glob)
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
