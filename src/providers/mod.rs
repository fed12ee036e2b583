//! The adapters: where secrets come from, behind one trait.
//!
//! A provider is made from the operator file alone; nothing from Git reaches its address, its credentials or its
//! bounds. References are the only thing that comes from Git, and each provider takes them for hostile.
//! No error here holds a value, nor a part of the document that a value was looked for in.

#[cfg(feature = "aws")]
mod aws;
#[cfg(any(feature = "k8s", feature = "vault"))]
mod credential;
mod env;
mod file;
#[cfg(feature = "k8s")]
mod k8s;
#[cfg(any(feature = "k8s", feature = "vault"))]
mod retry;
#[cfg(any(feature = "aws", feature = "k8s", feature = "vault"))]
mod runtime;
#[cfg(feature = "sops")]
mod sops;
#[cfg(all(test, any(feature = "k8s", feature = "vault")))]
mod stub_server;
#[cfg(any(feature = "k8s", feature = "vault"))]
mod tls;
#[cfg(feature = "vault")]
mod vault;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crate::diagnostic::{Explain, Failure, Problem};
use crate::model::{DEFAULT_PROVIDER, ProviderConfig, Reference, SecretValue, list, provider_name};

/// The kinds that sealwave knows or will know; a placeholder of one of them is never meant as text.
pub const KINDS: [&str; 7] = ["aws-sm", "aws-ssm", "env", "file", "k8s", "sops", "vault"];

/// Stack of the thread that a provider is asked in: files are parsed there, within limits that this holds.
const STACK_BYTES: usize = 16 << 20;

/// What an answer says that the deadline cut off, until [`Providers::fetch`] has added what else was awaited.
const OVERDUE: &str = "the run's deadline came first";

const DEADLINE_HINT: &str = "`deadlineSeconds` in the operator file sets it; stay under Argo CD's own limit";

/// Names in the list of what was still awaited.
const MAX_AWAITED: usize = 20;

/// What one reference gave.
pub type Fetched = Result<SecretValue, ProviderError>;

/// A SHA-256 over what Git holds of a value.
pub type Evidence = [u8; 32];

/// A source of secrets.
pub trait Provider: Send + Sync {
    /// Fetches distinct references in as few calls as the source allows, and answers each in its place.
    ///
    /// Gives up at the deadline, with [`ProviderError::Unreachable`] for what is still missing.
    fn fetch(&self, references: &[&Reference], deadline: Instant) -> Vec<Fetched>;

    /// What the value of a reference stands on that Git holds, once it was fetched; none where Git holds the reference
    /// alone.
    ///
    /// Whoever can commit could replace that by a guess, and see from the sealed text whether it was right. What this
    /// gives becomes part of what the sealed text is made from, so it must differ for all that can be put there instead.
    fn evidence(&self, _reference: &Reference) -> Option<Evidence> {
        None
    }
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

    /// The answer for what was still awaited when the deadline came.
    pub(crate) fn overdue() -> Self {
        Self::unreachable(OVERDUE, DEADLINE_HINT)
    }

