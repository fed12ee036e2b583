//! The change that a user asks for, where it stands, and the next step.

use sealwave_core::diagnostic::Explain;
use sealwave_core::text::{closest_name, quoted_list};
use sealwave_secrets::settings::{BackendChoice, BackendKind, EnvironmentBackends};

/// The Secrets whose backend changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwitchScope {
    /// All Secrets of the environment without an entry of their own.
    Environment,
    /// The Secrets that an entry of `secretBackends` is about: `name`, or `namespace/name`.
    Entry(String),
}

/// A Secret, by namespace and name.
pub type SecretName = (String, String);

/// The change of a backend that a user asks for.
#[derive(Clone, Debug)]
pub struct SwitchRequest {
    /// The environment.
    pub environment: String,
    /// The Secrets.
    pub scope: SwitchScope,
    /// The new backend.
    pub to: BackendKind,
}

/// The next step of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwitchStep {
    /// The next commit takes back the release to another backend.
    Cancel,
    /// The next commit releases the Secrets.
    Release,
    /// The next commit lets the new backend take the Secrets over.
    TakeOver,
    /// Both commits are made.
    Complete,
}

/// A change of a backend: where it stands, and what comes next.
#[derive(Clone, Debug)]
pub struct Switch {
    /// The request.
    pub request: SwitchRequest,
    /// The Secrets, in order.
    pub secrets: Vec<SecretName>,
    /// The present choice in the app file.
    pub current: BackendChoice,
    /// The next step.
    pub step: SwitchStep,
    /// Whether Argo CD itself applies the Secrets, and no backend supplies them.
    pub is_plain: bool,
}

/// A reason why a change cannot be planned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SwitchError {
    /// The entry is not about any Secret.
    #[error("environment `{environment}` has no placeholder Secret or SealedSecret `{entry}`")]
    NoSuchSecret {
        /// The environment.
        environment: String,
        /// The entry.
        entry: String,
        /// The Secrets that the environment has, as `namespace/name`.
        known: Vec<String>,
    },
    /// No Secret follows the environment's backend.
    #[error("environment `{0}` has no placeholder Secret that follows its `backend`")]
    NoSecrets(String),
    /// The Secrets of an entry have several backends.
    #[error("the Secrets `{0}` have different backends")]
    SeveralBackends(String),
    /// An entry with the namespace takes precedence over the entry of the request.
    #[error("an entry of `secretBackends` with a namespace takes precedence over `{0}`")]
    OtherEntry(String),
    /// A committed SealedSecret has this backend already.
    #[error("the Secrets are committed SealedSecrets")]
    AlreadySealed,
    /// The Secrets have their values in the manifests.
    #[error("values of these Secrets are in the manifests, not in a source: {0}")]
    Values(String),
    /// Another change is under way.
    #[error("the Secrets are being switched to `{0}`")]
    OtherSwitch(BackendKind),
}

impl Explain for SwitchError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoSuchSecret { entry, known, .. } => known_secrets(entry, known),
            Self::NoSecrets(_) => "name a Secret with `--secret`".to_owned(),
            Self::SeveralBackends(name) => format!("name one of them: `--secret NAMESPACE/{name}`"),
            Self::OtherEntry(name) => format!("name that entry: `--secret NAMESPACE/{name}`"),
            Self::AlreadySealed => {
                "one commit is enough: replace the file by a placeholder Secret of the same name, scope and namespace"
                    .to_owned()
            }
            Self::Values(_) => {
                "replace them by placeholders, with the backend as it is: the Secrets stay the same; sync, and run `sealwave switch` again".to_owned()
            }
            Self::OtherSwitch(to) => format!("finish it first: `sealwave switch --to {to}`"),
        })
    }
}

/// Returns the Secret that an entry probably means, else the known ones.
fn known_secrets(entry: &str, known: &[String]) -> String {
    const SHOWN: usize = 10;
    let is_full = entry.contains('/');
    let names = known
        .iter()
        .map(|id| if is_full { id } else { id.split_once('/').map_or(id.as_str(), |(_, name)| name) });
    if let Some(meant) = closest_name(entry, names) {
        return format!("did you mean `{meant}`?");
    }
    match known.len() {
        0 => "the environment has neither".to_owned(),
        count if count > SHOWN => {
            let shown = quoted_list(known.get(..SHOWN).unwrap_or(known));
            format!("it has {shown}, and {} more", count - SHOWN)
        }
        _ => format!("it has {}", quoted_list(known)),
    }
}

