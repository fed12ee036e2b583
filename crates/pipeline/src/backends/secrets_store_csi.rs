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
mod vault;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

pub(crate) use self::pods::{Class, mount};
use super::common::{Draft, ReferredItem, is_immutable, shown, translate, type_of, unknown_provider};
use super::metadata;
use super::refusal::{Refusals, Why};
use sealwave_core::diagnostic::Problem;
use sealwave_core::document::{Entry, Manifest, Mapping, Node};
use sealwave_core::yaml::write_yaml;
use sealwave_secrets::Scope;
use sealwave_secrets::placeholder::{Part, Placeholder, Text};
use sealwave_secrets::settings::{Backend, CsiProvider, Service};
use sealwave_secrets::values::KeySource;

/// Providers by the names in placeholders.
type Providers = BTreeMap<String, CsiProvider>;

/// Builds the `SecretProviderClass` for a Secret.
///
/// # Errors
/// Returns everything that a `SecretProviderClass` cannot express.
pub(crate) fn build(
    secret: Manifest,
    items: &[ReferredItem<'_>],
    sources: &[KeySource],
    providers: &Providers,
) -> Result<Manifest, Vec<Problem>> {
    let aliases = Aliases::new(secret.name());
    let builder = ProviderClassBuilder { providers, common: None, aliases, objects: None, data: Vec::new() };
    translate(secret, items, sources, builder)
}

/// A builder of a `SecretProviderClass`.
struct ProviderClassBuilder<'a> {
    providers: &'a Providers,
    /// The provider of the first placeholder; all others must be compatible with it.
    common: Option<(String, &'a CsiProvider)>,
    aliases: Aliases,
    objects: Option<ProviderObjects>,
    /// The `data` of `secretObjects`.
    data: Vec<Json>,
}

/// The remote objects, by the driver's provider.
enum ProviderObjects {
    Aws(aws::Objects),
    Vault(vault::Objects),
}

impl Draft for ProviderClassBuilder<'_> {
    const BACKEND: Backend = Backend::SecretsStoreCsi;

    fn check(secret: &Manifest, refusals: &mut Refusals<'_>) {
        if is_immutable(secret) {
            refusals.whole(secret.origin(), Why::Immutable);
        }
        if type_of(secret) == "kubernetes.io/tls" {
            refusals.whole(secret.origin(), Why::PemType(type_of(secret).to_owned()));
        }
    }

    fn source(&mut self, source: &KeySource) -> Result<(), Why> {
        Err(Why::AllKeys { reference: shown(&source.reference) })
    }

    fn item(&mut self, key: &str, text: &Text) -> Result<(), Why> {
        for placeholder in text.placeholders() {
            self.check_provider(placeholder)?;
        }
        let Some((_, provider)) = &self.common else { return Err(Why::Literal) };
        let objects = self.objects.get_or_insert_with(|| match provider.service {
            Service::AwsSm | Service::AwsSsm => ProviderObjects::Aws(aws::Objects::default()),
            Service::Vault => ProviderObjects::Vault(vault::Objects::default()),
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
                "secretObjects": [secret_object(secret, self.data)],
            },
        })
    }
}

impl ProviderClassBuilder<'_> {
    /// Checks that the provider of a placeholder is configured and compatible with the earlier ones: a class has one provider
    /// and one set of parameters.
    fn check_provider(&mut self, placeholder: &Placeholder) -> Result<(), Why> {
        let name = placeholder.reference.provider.as_str();
        let provider =
            self.providers.get(name).ok_or_else(|| unknown_provider(name, "secretsStoreCsi.providers"))?;
        let (first, common) = self.common.get_or_insert_with(|| (name.to_owned(), provider));
        let is_vault = |provider: &CsiProvider| provider.service == Service::Vault;
        if is_vault(common) != is_vault(provider) || common.parameters != provider.parameters {
            return Err(Why::ManyProviders { first: first.clone(), second: name.to_owned() });
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
fn secret_object(secret: &Manifest, data: Vec<Json>) -> Json {
    let (labels, annotations) = metadata::for_template(secret, Scope::Strict).into_maps();
    let mut object = json!({"secretName": secret.name(), "type": type_of(secret)});
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
    Json::Object(entries.map(|Entry { key, value, .. }| (key.into(), value.to_json())).collect())
}

/// The aliases of a class.
struct Aliases {
    prefix: String,
    taken: BTreeSet<String>,
}

impl Aliases {
    fn new(secret: &str) -> Self {
        Self { prefix: sanitize(secret), taken: BTreeSet::new() }
    }

    /// Returns an unused alias for a name.
    fn take(&mut self, name: &str) -> String {
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
fn alone(text: &Text) -> Option<&Placeholder> {
    match text.parts() {
        [Part::Placeholder(placeholder)] => Some(placeholder),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
