//! The adapters: where secrets come from, behind one trait.
//!
//! A provider is made from the operator file alone; nothing from Git reaches its address, its credentials or its
//! bounds. References are the only thing that comes from Git, and each provider takes them for hostile.
//! No error here holds a value, nor a part of the document that a value was looked for in.

mod env;
mod file;
#[cfg(feature = "sops")]
mod sops;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use crate::diagnostic::{Explain, Failure, Problem};
use crate::model::{DEFAULT_PROVIDER, ProviderConfig, Reference, SecretValue, provider_name};

/// The kinds that sealwave knows or will know; a placeholder of one of them is never meant as text.
pub const KINDS: [&str; 7] = ["aws-sm", "aws-ssm", "env", "file", "k8s", "sops", "vault"];

/// What one reference gave.
pub type Fetched = Result<SecretValue, ProviderError>;

/// A source of secrets.
pub trait Provider: Send + Sync {
    /// Fetches distinct references in as few calls as the source allows, and answers each in its place.
    ///
    /// Gives up at the deadline, with [`ProviderError::Unreachable`] for what is still missing.
    fn fetch(&self, references: &[&Reference], deadline: Instant) -> Vec<Fetched>;
}

/// Why a reference gave no value. The reasons name paths, keys and services, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The source, or the operator's settings for it, do not let us read it.
    #[error("is denied: {reason}")]
    Denied {
        /// Why.
        reason: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The reference, or what it leads to, is not of the right form.
    #[error("is not valid: {reason}")]
    Invalid {
        /// Why.
        reason: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The source answered that there is no such secret, key or version. Only this lets `default` apply.
    #[error("is not found: {reason}")]
    NotFound {
        /// What is missing.
        reason: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The source could not be asked, or did not answer in time.
    #[error("cannot be fetched: {reason}")]
    Unreachable {
        /// Why.
        reason: String,
        /// What to do.
        hint: Option<String>,
    },
}

impl ProviderError {
    pub(crate) fn denied(reason: impl Into<String>, hint: &str) -> Self {
        Self::Denied { reason: reason.into(), hint: Some(hint.to_owned()) }
    }

    pub(crate) fn invalid(reason: impl Into<String>, hint: &str) -> Self {
        Self::Invalid { reason: reason.into(), hint: Some(hint.to_owned()) }
    }

    pub(crate) fn not_found(reason: impl Into<String>, hint: &str) -> Self {
        Self::NotFound { reason: reason.into(), hint: Some(hint.to_owned()) }
    }

    pub(crate) fn unreachable(reason: impl Into<String>, hint: &str) -> Self {
        Self::Unreachable { reason: reason.into(), hint: Some(hint.to_owned()) }
    }
}

impl Explain for ProviderError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Denied { hint, .. }
            | Self::Invalid { hint, .. }
            | Self::NotFound { hint, .. }
            | Self::Unreachable { hint, .. } => hint.clone(),
        }
    }
}

/// What is wrong with a provider's settings in the operator file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderConfigError {
    /// Its name cannot be written in a placeholder.
    #[error("provider name `{0}` is not valid")]
    BadName(String),
    /// A glob is not well formed.
    #[error("provider `{provider}`: `{pattern}` is no glob")]
    BadPattern {
        /// The provider's name.
        provider: String,
        /// The glob.
        pattern: String,
    },
    /// A glob for environment variables matches everything.
    #[error("provider `{provider}`: `{pattern}` in `names` would let apps read the whole environment")]
    CatchAll {
        /// The provider's name.
        provider: String,
        /// The glob.
        pattern: String,
    },
    /// It has nothing to decrypt with.
    #[error("provider `{provider}` has no key")]
    NoKeys {
        /// The provider's name.
        provider: String,
    },
    /// The binary was built without what it needs.
    #[error("provider `{provider}` needs the feature `{feature}`, which is not in this build")]
    NotBuilt {
        /// The provider's name.
        provider: String,
        /// The Cargo feature.
        feature: &'static str,
    },
    /// The name means the app's default provider.
    #[error("provider name `{DEFAULT_PROVIDER}` is taken")]
    ReservedName,
    /// The root holds what apps must not read.
    #[error("provider `{provider}`: root `{}` {why}", root.display())]
    RootTooWide {
        /// The provider's name.
        provider: String,
        /// The root.
        root: PathBuf,
        /// What it holds.
        why: &'static str,
    },
}

impl Explain for ProviderConfigError {
    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::BadName(_) => "a provider's name starts with a-z and holds a-z, 0-9 and `-` only",
                Self::BadPattern { .. } => "`*` matches any characters, `{A,B}` is a choice",
                Self::CatchAll { .. } => "name the variables that are meant for apps, for example `SHOP_*`",
                Self::NoKeys { .. } => "give it `ageKeyFiles` or `awsKms`",
                Self::NotBuilt { .. } => "use a build with all features",
                Self::ReservedName => {
                    "`<path:…>` means the provider that the app file names; choose another name"
                }
                Self::RootTooWide { .. } => {
                    "give apps' secrets a directory of their own, beside the operator file"
                }
            }
            .to_owned(),
        )
    }
}

