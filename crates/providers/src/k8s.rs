//! `<k8s:db#password>`: a key of a Secret in a namespace that the operator allows.
//!
//! If the operator lists one namespace, the path is the Secret's name; otherwise it is `NAMESPACE/NAME`. The value is the
//! exact bytes of the key; if the key does not exist, it is read as a path into an item whose text is JSON. Service
//! account tokens and bootstrap tokens are never returned, since they grant access to the cluster. Errors never contain
//! the cluster's responses.

mod connection;
pub(super) mod definitions;
mod request;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use self::connection::ClusterConnection;
pub(super) use self::connection::ClusterLogin;
use self::request::ClusterRequest;
use super::runtime::{self, RuntimeError};
use super::{FetchResult, FetchedValue, Provider, ProviderConfigError, ProviderError};
use sealwave_core::diagnostic::DUPLICATE_KEY;
use sealwave_core::names::dns::{is_label, is_subdomain};
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::settings::K8sSettings;
use sealwave_secrets::values::json_text::{self, JsonTextError};
use sealwave_secrets::values::{
    KEY_HINT, KeyPath, MissingStep, SecretEntries, SecretValue, ValueShape, WalkError,
};

/// Concurrent requests: as many as most apps have secrets, so that all take as long as one.
const AT_ONCE: usize = 20;

/// Types of Secrets that are credentials for the cluster itself.
const REFUSED_TYPES: [&str; 2] = ["bootstrap.kubernetes.io/token", "kubernetes.io/service-account-token"];

pub(super) struct K8sProvider {
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

impl K8sProvider {
    pub(super) fn new(
        provider: &str,
        settings: &K8sSettings,
        operator_dir: &Path,
    ) -> Result<Self, ProviderConfigError> {
        let refused = |reason: &str, hint| ProviderConfigError::Refused {
            provider: provider.to_owned(),
            reason: reason.to_owned(),
            hint,
        };
        let scope = match (&settings.namespace, &settings.namespaces[..]) {
            (Some(one), []) => NamespaceScope::One(one.clone()),
            (None, [_, ..]) => NamespaceScope::Several(settings.namespaces.iter().cloned().collect()),
            _ => return Err(refused("either `namespace` or `namespaces` is required", SCOPE_HINT)),
        };
        let is_valid = match &scope {
            NamespaceScope::One(one) => is_label(one),
            NamespaceScope::Several(several) => several.iter().all(|name| is_label(name)),
        };
        if !is_valid {
            return Err(refused(
                "a name in `namespace` or `namespaces` is not a valid namespace name",
                SCOPE_HINT,
            ));
        }
        if settings.context.is_some() && settings.kubeconfig.is_none() {
            return Err(refused("`context` needs `kubeconfig`", "set `kubeconfig`, or remove `context`"));
        }
        Ok(Self {
            scope,
            kubeconfig: settings.kubeconfig.as_ref().map(|file| operator_dir.join(file)),
            context: settings.context.clone(),
        })
    }

    /// Returns the Secret that a reference refers to.
    fn check<'r>(&'r self, reference: &'r SecretReference) -> Result<SecretId<'r>, ProviderError> {
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
            return Err(ProviderError::invalid("a Secret has no versions", "omit the version"));
        }
        if reference.key.is_none() && !reference.all_keys {
            return Err(ProviderError::invalid(
                "a Secret holds several values, but the reference has no key",
                "add the key, for example `<k8s:db#password>`",
            ));
        }
        Ok(id)
    }

    async fn secrets<'r>(
        &self,
        wanted: BTreeSet<SecretId<'r>>,
        end: Instant,
    ) -> Result<BTreeMap<SecretId<'r>, Result<ClusterSecret, ProviderError>>, ProviderError> {
        let login = match &self.kubeconfig {
            Some(file) => ClusterLogin::Operator(file, self.context.as_deref()),
            None => ClusterLogin::Pod,
        };
        let connection = ClusterConnection::open(login).await?;
        let work = wanted.iter().map(|(namespace, name)| {
            let (connection, namespace, name) =
                (connection.clone(), (*namespace).to_owned(), (*name).to_owned());
            async move {
                let question = ClusterRequest::Secret { namespace: &namespace, name: &name };
                ClusterSecret::read(connection.get(&question, end).await?)
            }
        });
        let answers = runtime::gather(end, AT_ONCE, work).await.into_iter();
        let answers = answers.map(|answer| answer.unwrap_or_else(|| Err(ProviderError::overdue())));
        Ok(wanted.iter().copied().zip(answers).collect())
    }
}

const SCOPE_HINT: &str =
    "`namespace: shop-secrets` reads Secrets from one namespace, `namespaces: [a, b]` from several";

impl Provider for K8sProvider {
    fn fetch(&self, references: &[&SecretReference], deadline: Instant) -> Vec<FetchResult> {
        let checked: Vec<_> = references.iter().map(|reference| self.check(reference)).collect();
        let wanted: BTreeSet<_> = checked.iter().filter_map(|id| id.as_ref().ok().copied()).collect();
        let secrets = if wanted.is_empty() {
            Ok(BTreeMap::new())
        } else {
            match runtime::run(deadline, |end| self.secrets(wanted, end)) {
                Ok(secrets) => secrets,
                Err(RuntimeError::DeadlineExceeded) => Err(ProviderError::overdue()),
                Err(RuntimeError::NotStarted(kind)) => {
                    Err(ProviderError::cannot_start("the network runtime", kind))
                }
            }
        };
        let fetched = |id: Result<SecretId<'_>, ProviderError>, reference: &SecretReference| {
            let id = id?;
            let secrets = secrets.as_ref().map_err(ProviderError::clone)?;
            let secret = secrets.get(&id).ok_or_else(ProviderError::overdue)?;
            let secret = secret.as_ref().map_err(ProviderError::clone)?;
            if reference.all_keys {
                return secret.entries();
            }
            secret.value(reference.key.as_deref().unwrap_or_default())
        };
        checked.into_iter().zip(references).map(|(id, reference)| fetched(id, reference)).collect()
    }
}