    fn is_overdue(&self) -> bool {
        matches!(self, Self::Unreachable { reason, .. } if reason == OVERDUE)
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
    /// A setting is not of the form that it must have.
    #[error("provider `{provider}`: `{field}` is not {wanted}")]
    BadSetting {
        /// The provider's name.
        provider: String,
        /// The setting.
        field: &'static str,
        /// What it must be.
        wanted: &'static str,
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
    /// This program was built without it.
    #[error("provider `{provider}`: this build has no `{kind}` provider")]
    NotBuilt {
        /// The provider's name.
        provider: String,
        /// Its kind.
        kind: &'static str,
        /// The Cargo feature that it comes with.
        feature: &'static str,
    },
    /// A setting must not be as it is.
    #[error("provider `{provider}`: {reason}")]
    Refused {
        /// The provider's name.
        provider: String,
        /// Which setting, and what is wrong with it.
        reason: String,
        /// What to do.
        hint: &'static str,
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
                Self::Refused { hint, .. } => hint,
                Self::NotBuilt { feature, .. } => {
                    return Some(format!("use a release, or build with `--features {feature}`"));
                }
                Self::BadName(_) => "a provider's name starts with a-z and holds a-z, 0-9 and `-` only",
                Self::BadPattern { .. } => "`*` matches any characters, `{A,B}` is a choice",
                Self::BadSetting { .. } => "correct it in the operator file",
                Self::CatchAll { .. } => "name the variables that are meant for apps, for example `SHOP_*`",
                Self::NoKeys { .. } => "give it `ageKeyFiles` or `awsKms`",
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
        let environment: Environment = Arc::new(environment);
        let mut problems = Vec::new();
        let mut all = BTreeMap::new();
        for (name, config) in config {
            if let Err(error) = check_name(name) {
                problems.push(Problem::new(&error));
            }
            let provider =
                make(name, config, &Surroundings { operator_dir, protected, app, environment: &environment });
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

    /// What the value of a reference stands on that Git holds; see [`Provider::evidence`].
    #[must_use]
    pub fn evidence(&self, reference: &Reference) -> Option<Evidence> {
        self.all.get(reference.provider.as_str())?.evidence(reference)
    }

    /// Their names.
    #[must_use]
    pub fn names(&self) -> BTreeSet<String> {
        self.all.keys().cloned().collect()
    }

    /// Fetches each reference once, with one call per provider, and all providers at the same time.
    pub fn fetch<'r>(
        &self,
        references: impl IntoIterator<Item = &'r Reference>,
        deadline: Instant,
    ) -> BTreeMap<&'r Reference, Fetched> {
        let mut by_provider: BTreeMap<&str, BTreeSet<&Reference>> = BTreeMap::new();
        for reference in references {
            by_provider.entry(&reference.provider).or_default().insert(reference);
        }
        let asked: Vec<(&str, Vec<&Reference>)> = by_provider
            .into_iter()
            .map(|(name, references)| (name, references.into_iter().collect()))
            .collect();
        let answers = thread::scope(|scope| {
            let running: Vec<_> = asked
                .iter()
                .map(|(name, references)| {
                    let ask = move || self.ask(name, references, deadline);
                    thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, ask)
                })
                .collect();
            running.into_iter().map(answers_of).collect::<Vec<_>>()
        });
        asked
            .into_iter()
            .zip(answers)
            .flat_map(|((_, references), answers)| each_in_its_place(references, answers))
            .collect()
    }

    fn ask(&self, name: &str, references: &[&Reference], deadline: Instant) -> Vec<Fetched> {
        let error = match self.all.get(name) {
            Some(_) if Instant::now() >= deadline => ProviderError::overdue(),
            Some(provider) => return provider.fetch(references, deadline),
            None => ProviderError::invalid("there is no such provider", "add it to the operator file"),
        };
        vec![Err(error); references.len()]
    }
}

/// What a provider's thread came to. What it panicked with may hold a value, so nobody looks at it.
fn answers_of(
    thread: std::io::Result<thread::ScopedJoinHandle<'_, Vec<Fetched>>>,
) -> Result<Vec<Fetched>, ProviderError> {
    match thread.map(thread::ScopedJoinHandle::join) {
        Ok(Ok(answers)) => Ok(answers),
        Ok(Err(_)) => {
            Err(ProviderError::unreachable("its provider broke down", "this is a defect of sealwave"))
        }
        Err(error) => Err(ProviderError::unreachable(
            format!("a thread cannot be started ({})", error.kind()),
            "give the container more processes or memory",
        )),
    }
}

/// One answer for each reference; those that the deadline cut off name all that was awaited.
fn each_in_its_place(
    references: Vec<&Reference>,
    answers: Result<Vec<Fetched>, ProviderError>,
) -> Vec<(&Reference, Fetched)> {
    let (answers, rest) = match answers {
        Ok(answers) => (
            answers,
            ProviderError::unreachable("its provider gave no answer", "this is a defect of sealwave"),
        ),
        Err(error) => (Vec::new(), error),
    };
    let answers = answers.into_iter().chain(std::iter::repeat_with(|| Err(rest.clone())));
    let mut all: Vec<(&Reference, Fetched)> = references.into_iter().zip(answers).collect();
    let overdue = |answer: &Fetched| matches!(answer, Err(error) if error.is_overdue());
    let awaited: BTreeSet<String> = all
        .iter()
        .filter(|(_, answer)| overdue(answer))
        .map(|(reference, _)| format!("{}:{}", reference.provider, reference.path))
        .collect();
    if !awaited.is_empty() {
        let error = ProviderError::unreachable(
            format!("{OVERDUE}; still awaited: {}", listed(&awaited)),
            DEADLINE_HINT,
        );
        all.iter_mut().filter(|(_, answer)| overdue(answer)).for_each(|(_, answer)| {
            *answer = Err(error.clone());
        });
    }
    all
}

fn listed(names: &BTreeSet<String>) -> String {
    let first: Vec<&String> = names.iter().take(MAX_AWAITED).collect();
    match names.len() - first.len() {
        0 => list(&first),
        more => format!("{} and {more} more", list(&first)),
    }
}

/// What a provider is made from, besides its settings.
struct Surroundings<'a> {
    operator_dir: &'a Path,
    protected: &'a [PathBuf],
    app: &'a AppFiles,
    environment: &'a Environment,
}

