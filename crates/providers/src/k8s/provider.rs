//! The provider: the Secrets that references mean, and their requests.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use super::connection::{ClusterConnection, ClusterLogin};
use super::request::ClusterRequest;
use super::review;
use super::secret::ClusterSecret;
use super::settings::K8sSettings;
use super::settings_error::K8sSettingsError;
use crate::remote::{RemoteSource, TargetResults, runtime};
use crate::{CreateProvider, FetchResult, Login, Provider, ProviderContext, ProviderError, SettingsError};
use sealwave_core::diagnostic::{Explain, Note, Problem};
use sealwave_core::names::dns::{is_label, is_subdomain};
use sealwave_secrets::placeholder::SecretReference;

/// Concurrent requests: as many as most apps have secrets, so that all take as long as one.
const AT_ONCE: usize = 20;

impl CreateProvider for K8sSettings {
    fn create(&self, _name: &str, context: &ProviderContext<'_>) -> Result<Box<dyn Provider>, SettingsError> {
        let scope = NamespaceScope::new(self)?;
        if self.context.is_some() && self.kubeconfig.is_none() {
            return Err(K8sSettingsError::ContextWithoutKubeconfig.into());
        }
        Ok(Box::new(K8sProvider {
            scope,
            kubeconfig: self.kubeconfig.as_ref().map(|file| context.operator_dir.join(file)),
            context: self.context.clone(),
        }))
    }
}

struct K8sProvider {
    scope: NamespaceScope,
    kubeconfig: Option<PathBuf>,
    context: Option<String>,
}

/// The namespaces that may be read.
enum NamespaceScope {
    One(String),
    Several(BTreeSet<String>),
}

/// A namespace and the name of a Secret in it.
type SecretId<'r> = (&'r str, &'r str);

impl NamespaceScope {
    fn new(settings: &K8sSettings) -> Result<Self, K8sSettingsError> {
        let scope = match (&settings.namespace, &settings.namespaces[..]) {
            (Some(one), []) => Self::One(one.clone()),
            (None, [_, ..]) => Self::Several(settings.namespaces.iter().cloned().collect()),
            _ => return Err(K8sSettingsError::NoNamespace),
        };
        let is_valid = match &scope {
            Self::One(one) => is_label(one),
            Self::Several(several) => several.iter().all(|name| is_label(name)),
        };
        if is_valid { Ok(scope) } else { Err(K8sSettingsError::BadNamespace) }
    }

    fn namespaces(&self) -> impl Iterator<Item = &str> {
        let (one, several) = match self {
            Self::One(one) => (Some(one), None),
            Self::Several(several) => (None, Some(several)),
        };
        one.into_iter().chain(several.into_iter().flatten()).map(String::as_str)
    }
}

impl K8sProvider {
    async fn connect(&self) -> Result<ClusterConnection, ProviderError> {
        let login = match &self.kubeconfig {
            Some(file) => ClusterLogin::Operator(file, self.context.as_deref()),
            None => ClusterLogin::Pod,
        };
        ClusterConnection::open(login).await
    }
}