/// A Secret as the cluster returned it.
struct ClusterSecret {
    json: Zeroizing<Vec<u8>>,
    /// Identifies the state of the Secret.
    resource_version: Option<String>,
}

impl ClusterSecret {
    fn read(json: Zeroizing<Vec<u8>>) -> Result<Self, ProviderError> {
        let mut secret = Self { json, resource_version: None };
        let string_at = |path: &[&str]| -> Result<Option<String>, JsonTextError> {
            Ok(secret.member(path)?.and_then(|json| serde_json::from_str(json.get()).ok()))
        };
        if string_at(&["kind"]).map_err(malformed)?.as_deref() != Some("Secret") {
            return Err(malformed(JsonTextError::Syntax));
        }
        let kind = string_at(&["type"]).map_err(malformed)?.unwrap_or_default();
        if REFUSED_TYPES.contains(&kind.as_str()) {
            return Err(ProviderError::denied(
                format!("Secrets of type `{kind}` are credentials for the cluster itself"),
                "use a Secret that was created for the app",
            ));
        }
        let resource_version = string_at(&["metadata", "resourceVersion"]).map_err(malformed)?;
        secret.resource_version = resource_version;
        Ok(secret)
    }

    fn value(&self, key: &str) -> FetchResult {
        let path = KeyPath::parse(key).map_err(ProviderError::bad_key)?;
        let value = match path.single().map(|key| self.item(key)).transpose()?.flatten() {
            Some(value) => value,
            None => self.within_item(&path)?,
        };
        Ok(FetchedValue::with_version(value, self.resource_version.as_deref()))
    }

    /// Looks up a path in the JSON of an item: the first name is the item's key.
    fn within_item(&self, path: &KeyPath) -> Result<SecretValue, ProviderError> {
        let missing = |step: MissingStep| ProviderError::not_found(step.message("the Secret"), KEY_HINT);
        let missing_item = || missing(path.missing(0, ValueShape::Object));
        let (first, _) = path.names().next().ok_or_else(missing_item)?;
        if path.names().len() == 1 {
            return Err(missing_item());
        }
        let item = self.item(first)?.ok_or_else(missing_item)?;
        let text = item.expose_str().unwrap_or("");
        if !text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with(['{', '[']) {
            return Err(missing(path.missing(1, ValueShape::Scalar)));
        }
        let found = json_text::lookup_from(text, path, 1).map_err(|error| match error {
            WalkError::Missing(step) => missing(step),
            WalkError::Structure(JsonTextError::Duplicate) => {
                ProviderError::invalid(DUPLICATE_KEY, "remove one of them from the Secret")
            }
            WalkError::Structure(JsonTextError::Syntax) => ProviderError::invalid(
                "the item is not well-formed JSON",
                "use only the key of the item, or correct its JSON",
            ),
        })?;
        Ok(SecretValue::new(found.as_bytes().to_vec()))
    }

    /// Returns the bytes of an item.
    fn item(&self, key: &str) -> Result<Option<SecretValue>, ProviderError> {
        let Some(found) = self.member(&["data", key]).map_err(malformed)? else { return Ok(None) };
        let encoded: Option<Zeroizing<String>> = serde_json::from_str(found.get()).ok().map(Zeroizing::new);
        let value = encoded.as_ref().and_then(|encoded| decode(encoded.as_bytes()));
        value.map(Some).ok_or_else(|| malformed(JsonTextError::Syntax))
    }

    /// Returns all keys, each with its bytes.
    fn entries(&self) -> FetchResult {
        let data = self.member(&["data"]).map_err(malformed)?;
        let encoded = data.map(|data| SecretEntries::from_json(data.get())).transpose()?.unwrap_or_default();
        let mut entries = SecretEntries::default();
        for (key, value) in encoded.iter() {
            let value = decode(value.expose()).ok_or_else(|| malformed(JsonTextError::Syntax))?;
            entries.insert(key.to_owned(), Some(value))?;
        }
        Ok(FetchedValue::with_version(entries, self.resource_version.as_deref()))
    }

    fn member(&self, path: &[&str]) -> Result<Option<&serde_json::value::RawValue>, JsonTextError> {
        let text = std::str::from_utf8(&self.json).map_err(|_| JsonTextError::Syntax)?;
        let mut at = json_text::parse(text)?;
        for field in path {
            match json_text::member(at, field)? {
                Some(value) => at = value,
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }
}

fn decode(base64: &[u8]) -> Option<SecretValue> {
    STANDARD.decode(base64).ok().map(SecretValue::new)
}

fn malformed(_: JsonTextError) -> ProviderError {
    ProviderError::invalid(
        "the cluster's response is not a Secret",
        "check that the cluster's address is that of its API server",
    )
}

#[cfg(test)]
mod tests;
