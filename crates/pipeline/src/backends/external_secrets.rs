//! Builds the `ExternalSecret` for a Secret: references and a template for the External Secrets Operator.
//!
//! All fields for which the CRD has defaults are set, and durations are in Go's format: anything that the cluster
//! adds or rewrites keeps Argo CD out of sync forever. There is always a template with its own metadata: without it, the
//! controller copies the `ExternalSecret`'s labels and annotations, including Argo CD's tracking, to the Secret.
//!
//! Literal text around placeholders is written to the template in plaintext: it already is in Git, and the secret is in
//! the reference. An item without a placeholder is rejected, since it may itself be a secret.

mod reason;
mod remote;
mod template;

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use self::reason::ExternalSecretReason;
use self::remote::{RemoteRef, TranslatedPlaceholder};
use super::backend::{Backend, UnresolvedSecret};
use super::common::{
    ObjectBuilder, build_object, declared_type, display_reference, is_immutable, unknown_provider,
};
use super::metadata;
use super::refusal::RefusalCollector;
use sealwave_core::diagnostic::{Note, Problem};
use sealwave_core::document::{Manifest, Mapping, MappingEntry};
use sealwave_secrets::SealingScope;
use sealwave_secrets::placeholder::KeySource;
use sealwave_secrets::placeholder::{PlaceholderText, SecretReference, TextPart};
use sealwave_secrets::settings::{
    BackendKind, EnvironmentBackends, ExternalSecretVersion, ExternalSecrets, ExternalStore,
};

/// Types of Secrets that the webhook of the External Secrets Operator refuses.
const REFUSED_TYPES: [&str; 2] = ["bootstrap.kubernetes.io/token", "kubernetes.io/service-account-token"];

/// Builds `ExternalSecret` objects.
pub(super) struct ExternalSecretsBackend;

impl Backend for ExternalSecretsBackend {
    type Secret = UnresolvedSecret;
    type Object = Manifest;

    fn build(
        &self,
        secret: UnresolvedSecret,
        settings: &EnvironmentBackends,
        _: &mut Vec<Note>,
    ) -> Result<Manifest, Vec<Problem>> {
        let builder = ExternalSecretBuilder {
            settings: settings.external_secrets(),
            release_to: secret.release_to,
            sources: Vec::new(),
            remotes: Vec::new(),
            numbers: BTreeMap::new(),
            data: Map::new(),
            named: Vec::new(),
        };
        build_object(secret, builder)
    }
}