/// The environment, as `config` hands it on.
pub(crate) type Environment = Arc<dyn Fn(&str) -> Option<OsString> + Send + Sync>;

/// Where the app's own files are, for providers that read them.
#[derive(Clone, Debug)]
pub struct AppFiles {
    /// The directory of the app file; paths in references are relative to it.
    pub directory: PathBuf,
    /// The directory that no path may leave; absolute, without links.
    pub boundary: PathBuf,
}

/// The providers of an operator file by the name that placeholders use.
#[derive(Default)]
pub struct Providers {
    all: BTreeMap<String, Box<dyn Provider>>,
}

impl Providers {
    /// Makes the providers of an operator file.
    ///
    /// Relative paths are relative to `operator_dir`. `protected` are files that no provider may ever read, whatever
    /// its root: the operator file, the seal key, the checksum key. `app` is where the app's own files are. Nothing is
    /// read yet but the paths of roots.
    ///
    /// # Errors
    /// All settings that are not valid.
    pub fn new(
        config: &BTreeMap<String, ProviderConfig>,
        operator_dir: &Path,
        protected: &[PathBuf],
        app: &AppFiles,
        environment: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static,
    ) -> Result<Self, Failure> {
        #[cfg(not(feature = "sops"))]
        let _ = app;
        let environment: Environment = Arc::new(environment);
        let mut problems = Vec::new();
        let mut all = BTreeMap::new();
        for (name, config) in config {
            if let Err(error) = check_name(name) {
                problems.push(Problem::new(&error));
            }
            let provider: Result<Box<dyn Provider>, _> = match config {
                ProviderConfig::Env { names } => env::Env::new(name, names, Arc::clone(&environment))
                    .map(|provider| Box::new(provider) as Box<dyn Provider>),
                ProviderConfig::File { root } => file::File::new(name, root, operator_dir, protected)
                    .map(|provider| Box::new(provider) as Box<dyn Provider>),
                #[cfg(feature = "sops")]
                ProviderConfig::Sops { age_key_files, aws_kms } => {
                    sops::Sops::new(name, age_key_files, aws_kms.as_ref(), operator_dir, app)
                        .map(|provider| Box::new(provider) as Box<dyn Provider>)
                }
                #[cfg(not(feature = "sops"))]
                ProviderConfig::Sops { .. } => {
                    Err(ProviderConfigError::NotBuilt { provider: name.clone(), feature: "sops" })
                }
            };
            match provider {
                Ok(provider) => {
                    all.insert(name.clone(), provider);
                }
                Err(error) => problems.push(Problem::new(&error)),
            }
        }
        Failure::unless_empty(problems)?;
        Ok(Self { all })
    }

    /// The same, with one provider more (or replaced).
    #[must_use]
    pub fn with(mut self, name: &str, provider: impl Provider + 'static) -> Self {
        self.all.insert(name.to_owned(), Box::new(provider));
        self
    }

    /// Their names.
    #[must_use]
    pub fn names(&self) -> BTreeSet<String> {
        self.all.keys().cloned().collect()
    }

    /// Fetches each reference once, with one call per provider.
    pub(crate) fn fetch<'r>(
        &self,
        references: impl IntoIterator<Item = &'r Reference>,
        deadline: Instant,
    ) -> BTreeMap<&'r Reference, Fetched> {
        let mut by_provider: BTreeMap<&str, BTreeSet<&Reference>> = BTreeMap::new();
        for reference in references {
            by_provider.entry(&reference.provider).or_default().insert(reference);
        }
        let mut fetched = BTreeMap::new();
        for (name, references) in by_provider {
            let references: Vec<&Reference> = references.into_iter().collect();
            let mut answers = self.ask(name, &references, deadline).into_iter();
            for reference in references {
                let answer = answers.next().unwrap_or_else(|| {
                    Err(ProviderError::unreachable(
                        "its provider gave no answer",
                        "this is a defect of sealwave",
                    ))
                });
                fetched.insert(reference, answer);
            }
        }
        fetched
    }

    fn ask(&self, name: &str, references: &[&Reference], deadline: Instant) -> Vec<Fetched> {
        let error = match self.all.get(name) {
            Some(_) if Instant::now() >= deadline => ProviderError::unreachable(
                "the run's deadline has passed",
                "`deadlineSeconds` in the operator file sets it; stay under Argo CD's own limit",
            ),
            Some(provider) => return provider.fetch(references, deadline),
            None => ProviderError::invalid("there is no such provider", "add it to the operator file"),
        };
        vec![Err(error); references.len()]
    }
}

fn check_name(name: &str) -> Result<(), ProviderConfigError> {
    if name == DEFAULT_PROVIDER {
        Err(ProviderConfigError::ReservedName)
    } else if provider_name(&format!("{name}:")) != Some(name) {
        Err(ProviderConfigError::BadName(name.to_owned()))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
