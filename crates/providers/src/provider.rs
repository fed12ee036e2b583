//! The trait of all sources of secrets.

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::program::LoginProgram;
use crate::{
    EnvLookup, FetchResult, LocalContext, Login, OfflineProblem, ProtectedFiles, ProviderError, SettingsError,
};
use sealwave_core::diagnostic::Note;
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::policy::PolicySubject;

/// A source of secrets.
pub trait Provider: Send + Sync {
    /// Fetches distinct references in as few calls as the source allows. Results are in the order of `references`.
    ///
    /// Gives up at the deadline, with [`ProviderError::Overdue`] for everything that is
    /// still missing. A result that depends on a file in Git carries the [`Evidence`](crate::Evidence) of that file.
    fn fetch(&self, references: &[&SecretReference], deadline: Instant) -> Vec<FetchResult>;

    /// Logs in to the source as a fetch would, and reads no secret. Returns `None` if the source needs no login.
    ///
    /// # Errors
    /// The login fails, with the error that references would have.
    fn try_login(&self, deadline: Instant) -> Result<Option<Login>, ProviderError> {
        let _ = deadline;
        Ok(None)
    }

    /// Takes the notes that a fetch left in addition to its results. They contain no credentials and no values.
    fn take_notes(&self) -> Vec<Note> {
        Vec::new()
    }
}

/// The settings of a kind of provider in the operator file. Every build has them, so that an operator file means the same
/// for all apps and for the policy.
///
/// No method has a default: a new provider must state its facts.
pub(crate) trait ProviderSettings {
    /// Returns the credential files that the settings name, which no provider may hand out.
    fn credential_files(&self) -> Vec<&Path>;

    /// Returns other paths with the same meaning, which a policy must deny along with the written one.
    fn other_spellings(&self, path: &str) -> Vec<String>;

    /// Returns the problems that only show when the provider is used, such as a directory that does not exist. Contacts
    /// nothing, and reads no secret. Credential files and the settings themselves are checked for all kinds alike.
    fn offline_problems(&self, context: &LocalContext<'_>) -> Vec<OfflineProblem>;

    /// Returns the programs that a login may start, without starting them.
    fn login_programs(&self, context: &LocalContext<'_>) -> Vec<LoginProgram>;
}

/// Settings from which this build can create a provider.
pub(crate) trait CreateProvider {
    /// Creates the provider with this name in placeholders.
    ///
    /// # Errors
    /// Returns the first setting that is not valid.
    fn create(&self, name: &str, context: &ProviderContext<'_>) -> Result<Box<dyn Provider>, SettingsError>;
}

/// The inputs of a provider besides its settings.
pub(crate) struct ProviderContext<'a> {
    pub(crate) operator_dir: &'a Path,
    pub(crate) protected: &'a ProtectedFiles,
    pub(crate) app: &'a AppDetails,
    pub(crate) environment: &'a EnvLookup,
}

/// The app of a run: the locations of its own files, and its description by Argo CD.
#[derive(Clone, Debug)]
pub struct AppDetails {
    /// The directory of the app file; paths in references are relative to it.
    pub directory: PathBuf,
    /// The directory that no path may leave; absolute, without symbolic links.
    pub boundary: PathBuf,
    /// The owner of derived secrets.
    pub subject: PolicySubject,
}