/// A builder of an `ExternalSecret`.
struct ExternalSecretBuilder<'a> {
    settings: &'a ExternalSecrets,
    release_to: Option<BackendKind>,
    /// Secrets whose keys are all requested, and the prefixes of these keys.
    sources: Vec<(&'a ExternalStore, RemoteRef, String)>,
    /// The requested remote references in order of first use; the `n`th is `rn` in templates.
    remotes: Vec<(&'a ExternalStore, RemoteRef)>,
    numbers: BTreeMap<(&'a str, RemoteRef), usize>,
    /// Item keys and their templates.
    data: Map<String, Json>,
    /// Items next to all keys of a secret, under their own keys: a template would also contain the generated names.
    named: Vec<(String, &'a ExternalStore, RemoteRef)>,
}

impl ObjectBuilder for ExternalSecretBuilder<'_> {
    const OBJECT: &'static str = "an ExternalSecret";

    type Reason = ExternalSecretReason;

    fn check_secret(secret: &Manifest, refusals: &mut RefusalCollector<'_>) {
        if REFUSED_TYPES.contains(&declared_type(secret)) {
            let reason = ExternalSecretReason::Type(declared_type(secret).to_owned());
            refusals.refuse_secret(secret.origin(), &reason);
        }
    }

    fn add_source(&mut self, source: &KeySource) -> Result<(), ExternalSecretReason> {
        let (_, store) = self.store(&source.reference)?;
        // Patterns of an `ExternalSecret` select secrets by name, not keys.
        if !source.selects_all() {
            return Err(ExternalSecretReason::KeyPatterns {
                reference: display_reference(&source.reference),
            });
        }
        self.sources.push((store, RemoteRef::all_keys(&source.reference, store)?, source.prefix.clone()));
        Ok(())
    }

    fn add_item(&mut self, key: &str, text: &PlaceholderText) -> Result<(), ExternalSecretReason> {
        if !self.sources.is_empty() {
            return self.named_item(key, text);
        }
        let template = self.text(text)?;
        self.data.insert(key.to_owned(), template.into());
        Ok(())
    }

    fn finish(self, secret: &Manifest) -> Json {
        let version = match self.settings.version {
            ExternalSecretVersion::V1 => "external-secrets.io/v1",
            ExternalSecretVersion::V1beta1 => "external-secrets.io/v1beta1",
        };
        let spec = self.spec(secret);
        json!({"apiVersion": version, "kind": "ExternalSecret", "metadata": null, "spec": spec})
    }
}

impl<'a> ExternalSecretBuilder<'a> {
    fn text(&mut self, text: &PlaceholderText) -> Result<String, ExternalSecretReason> {
        let mut out = String::new();
        for (index, part) in text.parts().iter().enumerate() {
            match part {
                TextPart::Literal(literal) => {
                    let before_action = index + 1 < text.parts().len();
                    template::write_literal(&mut out, literal, before_action);
                }
                TextPart::Placeholder(placeholder) => {
                    let (provider, store) = self.store(&placeholder.reference)?;
                    let TranslatedPlaceholder { remote, filters } =
                        remote::translate_placeholder(placeholder, store)?;
                    template::write_action(&mut out, self.number(provider, store, remote), &filters);
                }
            }
        }
        Ok(out)
    }

    /// Returns the provider's name and the store of a reference.
    fn store(
        &self,
        reference: &SecretReference,
    ) -> Result<(&'a str, &'a ExternalStore), ExternalSecretReason> {
        let provider = reference.provider.as_str();
        let found = self.settings.stores.get_key_value(provider);
        let found = found.ok_or_else(|| unknown_provider(provider, "externalSecrets.stores"))?;
        Ok((found.0.as_str(), found.1))
    }

    fn named_item(&mut self, key: &str, text: &PlaceholderText) -> Result<(), ExternalSecretReason> {
        let [TextPart::Placeholder(placeholder)] = text.parts() else {
            return Err(ExternalSecretReason::TextBesideAllKeys);
        };
        let (_, store) = self.store(&placeholder.reference)?;
        let TranslatedPlaceholder { remote, filters } = remote::translate_placeholder(placeholder, store)?;
        if !filters.is_empty() {
            return Err(ExternalSecretReason::TextBesideAllKeys);
        }
        self.named.push((key.to_owned(), store, remote));
        Ok(())
    }

    /// Returns the number of a remote reference; each one is requested once.
    fn number(&mut self, provider: &'a str, store: &'a ExternalStore, remote: RemoteRef) -> usize {
        *self.numbers.entry((provider, remote)).or_insert_with_key(|(_, remote)| {
            self.remotes.push((store, remote.clone()));
            self.remotes.len() - 1
        })
    }

    fn spec(self, secret: &Manifest) -> Json {
        let mut spec = Map::new();
        // Some releases with only v1beta1 drop this field, which would keep Argo CD out of sync.
        if self.settings.version == ExternalSecretVersion::V1 {
            spec.insert("refreshPolicy".to_owned(), "Periodic".into());
        }
        spec.insert("refreshInterval".to_owned(), self.settings.refresh_interval.as_str().into());
        let main = self.sources.first().map(|(store, ..)| *store);
        let main = main.or_else(|| self.remotes.first().map(|(store, _)| *store));
        spec.insert("secretStoreRef".to_owned(), main.map_or(Json::Null, store_ref));
        spec.insert(
            "target".to_owned(),
            target(secret, Some(&self.data).filter(|_| self.sources.is_empty()), self.release_to),
        );
        let numbered = self.remotes.iter().enumerate();
        let numbered = numbered.map(|(number, (store, remote))| (format!("r{number}"), *store, remote));
        let named = self.named.iter().map(|(key, store, remote)| (key.clone(), *store, remote));
        let data = numbered.chain(named).map(|(key, store, remote)| {
            let entry = json!({"secretKey": key, "remoteRef": remote.to_json()});
            from_store(entry, store, main)
        });
        let data: Vec<Json> = data.collect();
        if !data.is_empty() {
            spec.insert("data".to_owned(), data.into());
        }
        let data_from: Vec<Json> = self.sources.iter().map(|source| data_from(source, main)).collect();
        if !data_from.is_empty() {
            spec.insert("dataFrom".to_owned(), data_from.into());
        }
        spec.into()
    }
}

/// Adds the store to an entry of `data` or `dataFrom` if it is not the main one.
fn from_store(mut entry: Json, store: &ExternalStore, main: Option<&ExternalStore>) -> Json {
    if main.is_some_and(|main| store_ref(main) != store_ref(store)) {
        entry["sourceRef"] = json!({"storeRef": store_ref(store)});
    }
    entry
}

/// Builds the `dataFrom` entry for all keys of a secret. A prefix becomes a rewrite of each key.
fn data_from(
    (store, remote, prefix): &(&ExternalStore, RemoteRef, String),
    main: Option<&ExternalStore>,
) -> Json {
    let mut entry = json!({"extract": remote.to_json()});
    if !prefix.is_empty() {
        entry["rewrite"] = json!([{"regexp": {"source": "^(.*)$", "target": format!("{prefix}$1")}}]);
    }
    from_store(entry, store, main)
}

fn store_ref(store: &ExternalStore) -> Json {
    json!({"name": store.name, "kind": store.kind.name()})
}

/// Builds `spec.target`. Without `data`, the Secret gets all fetched keys. A released Secret loses its owner but is kept
/// current.
fn target(secret: &Manifest, data: Option<&Map<String, Json>>, release_to: Option<BackendKind>) -> Json {
    let mut target = json!({
        "name": secret.name(),
        "creationPolicy": if release_to.is_some() { "Orphan" } else { "Owner" },
        "deletionPolicy": "Retain",
    });
    if is_immutable(secret) {
        target["immutable"] = true.into();
    }
    let mut inner = metadata::for_template(secret, SealingScope::Strict);
    if let Some(to) = release_to {
        metadata::admit(&mut inner, to, secret.origin());
    }
    let (labels, annotations) = inner.into_maps();
    target["template"] = json!({
        "type": declared_type(secret),
        "engineVersion": "v2",
        "mergePolicy": if data.is_some() { "Replace" } else { "Merge" },
        "metadata": {"labels": escaped(labels), "annotations": escaped(annotations)},
    });
    if let Some(data) = data {
        target["template"]["data"] = data.clone().into();
    }
    target
}

/// Escapes labels or annotations, whose values the controller evaluates as templates.
fn escaped(map: Mapping) -> Json {
    let mut out = Map::new();
    for MappingEntry { key, value, .. } in map.into_entries() {
        let value = value.as_str().map_or_else(
            || value.to_json(),
            |text| {
                let mut escaped = String::new();
                template::write_literal(&mut escaped, text, false);
                escaped.into()
            },
        );
        out.insert(key.into(), value);
    }
    out.into()
}

#[cfg(test)]
mod tests;