/// Returns the answer to a review; `None` if the cluster does not have or allow such reviews.
fn known<T>(answer: Result<T, ProviderError>) -> Result<Option<T>, ProviderError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(ProviderError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A cluster that tells neither who its client is nor what it may do.
#[derive(Debug, thiserror::Error)]
#[error("the cluster answers no review of these credentials, so they may not be valid")]
struct NoReview;

impl Explain for NoReview {
    fn hint(&self) -> Option<String> {
        Some(
            "allow `create` on `selfsubjectaccessreviews`, which the ClusterRole `system:basic-user` has"
                .to_owned(),
        )
    }
}

/// A namespace with Secrets that may not be read.
#[derive(Debug, thiserror::Error)]
#[error("sealwave is not allowed to get all Secrets in namespace `{namespace}`")]
struct NoAccess {
    namespace: String,
}

impl Explain for NoAccess {
    fn hint(&self) -> Option<String> {
        Some(
            "bind its service account to a Role in that namespace with `get` on `secrets`; a Role with `resourceNames` allows only those"
                .to_owned(),
        )
    }
}

impl RemoteSource for K8sProvider {
    type Target<'r> = SecretId<'r>;
    type Secret = ClusterSecret;

    fn parse<'r>(&'r self, reference: &'r SecretReference) -> Result<SecretId<'r>, ProviderError> {
        let path = reference.path.as_str();
        let id = match (&self.scope, path.split_once('/')) {
            (NamespaceScope::One(namespace), None) => (namespace.as_str(), path),
            (NamespaceScope::One(_), Some(_)) => {
                return Err(ProviderError::invalid(
                    "the path contains a `/`, but this provider reads only one namespace",
                    "write only the Secret's name, for example `<k8s:db#password>`",
                ));
            }
            (NamespaceScope::Several(namespaces), Some((namespace, name))) => {
                let known = namespaces.get(namespace).ok_or_else(|| {
                    ProviderError::denied(
                        "the operator file does not allow this namespace",
                        "add it to `namespaces` of this provider in the operator file",
                    )
                })?;
                (known.as_str(), name)
            }
            (NamespaceScope::Several(_), None) => {
                return Err(ProviderError::invalid(
                    "the path has no namespace, but this provider reads several",
                    "write `NAMESPACE/NAME`, for example `<k8s:shop/db#password>`",
                ));
            }
        };
        if !is_subdomain(id.1) {
            return Err(ProviderError::invalid(
                "the path is not a valid Secret name",
                "use a-z, 0-9, `-` and `.`, at most 253 characters, with a letter or digit at both ends of each part",
            ));
        }
        if reference.version.is_some() {
            return Err(ProviderError::invalid("a Secret has no versions", "leave the version out"));
        }
        if reference.key.is_none() && !reference.all_keys {
            return Err(ProviderError::invalid(
                "a Secret holds several values, but the reference has no key",
                "add the key, for example `<k8s:db#password>`",
            ));
        }
        Ok(id)
    }

    async fn fetch_all<'r>(
        &'r self,
        targets: BTreeSet<SecretId<'r>>,
        end: Instant,
    ) -> Result<TargetResults<'r, Self>, ProviderError> {
        let connection = self.connect().await?;
        let work = targets.iter().map(|(namespace, name)| {
            let (connection, namespace, name) =
                (connection.clone(), (*namespace).to_owned(), (*name).to_owned());
            async move {
                let question = ClusterRequest::Secret { namespace: &namespace, name: &name };
                ClusterSecret::read(connection.send(&question, end).await?)
            }
        });
        let answers = runtime::gather(end, AT_ONCE, work).await.into_iter();
        let answers = answers.map(|answer| answer.unwrap_or_else(|| Err(ProviderError::overdue())));
        Ok(targets.iter().copied().zip(answers).collect())
    }

    async fn try_login(&self, end: Instant) -> Result<Login, ProviderError> {
        let connection = self.connect().await?;
        let identity = connection.send(&ClusterRequest::Identity, end).await;
        let identity = known(identity)?.and_then(|answer| review::read_identity(&answer));
        let mut login = Login::with_identity(identity.as_deref());
        let mut is_answered = identity.is_some();
        for namespace in self.scope.namespaces() {
            let answer = known(connection.send(&ClusterRequest::Access { namespace }, end).await)?;
            is_answered |= answer.is_some();
            if answer.is_some_and(|answer| review::is_refused(&answer)) {
                let note = NoAccess { namespace: namespace.to_owned() };
                login.notes.push(Note::warning(Problem::new(&note)));
            }
        }
        if !is_answered {
            login.notes.push(Note::warning(Problem::new(&NoReview)));
        }
        Ok(login)
    }

    fn select(secret: &ClusterSecret, reference: &SecretReference) -> FetchResult {
        if reference.all_keys {
            return secret.entries();
        }
        secret.value(reference.key.as_deref().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
