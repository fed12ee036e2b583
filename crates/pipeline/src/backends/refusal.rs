//! What a backend that stores references cannot express, and the nearest way out. No word here comes from a literal.

use super::naming::NamingError;
use sealwave_core::diagnostic::{Explain, Problem};
use sealwave_core::document::Origin;
use sealwave_secrets::settings::Backend;

/// A Secret, or an item of one, that a backend cannot express.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} cannot become {}: {why}", whose(.secret, .key.as_ref()), kind(*.backend))]
pub(crate) struct Refusal {
    pub(crate) backend: Backend,
    pub(crate) namespace: String,
    pub(crate) secret: String,
    /// None where it is about the Secret as a whole.
    pub(crate) key: Option<String>,
    pub(crate) why: Why,
}

fn whose(secret: &str, key: Option<&String>) -> String {
    key.map_or_else(|| format!("Secret `{secret}`"), |key| format!("item `{key}` of Secret `{secret}`"))
}

const fn kind(backend: Backend) -> &'static str {
    match backend {
        Backend::ExternalSecrets => "part of an ExternalSecret",
        Backend::SealedSecrets => "part of a SealedSecret",
        Backend::SecretsStoreCsi => "part of a SecretProviderClass",
    }
}

/// Why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Why {
    #[error("it takes all keys of `{reference}`, and the driver reads keys by their names only")]
    AllKeys { reference: String },
    #[error("it takes some keys of `{reference}` by patterns, and the operator takes all or named ones only")]
    KeyPatterns { reference: String },
    #[error("it stands beside all keys of a secret, so that it cannot have text or modifiers of its own")]
    TextBesideAllKeys,
    #[error("the ARN in `{reference}` is not of {expected}")]
    Arn { reference: String, expected: String },
    #[error("the driver cannot make a Secret immutable")]
    Immutable,
    #[error("the version of the KV engine that `{reference}` is read from is not known")]
    KvVersion { reference: String },
    #[error("it holds no placeholder, and only references can be stored")]
    Literal,
    #[error("modifier `{name}` is not known there")]
    Modifier { name: &'static str },
    #[error("modifier `{name}` works there on the fetched value only, not after `{after}`")]
    ModifierOrder { name: &'static str, after: &'static str },
    #[error(
        "its placeholders read `{first}` and `{second}`, and text can be joined from one remote object only"
    )]
    ManyObjects { first: String, second: String },
    #[error("its placeholders need different providers or regions of the driver: `{first}` and `{second}`")]
    ManyProviders { first: String, second: String },
    #[error("modifier `jsonPath` has a form that cannot be translated")]
    JsonPath,
    #[error("modifier `jsonPath` after a `#key` reads JSON within JSON, which is not known there")]
    JsonPathInKey,
    #[error(transparent)]
    Naming(NamingError),
    #[error("its name is made by the API server")]
    NoName,
    #[error("`{reference}` has no `#key`, and the driver reads single keys from Vault only")]
    NoKey { reference: String },
    #[error("`{reference}` does not lie in mount `{mount}` of the store")]
    OutsideMount { reference: String, mount: String },
    #[error("no pod of this output uses it, and the driver makes a Secret only while a pod mounts it")]
    NoPod,
    #[error("{workload} pulls its image with it, before the pod could mount anything")]
    PullSecret { workload: String },
    #[error("{workload} has a pod spec that the volume cannot be added to")]
    PodSpec { workload: String },
    #[error("the driver splits PEM text of type `{0}` in its own way")]
    PemType(String),
    #[error("the text around a value from Vault cannot be joined with it")]
    TextAroundVault,
    #[error("type `{0}` is refused by the operator")]
    Type(String),
    #[error("provider `{provider}` is not known to it")]
    UnknownProvider { provider: String, section: &'static str, readable: bool },
    #[error("the version in `{reference}` cannot be asked for")]
    Version { reference: String },
    #[error("`{reference}` leads into a field, and the driver reads whole fields from Vault only")]
    WithinField { reference: String },
    #[error("the whole value of `{reference}` cannot stand within a longer text")]
    WholeInText { reference: String },
    #[error("`{field}` must be of type {expected}, not {found}")]
    WrongType { field: &'static str, expected: &'static str, found: &'static str },
}

impl Explain for Refusal {
    fn hint(&self) -> Option<String> {
        let otherwise = || {
            format!(
                "or let this Secret be sealed: `secretBackends: {{{}/{}: sealed-secrets}}` in the environment",
                self.namespace, self.secret
            )
        };
        let way = match &self.why {
            Why::AllKeys { .. } => "name each key in `stringData`, or use the backend `external-secrets`",
            Why::KeyPatterns { .. } => "name each key in `stringData`, or take all keys",
            Why::TextBesideAllKeys => "put it into a Secret of its own",
            Why::Arn { .. } => return Some("correct the ARN, or the settings in sealwave.yaml".to_owned()),
            Why::Immutable => "remove `immutable`",
            Why::KvVersion { .. } => {
                return Some(
                    "set `kvVersion`, or `mounts` such as `{secret: 2, team/kv: 1}`, for this provider under `secretsStoreCsi.providers` in sealwave.yaml"
                        .to_owned(),
                );
            }
            Why::OutsideMount { .. } => {
                "write the mount as the path's first part, or add a store for the other mount"
            }
            Why::Literal => "put what is no secret in a ConfigMap, and what is one in the store",
            Why::Modifier { .. } | Why::ModifierOrder { .. } => "store the value in the form that is needed",
            Why::ManyObjects { .. } => {
                "keep both values in one JSON secret, or use the backend `external-secrets`"
            }
            Why::ManyProviders { .. } => "split the Secret",
            Why::JsonPath => "name one place with fields and indices, such as `{.a.b[0]}`",
            Why::JsonPathInKey => "store the inner document as JSON instead of as text",
            Why::NoKey { .. } => "name a key: `#key`",
            Why::Naming(error) => return error.hint(),
            Why::NoName => "give it a name",
            Why::NoPod | Why::PemType(_) | Why::PullSecret { .. } => {
                "use the backend `external-secrets` for it"
            }
            Why::PodSpec { .. } => {
                return Some("`volumes`, `containers` and `volumeMounts` are lists".to_owned());
            }
            Why::TextAroundVault => {
                "store the whole text under one key, or use the backend `external-secrets`"
            }
            Why::Type(_) => "let Kubernetes make such Secrets itself",
            Why::UnknownProvider { section, readable: true, .. } => {
                return Some(format!("add it under `{section}` in sealwave.yaml"));
            }
            Why::UnknownProvider { .. } => "keep the value in AWS Secrets Manager, Parameter Store or Vault",
            Why::Version { .. } => "leave the version out",
            Why::WithinField { .. } => {
                "store the value as a field of its own, or use the backend `external-secrets`"
            }
            Why::WholeInText { .. } => {
                "keep the value under a key of a JSON secret, or use the backend `external-secrets`"
            }
            Why::WrongType { .. } => return None,
        };
        Some(format!("{way}; {}", otherwise()))
    }
}

/// Collects the refusals of one Secret.
pub(crate) struct Refusals<'a> {
    backend: Backend,
    namespace: &'a str,
    secret: &'a str,
    problems: Vec<Problem>,
}

impl<'a> Refusals<'a> {
    pub(crate) const fn new(backend: Backend, namespace: &'a str, secret: &'a str) -> Self {
        Self { backend, namespace, secret, problems: Vec::new() }
    }

    /// Something about the Secret as a whole.
    pub(crate) fn whole(&mut self, origin: Origin, why: Why) {
        self.add(None, origin, why);
    }

    /// Something about one item.
    pub(crate) fn item(&mut self, key: &str, origin: Origin, why: Why) {
        self.add(Some(key.to_owned()), origin, why);
    }

    fn add(&mut self, key: Option<String>, origin: Origin, why: Why) {
        let (namespace, secret) = (self.namespace.to_owned(), self.secret.to_owned());
        let refusal = Refusal { backend: self.backend, namespace, secret, key, why };
        self.problems.push(Problem::at(origin, &refusal));
    }

    /// What was built, unless something was refused.
    pub(crate) fn unless_any<T>(self, built: T) -> Result<T, Vec<Problem>> {
        if self.problems.is_empty() { Ok(built) } else { Err(self.problems) }
    }
}
