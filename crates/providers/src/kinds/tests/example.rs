//! An example of a provider: its settings, its facts, its errors and its fetch.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Deserialize;

use crate::program::LoginProgram;
use crate::{
    CreateProvider, FetchResult, FetchedValue, LocalContext, OfflineProblem, Provider, ProviderContext,
    ProviderSettings, SettingsError,
};
use sealwave_core::diagnostic::Explain;
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::values::SecretValue;

/// Settings in the operator file.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ExampleSettings {
    greeting: String,
    key_file: PathBuf,
}

/// The greeting is empty.
#[derive(Debug, thiserror::Error)]
#[error("`greeting` is empty")]
struct EmptyGreeting;

impl Explain for EmptyGreeting {}

impl ProviderSettings for ExampleSettings {
    fn credential_files(&self) -> Vec<&Path> {
        vec![&self.key_file]
    }

    /// Paths are not case-sensitive.
    fn other_spellings(&self, path: &str) -> Vec<String> {
        vec![path.to_lowercase()]
    }

    fn offline_problems(&self, _context: &LocalContext<'_>) -> Vec<OfflineProblem> {
        Vec::new()
    }

    fn login_programs(&self, _context: &LocalContext<'_>) -> Vec<LoginProgram> {
        Vec::new()
    }
}

impl CreateProvider for ExampleSettings {
    fn create(
        &self,
        _name: &str,
        _context: &ProviderContext<'_>,
    ) -> Result<Box<dyn Provider>, SettingsError> {
        if self.greeting.is_empty() {
            return Err(EmptyGreeting.into());
        }
        Ok(Box::new(ExampleProvider { greeting: self.greeting.clone() }))
    }
}

struct ExampleProvider {
    greeting: String,
}

impl Provider for ExampleProvider {
    fn fetch(&self, references: &[&SecretReference], _deadline: Instant) -> Vec<FetchResult> {
        let value = |path: &str| SecretValue::new(format!("{} {path}", self.greeting).into_bytes());
        references.iter().map(|reference| Ok(FetchedValue::from(value(&reference.path)))).collect()
    }
}
