//! Builds the `SecretProviderClass` for a Secret, and the volumes that make the Secrets Store CSI driver create the Secret.
//!
//! The driver reads remote objects when a pod mounts the class, and creates the Secret in `secretObjects` from them.
//! Everything that it cannot do is rejected, since a missing key would otherwise only be noticed by a pod; an
//! `ExternalSecret` or a `SealedSecret` may support it.
//!
//! Aliases identify remote objects, in the driver and as file names: only letters, digits and `_`, unique within a class.

mod aws;
mod jmespath;
mod pods;
mod reason;
mod vault;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use self::reason::ProviderClassReason;
use super::backend::{Backend, ReplacedSecret, UnresolvedSecret};
use super::common::{
    ObjectBuilder, build_object, declared_type, display_reference, is_immutable, unknown_provider,
};
use super::metadata;
use super::refusal::{CommonReason, RefusalCollector};
use sealwave_core::diagnostic::{Note, Problem};
use sealwave_core::document::{Manifest, Mapping, MappingEntry, Node};
use sealwave_core::yaml::write_yaml;
use sealwave_kube::pods::WorkloadKind;
use sealwave_secrets::SealingScope;
use sealwave_secrets::placeholder::{KeySource, Placeholder, PlaceholderText, TextPart};
use sealwave_secrets::settings::{BackendKind, CsiProvider, EnvironmentBackends, SecretService};

/// Providers by the names in placeholders.
type CsiProviders = BTreeMap<String, CsiProvider>;

/// The object with its article, for messages.
const OBJECT: &str = "a SecretProviderClass";

/// Builds `SecretProviderClass` objects, and mounts them in pods.
pub(super) struct SecretsStoreCsiBackend;

impl Backend for SecretsStoreCsiBackend {
    type Secret = UnresolvedSecret;
    type Object = Manifest;

    fn build(
        &self,
        secret: UnresolvedSecret,
        settings: &EnvironmentBackends,
        _: &mut Vec<Note>,
    ) -> Result<Manifest, Vec<Problem>> {
        let (providers, aliases) = (settings.csi_providers(), AliasAllocator::new(secret.manifest.name()));
        let release_to = secret.release_to;
        let builder = ProviderClassBuilder {
            providers,
            release_to,
            common: None,
            aliases,
            objects: None,
            data: Vec::new(),
        };
        build_object(secret, builder)
    }

    fn after(
        &self,
        secrets: &[ReplacedSecret],
        objects: &mut [Manifest],
        workloads: &[WorkloadKind],
    ) -> Result<(), Vec<Problem>> {
        pods::mount_classes(objects, secrets, workloads)
    }
}

/// A builder of a `SecretProviderClass`.
struct ProviderClassBuilder<'a> {
    providers: &'a CsiProviders,
    release_to: Option<BackendKind>,
    /// The provider of the first placeholder; all others must be compatible with it.
    common: Option<(String, &'a CsiProvider)>,
    aliases: AliasAllocator,
    objects: Option<ProviderObjects>,
    /// The `data` of `secretObjects`.
    data: Vec<Json>,
}

/// The remote objects, by the driver's provider.
enum ProviderObjects {
    Aws(aws::AwsObjects),
    Vault(vault::VaultObjects),
}

impl ObjectBuilder for ProviderClassBuilder<'_> {
    const OBJECT: &'static str = OBJECT;

    type Reason = ProviderClassReason;

    fn check_secret(secret: &Manifest, refusals: &mut RefusalCollector<'_>) {
        if is_immutable(secret) {
            refusals.refuse_secret(secret.origin(), &ProviderClassReason::Immutable);
        }
        if declared_type(secret) == "kubernetes.io/tls" {
            let reason = ProviderClassReason::PemType(declared_type(secret).to_owned());
            refusals.refuse_secret(secret.origin(), &reason);
        }
    }

    fn add_source(&mut self, source: &KeySource) -> Result<(), ProviderClassReason> {
        Err(ProviderClassReason::AllKeys { reference: display_reference(&source.reference) })
    }

    fn add_item(&mut self, key: &str, text: &PlaceholderText) -> Result<(), ProviderClassReason> {
        for placeholder in text.placeholders() {
            self.check_provider(placeholder)?;
        }
        let Some((_, provider)) = &self.common else { return Err(CommonReason::Literal.into()) };
        let objects = self.objects.get_or_insert_with(|| match provider.service {
            SecretService::AwsSm | SecretService::AwsSsm => ProviderObjects::Aws(aws::AwsObjects::default()),
            SecretService::Vault => ProviderObjects::Vault(vault::VaultObjects::default()),
        });
        let alias = match objects {
            ProviderObjects::Aws(objects) => objects.add(key, text, self.providers, &mut self.aliases)?,
            ProviderObjects::Vault(objects) => objects.add(key, text, &provider.mounts, &mut self.aliases)?,
        };
        self.data.push(json!({"objectName": alias, "key": key}));
        Ok(())
    }

    fn finish(self, secret: &Manifest) -> Json {
        let (provider, objects) = match &self.objects {
            Some(ProviderObjects::Aws(objects)) => ("aws", objects.to_json()),
            Some(ProviderObjects::Vault(objects)) => ("vault", objects.to_json()),
            None => ("", Json::Null),
        };
        let mut parameters = Map::new();
        for (field, value) in self.common.iter().flat_map(|(_, provider)| &provider.parameters) {
            parameters.insert((*field).to_owned(), value.as_str().into());
        }
        parameters.insert("objects".to_owned(), objects_text(&objects, secret).into());
        json!({
            "apiVersion": "secrets-store.csi.x-k8s.io/v1",
            "kind": "SecretProviderClass",
            "metadata": null,
            "spec": {
                "provider": provider,
                "parameters": parameters,
                "secretObjects": [secret_object(secret, self.data, self.release_to)],
            },
        })
    }
}

