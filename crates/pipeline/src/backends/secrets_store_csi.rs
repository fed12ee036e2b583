//! The `SecretProviderClass` of a Secret, and the volumes that make the Secrets Store CSI driver create it.
//!
//! The driver reads remote objects when a pod mounts the class, and makes the Secret of `secretObjects` from them. What it
//! cannot do is refused: an `ExternalSecret` or a `SealedSecret` can, and a Secret that lacks a key is found by a pod only.
//!
//! Aliases name what was read, in the driver and as file names: letters, digits and `_` only, each once in a class.

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

/// Providers by the names that placeholders use.
type Providers = BTreeMap<String, CsiProvider>;

/// The `SecretProviderClass` of a Secret.
///
/// # Errors
/// Everything about it that a `SecretProviderClass` cannot express.
pub(crate) fn build(
    secret: Manifest,
    items: &[ReferredItem<'_>],
    sources: &[KeySource],
    providers: &Providers,
) -> Result<Manifest, Vec<Problem>> {
    let aliases = Aliases::new(secret.name());
    let draft = ClassDraft { providers, common: None, aliases, kind: None, data: Vec::new() };
    translate(secret, items, sources, draft)
}

/// The class in the making.
struct ClassDraft<'a> {
    providers: &'a Providers,
    /// The provider of the first placeholder; all others must go with it.
    common: Option<(String, &'a CsiProvider)>,
    aliases: Aliases,
    kind: Option<Kind>,
    /// What `secretObjects` makes of what was read.
    data: Vec<Json>,
}

/// What is read, by the kind of provider.
enum Kind {
    Aws(aws::Objects),
    Vault(vault::Objects),
}

impl Draft for ClassDraft<'_> {
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
            self.provider(placeholder)?;
        }
        let Some((_, provider)) = &self.common else { return Err(Why::Literal) };
        let kind = self.kind.get_or_insert_with(|| match provider.service {
            Service::AwsSm | Service::AwsSsm => Kind::Aws(aws::Objects::default()),
            Service::Vault => Kind::Vault(vault::Objects::default()),
        });
        let alias = match kind {
            Kind::Aws(objects) => objects.add(key, text, self.providers, &mut self.aliases)?,
            Kind::Vault(objects) => objects.add(key, text, &provider.mounts, &mut self.aliases)?,
        };
        self.data.push(json!({"objectName": alias, "key": key}));
        Ok(())
    }

    fn finish(self, secret: &Manifest) -> Json {
        let (provider, objects) = match &self.kind {
            Some(Kind::Aws(objects)) => ("aws", objects.to_json()),
            Some(Kind::Vault(objects)) => ("vault", objects.to_json()),
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

impl ClassDraft<'_> {
    /// Checks that the provider of a placeholder is known and goes with those before it: a class has one provider and one
    /// set of parameters.
    fn provider(&mut self, placeholder: &Placeholder) -> Result<(), Why> {
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

/// The objects as the YAML text that the driver's provider reads.
fn objects_text(objects: &Json, secret: &Manifest) -> String {
    let mut text = Vec::new();
    write_yaml(&Node::from_json(objects, secret.origin()), &mut text);
    let text = String::from_utf8(text).unwrap_or_default();
    text.strip_prefix("---\n").unwrap_or(&text).to_owned()
}

/// The Secret that the driver makes. It copies labels and annotations from nowhere else.
fn secret_object(secret: &Manifest, data: Vec<Json>) -> Json {
    let (labels, annotations) = metadata::for_template(secret, Scope::Strict).into_maps();
    let mut object = json!({"secretName": secret.name(), "type": type_of(secret)});
    for (field, map) in [("labels", labels), ("annotations", annotations)] {
        if !map.is_empty() {
            object[field] = plain(map);
        }
    }
    object["data"] = data.into();
    object
}

fn plain(map: Mapping) -> Json {
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
        Self { prefix: safe(secret), taken: BTreeSet::new() }
    }

    /// An alias for something of this name that nothing else in the class has.
    fn take(&mut self, name: &str) -> String {
        let alias = format!("{}__{}", self.prefix, safe(name));
        let numbered = (2_usize..).map(|number| format!("{alias}_{number}"));
        let free = std::iter::once(alias.clone()).chain(numbered).find(|alias| !self.taken.contains(alias));
        let free = free.unwrap_or(alias);
        self.taken.insert(free.clone());
        free
    }
}

/// Letters, digits and `_`: the driver makes file names of aliases, and `-` would need quotes in some places.
fn safe(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// The text's only placeholder, where it has nothing around it.
fn alone(text: &Text) -> Option<&Placeholder> {
    match text.parts() {
        [Part::Placeholder(placeholder)] => Some(placeholder),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