/// `$made`, or where the feature is not built in, the error that says so; `$made` is not compiled then.
macro_rules! if_built {
    ($feature:literal, $kind:literal, $name:ident, $settings:expr, $made:expr) => {{
        #[cfg(feature = $feature)]
        let made = $made;
        #[cfg(not(feature = $feature))]
        let made = {
            let _ = $settings;
            Err(ProviderConfigError::NotBuilt { provider: $name.to_owned(), kind: $kind, feature: $feature })
        };
        made
    }};
}

/// Makes one provider; each kind has its line here.
fn make(
    name: &str,
    config: &ProviderConfig,
    around: &Surroundings<'_>,
) -> Result<Box<dyn Provider>, ProviderConfigError> {
    let Surroundings { operator_dir, protected, app, environment } = *around;
    match config {
        ProviderConfig::AwsSm(settings) => {
            if_built!(
                "aws",
                "aws-sm",
                name,
                settings,
                aws::provider(name, aws::Service::SecretsManager, settings, environment)
            )
        }
        ProviderConfig::AwsSsm(settings) => {
            if_built!(
                "aws",
                "aws-ssm",
                name,
                settings,
                aws::provider(name, aws::Service::ParameterStore, settings, environment)
            )
        }
        ProviderConfig::Env { names } => env::Env::new(name, names, Arc::clone(environment)).map(boxed),
        ProviderConfig::File { root } => file::File::new(name, root, operator_dir, protected).map(boxed),
        ProviderConfig::K8s(settings) => {
            if_built!("k8s", "k8s", name, settings, k8s::K8s::new(name, settings, operator_dir).map(boxed))
        }
        ProviderConfig::Sops { age_key_files, aws_kms } => {
            if_built!(
                "sops",
                "sops",
                name,
                (app, age_key_files, aws_kms),
                sops::Sops::new(name, age_key_files, aws_kms.as_ref(), operator_dir, app, environment)
                    .map(boxed)
            )
        }
        ProviderConfig::Vault(settings) => {
            if_built!(
                "vault",
                "vault",
                name,
                settings,
                vault::Vault::new(name, settings, operator_dir).map(boxed)
            )
        }
    }
}

fn boxed(provider: impl Provider + 'static) -> Box<dyn Provider> {
    Box::new(provider)
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