impl ProviderClassBuilder<'_> {
    /// Checks that the provider of a placeholder is configured and compatible with the earlier ones: a class has one provider
    /// and one set of parameters.
    fn check_provider(&mut self, placeholder: &Placeholder) -> Result<(), ProviderClassReason> {
        let name = placeholder.reference.provider.as_str();
        let provider =
            self.providers.get(name).ok_or_else(|| unknown_provider(name, "secretsStoreCsi.providers"))?;
        let (first, common) = self.common.get_or_insert_with(|| (name.to_owned(), provider));
        let is_vault = |provider: &CsiProvider| provider.service == SecretService::Vault;
        if is_vault(common) != is_vault(provider) || common.parameters != provider.parameters {
            return Err(ProviderClassReason::ManyProviders { first: first.clone(), second: name.to_owned() });
        }
        Ok(())
    }
}

/// Formats the objects as YAML for the driver's provider.
fn objects_text(objects: &Json, secret: &Manifest) -> String {
    let mut text = Vec::new();
    write_yaml(&Node::from_json(objects, secret.origin()), &mut text);
    let text = String::from_utf8(text).unwrap_or_default();
    text.strip_prefix("---\n").unwrap_or(&text).to_owned()
}

/// Builds the `secretObjects` entry. The driver copies labels and annotations only from here.
fn secret_object(secret: &Manifest, data: Vec<Json>, release_to: Option<BackendKind>) -> Json {
    let mut inner = metadata::for_template(secret, SealingScope::Strict);
    if let Some(to) = release_to {
        metadata::admit(&mut inner, to, secret.origin());
    }
    let (labels, annotations) = inner.into_maps();
    let mut object = json!({"secretName": secret.name(), "type": declared_type(secret)});
    for (field, map) in [("labels", labels), ("annotations", annotations)] {
        if !map.is_empty() {
            object[field] = to_json(map);
        }
    }
    object["data"] = data.into();
    object
}

fn to_json(map: Mapping) -> Json {
    let entries = map.into_entries().into_iter();
    Json::Object(entries.map(|MappingEntry { key, value, .. }| (key.into(), value.to_json())).collect())
}

/// The aliases of a class.
struct AliasAllocator {
    prefix: String,
    taken: BTreeSet<String>,
}

impl AliasAllocator {
    fn new(secret: &str) -> Self {
        Self { prefix: sanitize(secret), taken: BTreeSet::new() }
    }

    /// Returns an unused alias for a name.
    fn allocate(&mut self, name: &str) -> String {
        let alias = format!("{}__{}", self.prefix, sanitize(name));
        let numbered = (2_usize..).map(|number| format!("{alias}_{number}"));
        let free = std::iter::once(alias.clone()).chain(numbered).find(|alias| !self.taken.contains(alias));
        let free = free.unwrap_or(alias);
        self.taken.insert(free.clone());
        free
    }
}

/// Replaces everything but letters, digits and `_`: aliases are used as file names, and `-` would sometimes need quotes.
fn sanitize(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// Returns the placeholder of a text that consists of only one.
fn sole_placeholder(text: &PlaceholderText) -> Option<&Placeholder> {
    match text.parts() {
        [TextPart::Placeholder(placeholder)] => Some(placeholder),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
