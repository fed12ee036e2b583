//! The settings in the operator file.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::key_file::{KeyFileError, read_key};
use crate::program::LoginProgram;
use crate::{LocalContext, OfflineProblem, ProviderSettings};
use sealwave_core::diagnostic::Explain as _;

/// A derivation key, from which secrets are derived.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeriveSettings {
    /// The file with the derivation key.
    pub key_file: PathBuf,
    /// The epochs of paths; the first entry with a pattern that matches applies.
    #[serde(default)]
    pub epochs: Vec<PathEpoch>,
}

/// The epoch of some paths.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PathEpoch {
    /// Globs over paths.
    pub paths: Vec<String>,
    /// The epoch: changing it replaces the secrets at these paths.
    pub epoch: u32,
}

impl ProviderSettings for DeriveSettings {
    fn credential_files(&self) -> Vec<&Path> {
        vec![&self.key_file]
    }

    /// Only one spelling of a path is accepted.
    fn other_spellings(&self, _path: &str) -> Vec<String> {
        Vec::new()
    }

    fn offline_problems(&self, context: &LocalContext<'_>) -> Vec<OfflineProblem> {
        match read_key(context.operator_dir, &self.key_file, context.protected) {
            // Files that cannot be read are found for all kinds alike.
            Ok(_) | Err(KeyFileError::Unreadable { .. }) => Vec::new(),
            Err(error) => {
                vec![OfflineProblem::Unusable { reason: error.to_string(), hint: error.hint() }]
            }
        }
    }

    fn login_programs(&self, _context: &LocalContext<'_>) -> Vec<LoginProgram> {
        Vec::new()
    }
}