impl Switch {
    /// Decides where a change stands, from the settings of an environment and its placeholder Secrets.
    ///
    /// # Errors
    /// The change is not about any Secret, or another one is under way.
    pub fn new(
        request: SwitchRequest,
        backends: &EnvironmentBackends,
        secrets: impl IntoIterator<Item = SecretName>,
    ) -> Result<Self, SwitchError> {
        let mut secrets: Vec<SecretName> =
            secrets.into_iter().filter(|secret| request.covers(backends, secret)).collect();
        secrets.sort_unstable();
        secrets.dedup();
        let Some((namespace, name)) = secrets.first() else {
            let environment = request.environment.clone();
            return Err(match &request.scope {
                SwitchScope::Environment => SwitchError::NoSecrets(environment),
                SwitchScope::Entry(entry) => {
                    SwitchError::NoSuchSecret { environment, entry: entry.clone(), known: Vec::new() }
                }
            });
        };
        let current = backends.choice_for(namespace, name);
        if secrets.iter().any(|(namespace, name)| backends.choice_for(namespace, name) != current) {
            return Err(SwitchError::SeveralBackends(name.clone()));
        }
        let step = next_step(current, request.to)?;
        let switch = Self { request, secrets, current, step, is_plain: false };
        switch.check_effect(backends)?;
        Ok(switch)
    }

    /// Decides where the change of committed SealedSecrets stands: the files release their Secrets, and are then replaced.
    ///
    /// # Errors
    /// The change is not about any Secret, or the new backend is the present one.
    pub fn of_committed(
        request: SwitchRequest,
        mut secrets: Vec<SecretName>,
        is_released: bool,
    ) -> Result<Self, SwitchError> {
        if request.to == BackendKind::SealedSecrets {
            return Err(SwitchError::AlreadySealed);
        }
        secrets.sort_unstable();
        secrets.dedup();
        let (step, release_to) =
            if is_released { (SwitchStep::TakeOver, Some(request.to)) } else { (SwitchStep::Release, None) };
        Ok(Self {
            request,
            secrets,
            current: BackendChoice { kind: BackendKind::SealedSecrets, release_to },
            step,
            is_plain: false,
        })
    }

    /// Decides where the change of plain Secrets stands: their files release them, and are then replaced.
    #[must_use]
    pub fn of_plain(request: SwitchRequest, secrets: Vec<SecretName>, is_released: bool) -> Self {
        let step = if is_released { SwitchStep::TakeOver } else { SwitchStep::Release };
        let current = request.to.into();
        Self { request, secrets, current, step, is_plain: true }
    }

    /// Checks that the entry of the request decides about its Secrets.
    fn check_effect(&self, backends: &EnvironmentBackends) -> Result<(), SwitchError> {
        let (Some(choice), Some(entry)) = (self.next_choice(), self.request.entry()) else { return Ok(()) };
        let after = backends.clone().with_choice(Some(entry), choice);
        let decides = |(namespace, name): &SecretName| after.choice_for(namespace, name) == choice;
        if self.secrets.iter().all(decides) { Ok(()) } else { Err(SwitchError::OtherEntry(entry.to_owned())) }
    }

    /// Returns the choice that the next commit writes; `None` if no commit is left.
    #[must_use]
    pub fn next_choice(&self) -> Option<BackendChoice> {
        let to = self.request.to;
        match self.step {
            SwitchStep::Complete => None,
            SwitchStep::Cancel | SwitchStep::TakeOver => Some(to.into()),
            SwitchStep::Release => Some(BackendChoice { kind: self.current.kind, release_to: Some(to) }),
        }
    }

    /// Reports whether pods restart in any case, because the driver's volume is part of their template.
    #[must_use]
    pub fn changes_pods(&self) -> bool {
        if self.is_plain {
            return self.request.to == BackendKind::SecretsStoreCsi;
        }
        let both = [self.current.kind, self.request.to];
        self.current.kind != self.request.to && both.contains(&BackendKind::SecretsStoreCsi)
    }
}

impl SwitchRequest {
    /// Returns the entry of `secretBackends` that changes; `None` for the environment's backend.
    #[must_use]
    pub fn entry(&self) -> Option<&str> {
        match &self.scope {
            SwitchScope::Environment => None,
            SwitchScope::Entry(entry) => Some(entry),
        }
    }

    /// Reports whether the request is about a Secret.
    #[must_use]
    pub fn covers(&self, backends: &EnvironmentBackends, secret: &SecretName) -> bool {
        let has_own_entry = || backends.has_own_entry(&secret.0, &secret.1);
        self.names(secret) && (self.entry().is_some() || !has_own_entry())
    }

    /// Reports whether the request names a Secret, or all.
    #[must_use]
    pub fn names(&self, (namespace, name): &SecretName) -> bool {
        match &self.scope {
            SwitchScope::Environment => true,
            SwitchScope::Entry(entry) => match entry.split_once('/') {
                Some(parts) => parts == (namespace.as_str(), name.as_str()),
                None => entry == name,
            },
        }
    }
}

fn next_step(current: BackendChoice, to: BackendKind) -> Result<SwitchStep, SwitchError> {
    match current.release_to {
        None if current.kind == to => Ok(SwitchStep::Complete),
        None => Ok(SwitchStep::Release),
        Some(target) if target == to => Ok(SwitchStep::TakeOver),
        Some(_) if current.kind == to => Ok(SwitchStep::Cancel),
        Some(target) => Err(SwitchError::OtherSwitch(target)),
    }
}
