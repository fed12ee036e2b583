//! The `ExternalSecret` of a Secret: references and a template, for the External Secrets Operator.
//!
//! Everything that the operator's CRD would default is written out, and durations are in Go's own form: whatever the
//! cluster adds or rewrites keeps Argo CD out of sync for ever. A template is always there, with its own metadata: without
//! it the operator copies the `ExternalSecret`'s labels and annotations, Argo CD's tracking among them, to the Secret.
//!
//! The literal text around placeholders goes into the template, readable: it was readable in Git already, and is not
//! what the reference keeps secret. An item without any placeholder is refused, since it may be a secret as it stands.

mod remote;
mod template;

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use self::remote::{Remote, Taken};
use super::common::{Draft, ReferredItem, is_immutable, translate, type_of, unknown_provider};
use super::metadata;
use super::refusal::{Refusals, Why};
use crate::crypto::Scope;
use crate::diagnostic::Problem;
use crate::model::{
    Backend, Entry, ExternalSecretVersion, ExternalSecrets, Manifest, Mapping, Part, Store, Text,
};

/// Types of Secrets that the operator's webhook refuses.
const REFUSED_TYPES: [&str; 2] = ["bootstrap.kubernetes.io/token", "kubernetes.io/service-account-token"];

/// The `ExternalSecret` of a Secret.
///
/// # Errors
/// Everything about it that an `ExternalSecret` cannot express.
pub(crate) fn build(
    secret: Manifest,
    items: &[ReferredItem<'_>],
    settings: &ExternalSecrets,
) -> Result<Manifest, Vec<Problem>> {
    let external =
        ExternalDraft { settings, remotes: Vec::new(), numbers: BTreeMap::new(), data: Map::new() };
    translate(secret, items, external)
}

/// The object in the making.
struct ExternalDraft<'a> {
    settings: &'a ExternalSecrets,
    /// What is asked for, in order of first use; the `n`th is `rn` in templates.
    remotes: Vec<(&'a Store, Remote)>,
    numbers: BTreeMap<(&'a str, Remote), usize>,
    /// Item keys and their templates.
    data: Map<String, Json>,
}

impl Draft for ExternalDraft<'_> {
    const BACKEND: Backend = Backend::ExternalSecrets;

    fn check(secret: &Manifest, refusals: &mut Refusals<'_>) {
        if REFUSED_TYPES.contains(&type_of(secret)) {
            refusals.whole(secret.origin(), Why::Type(type_of(secret).to_owned()));
        }
    }

    fn item(&mut self, key: &str, text: &Text) -> Result<(), Why> {
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

impl<'a> ExternalDraft<'a> {
    fn text(&mut self, text: &Text) -> Result<String, Why> {
        let mut out = String::new();
        for (index, part) in text.parts().iter().enumerate() {
            match part {
                Part::Literal(literal) => {
                    let before_action = index + 1 < text.parts().len();
                    template::literal(&mut out, literal, before_action);
                }
                Part::Placeholder(placeholder) => {
                    let provider = placeholder.reference.provider.as_str();
                    let (provider, store) = self
                        .settings
                        .stores
                        .get_key_value(provider)
                        .ok_or_else(|| unknown_provider(provider, "externalSecrets.stores"))?;
                    let Taken { remote, filters } = remote::take(placeholder, store)?;
                    template::action(&mut out, self.number(provider, store, remote), &filters);
                }
            }
        }
        Ok(out)
    }

    /// The number of what is asked for; the same thing is asked for once.
    fn number(&mut self, provider: &'a str, store: &'a Store, remote: Remote) -> usize {
        *self.numbers.entry((provider, remote)).or_insert_with_key(|(_, remote)| {
            self.remotes.push((store, remote.clone()));
            self.remotes.len() - 1
        })
    }

    fn spec(self, secret: &Manifest) -> Json {
        let mut spec = Map::new();
        // Operators that know v1beta1 only do not all know this field; what they drop would keep Argo CD out of sync.
        if self.settings.version == ExternalSecretVersion::V1 {
            spec.insert("refreshPolicy".to_owned(), "Periodic".into());
        }
        spec.insert("refreshInterval".to_owned(), self.settings.refresh_interval.as_str().into());
        let main = self.remotes.first().map(|(store, _)| *store);
        spec.insert("secretStoreRef".to_owned(), main.map_or(Json::Null, store_ref));
        spec.insert("target".to_owned(), target(secret, &self.data));
        let data = self.remotes.iter().enumerate();
        let data = data.map(|(number, (store, remote))| {
            let mut entry = json!({"secretKey": format!("r{number}"), "remoteRef": remote.to_json()});
            if main.is_some_and(|main| store_ref(main) != store_ref(store)) {
                entry["sourceRef"] = json!({"storeRef": store_ref(store)});
            }
            entry
        });
        spec.insert("data".to_owned(), data.collect());
        spec.into()
    }
}

fn store_ref(store: &Store) -> Json {
    json!({"name": store.name, "kind": store.kind.name()})
}

fn target(secret: &Manifest, data: &Map<String, Json>) -> Json {
    let mut target = json!({
        "name": secret.name(),
        "creationPolicy": "Owner",
        "deletionPolicy": "Retain",
    });
    if is_immutable(secret) {
        target["immutable"] = true.into();
    }
    let (labels, annotations) = metadata::for_template(secret, Scope::Strict).into_maps();
    target["template"] = json!({
        "type": type_of(secret),
        "engineVersion": "v2",
        "mergePolicy": "Replace",
        "metadata": {"labels": escaped(labels), "annotations": escaped(annotations)},
        "data": data,
    });
    target
}

/// Labels or annotations; the operator takes their values for templates.
fn escaped(map: Mapping) -> Json {
    let mut out = Map::new();
    for Entry { key, value, .. } in map.into_entries() {
        let value = value.as_str().map_or_else(
            || value.to_json(),
            |text| {
                let mut escaped = String::new();
                template::literal(&mut escaped, text, false);
                escaped.into()
            },
        );
        out.insert(key.into(), value);
    }
    out.into()
}

#[cfg(test)]
mod tests;
