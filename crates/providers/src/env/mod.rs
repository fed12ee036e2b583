//! `<env:NAME>`: environment variables of the process that the operator allows.
//!
//! Variables that Argo CD sets from authors' data, and the sidecar's own, can never be read.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use globset::{Glob, GlobMatcher};
use serde::Deserialize;

use crate::config_error::BadGlob;
use crate::program::LoginProgram;
use crate::{
    CreateProvider, EnvLookup, FetchResult, FetchedValue, LocalContext, OfflineProblem, Provider,
    ProviderContext, ProviderError, ProviderSettings, SettingsError,
};
use sealwave_core::diagnostic::Explain;
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::values::SecretValue;

/// Authors control `ARGOCD_ENV_*` and `PARAM_*`; the others belong to Argo CD, Kubernetes, Git or sealwave.
const RESERVED_PREFIXES: [&str; 6] = ["ARGOCD_", "GIT_", "KUBERNETES_", "KUBE_", "PARAM_", "SEALWAVE_"];

/// Unrelated names: a glob that matches all of them matches anything.
const UNLIKELY_TOGETHER: [&str; 3] = ["A", "QX_7", "ZZZZ"];

/// Environment variables of the sidecar.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnvSettings {
    /// Globs over the variable names that placeholders may use.
    pub names: Vec<String>,
}

impl ProviderSettings for EnvSettings {
    fn credential_files(&self) -> Vec<&Path> {
        Vec::new()
    }

    fn other_spellings(&self, _path: &str) -> Vec<String> {
        Vec::new()
    }

    fn offline_problems(&self, _context: &LocalContext<'_>) -> Vec<OfflineProblem> {
        if self.names.is_empty() {
            return vec![OfflineProblem::NoNames];
        }
        let is_reserved = |name: &&String| RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        let reserved = self.names.iter().filter(is_reserved);
        reserved.map(|pattern| OfflineProblem::ReservedNames { pattern: pattern.clone() }).collect()
    }

    fn login_programs(&self, _context: &LocalContext<'_>) -> Vec<LoginProgram> {
        Vec::new()
    }
}

impl CreateProvider for EnvSettings {
    fn create(&self, _name: &str, context: &ProviderContext<'_>) -> Result<Box<dyn Provider>, SettingsError> {
        let names = self.names.iter().map(|pattern| matcher(pattern)).collect::<Result<_, _>>()?;
        Ok(Box::new(EnvProvider { names, environment: Arc::clone(context.environment) }))
    }
}

/// A glob for environment variables that matches everything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` in `names` would let apps read the whole environment")]
struct CatchAllGlob {
    pattern: String,
}

impl Explain for CatchAllGlob {
    fn hint(&self) -> Option<String> {
        Some("name the variables that are meant for apps, for example `SHOP_*`".to_owned())
    }
}

struct EnvProvider {
    names: Vec<GlobMatcher>,
    environment: EnvLookup,
}

impl EnvProvider {
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

fn matcher(pattern: &str) -> Result<GlobMatcher, SettingsError> {
    let glob = Glob::new(pattern).map_err(|_| BadGlob { pattern: pattern.to_owned() })?.compile_matcher();
    if UNLIKELY_TOGETHER.iter().all(|name| glob.is_match(name)) {
        return Err(CatchAllGlob { pattern: pattern.to_owned() }.into());
    }
    Ok(glob)
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
