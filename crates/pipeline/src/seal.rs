//! Fifth verb: every Secret becomes an object that is safe to store.
//!
//! [`Sealed`] is the only type that [`super::emit()`] prints. Its fields are private to this file, and [`seal`] is its only
//! source: it never lets a value through, neither as it is nor in a digest under a key that everybody knows.

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;

use super::resolve::{ItemValue, Resolved, ResolvedItem, ResolvedObject, ResolvedSecret};
use crate::backends::sealed_secrets::{Blueprint, EncryptedItem, ItemShape, Stamp};
use crate::backends::secret_type::{self, TypedItems};
use crate::backends::secrets_store_csi::{self, Class};
use crate::backends::{ReferredItem, external_secrets};
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem};
use sealwave_core::document::{Manifest, Node, ObjectId, Value};
use sealwave_core::names::{self, UNKNOWN_KEYS};
use sealwave_core::time::Date;
use sealwave_kube::pods::WorkloadKind;
use sealwave_kube::{PlainData, plain_data};
use sealwave_secrets::crypto::{
    ChecksumKey, Digest, ItemParts, ItemText, Owner, SealError, SealItem, Sealer,
};
use sealwave_secrets::placeholder::Reference;
use sealwave_secrets::settings::{Backend, Backends};
use sealwave_secrets::values::{KeySource, SecretValue};

/// Objects that are safe to print, and the keyed digests of the values that went into them.
///
/// ```compile_fail
/// let forged = sealwave::pipeline::Sealed { objects: Vec::new(), secrets: Default::default() };
/// ```
pub struct Sealed {
    objects: Vec<Manifest>,
    secrets: SecretDigests,
}

/// Digest of each item of each Secret that was sealed: (namespace, name) → item key → digest.
pub(crate) type SecretDigests = BTreeMap<(CompactString, CompactString), BTreeMap<CompactString, Digest>>;

/// How Secrets are made safe.
pub enum Sealing {
    /// Sealed: equal input gives equal output.
    Deterministic(Box<Sealer>),
    /// Not at all: no Secret needs it, and there is no key and no certificate.
    Nothing,
    /// Shown without values, for local previews; there is no key and no certificate.
    Redacted,
}

impl Sealing {
    /// Returns the app that values are sealed for, where they are.
    fn owner(&self) -> Option<&Owner> {
        match self {
            Self::Deterministic(sealer) => Some(&sealer.owner),
            Self::Nothing | Self::Redacted => None,
        }
    }
}

/// Why a Secret cannot be made safe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum CannotSeal {
    /// A Secret has to be sealed, and it was decided that none would.
    #[error("Secret `{0}` has to be sealed, but there is no key for it")]
    NoKey(String),
    /// The app file names a Secret that there is not.
    #[error("`secretBackends` names Secret `{0}`, which this environment does not have")]
    NoSuchSecret(String),
    /// An object holds the data of a Secret, and Kubernetes does not take it for one.
    #[error(
        "{object} holds `{field}` of a Secret, but is not one, so that it would be printed in plain text"
    )]
    NotASecret {
        /// The object.
        object: ObjectId,
        /// Where the data is.
        field: &'static str,
    },
    /// An object holds Secrets with data.
    #[error("{object} holds a Secret with values in `{field}`, which would be printed in plain text")]
    Within {
        /// The object.
        object: ObjectId,
        /// Where the Secret is.
        field: &'static str,
    },
    /// A Secret with data came here as a plain object.
    #[error("Secret `{0}` holds data that was not taken out for sealing")]
    Unsealed(String),
    /// There is no value to seal.
    #[error("item `{0}` was not fetched, so it cannot be sealed")]
    Withheld(CompactString),
}

impl Explain for CannotSeal {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoKey(_) | Self::Unsealed(_) | Self::Withheld(_) => {
                "this is a fault of sealwave; please report it (without the Secret)".to_owned()
            }
            Self::NotASecret { .. } => {
                "write `apiVersion: v1` and `kind: Secret`, so that it is sealed".to_owned()
            }
            Self::Within { .. } => {
                "write the Secret as a manifest of its own, so that it is sealed".to_owned()
            }
            Self::NoSuchSecret(_) => {
                "correct the entry, a name or `namespace/name`, or remove it from sealwave.yaml".to_owned()
            }
        })
    }
}

/// What becomes of Secrets, and which objects have pods.
#[derive(Clone, Copy)]
pub struct SealSettings<'a> {
    /// What each Secret becomes.
    pub backends: &'a Backends,
    /// Workload kinds beyond the built-in ones.
    pub workloads: &'a [WorkloadKind],
    /// Today's date, for notes alone; `None` disables them.
    pub today: Option<Date>,
}

/// Turns every Secret into what its backend makes of it: a `SealedSecret`, or the redacted likeness of one; an
/// `ExternalSecret`; a `SecretProviderClass`, which the pods that use the Secret mount then. Other objects pass untouched.
///
/// # Errors
/// All Secrets that their backend cannot take, with their places; and, as a last guard, each Secret with data among the plain
/// objects.
pub fn seal(
    resolved: Resolved,
    sealing: &Sealing,
    settings: &SealSettings<'_>,
    checksums: &ChecksumKey,
    notes: &mut Vec<Note>,
) -> Result<Sealed, Failure> {
    // A preview has no values, and what it lacks is for `validate` to report.
    let is_preview = matches!(sealing, Sealing::Redacted);
    let mut problems = if is_preview { Vec::new() } else { type_problems(&resolved, settings.today, notes) };
    let Drafted { drafts, classes, problems: more } = draft(resolved, settings.backends, notes);
    problems.extend(more);
    let secrets = digests(&drafts, sealing.owner(), checksums);
    if !problems.is_empty() {
        // Whether pods use the Secrets can be said all the same, so that everything is said at once.
        let mut plain: Vec<Manifest> = drafts.into_iter().map(Draft::redacted).collect();
        problems.extend(mount(&mut plain, &classes, settings.workloads));
        return Err(Failure::unless_empty(problems).expect_err("there are problems"));
    }
    let mut objects = match sealing {
        Sealing::Deterministic(sealer) => seal_drafts(drafts, sealer)?,
        Sealing::Nothing => unsealed(drafts)?,
        Sealing::Redacted => drafts.into_iter().map(Draft::redacted).collect(),
    };
    Failure::unless_empty(mount(&mut objects, &classes, settings.workloads))?;
    Ok(Sealed { objects, secrets })
}

fn mount(objects: &mut [Manifest], classes: &[Class], workloads: &[WorkloadKind]) -> Vec<Problem> {
    secrets_store_csi::mount(objects, classes, workloads).err().unwrap_or_default()
}

impl Sealed {
    /// The objects.
    #[must_use]
    pub fn objects(&self) -> &[Manifest] {
        &self.objects
    }

    pub(crate) const fn secrets(&self) -> &SecretDigests {
        &self.secrets
    }

    /// Lets `annotate` add to the metadata of objects; nothing secret is within its reach.
    pub(crate) fn objects_mut(&mut self) -> &mut [Manifest] {
        &mut self.objects
    }
}

/// An object on its way.
enum Draft {
    Plain(Manifest),
    Secret(Blueprint, Vec<ResolvedItem>),
}

struct Drafted {
    drafts: Vec<Draft>,
    /// Classes that pods have to mount.
    classes: Vec<Class>,
    problems: Vec<Problem>,
}

fn draft(resolved: Resolved, backends: &Backends, notes: &mut Vec<Note>) -> Drafted {
    let mut out = Drafted { drafts: Vec::new(), classes: Vec::new(), problems: Vec::new() };
    let objects = resolved.into_objects();
    let unused = backends.unused(objects.iter().filter_map(secret_id));
    for object in objects {
        let draft = match object {
            ResolvedObject::Plain(manifest) => guard(manifest).map_err(|problem| vec![problem]),
            ResolvedObject::Secret(secret) => {
                match backends.of(secret.manifest.namespace(), secret.manifest.name()) {
                    Backend::ExternalSecrets => referred(secret, |manifest, items, sources| {
                        external_secrets::build(manifest, items, sources, backends.external_secrets())
                    }),
                    Backend::SealedSecrets => blueprint(secret, notes),
                    Backend::SecretsStoreCsi => {
                        out.classes.push(class(&secret.manifest));
                        referred(secret, |manifest, items, sources| {
                            secrets_store_csi::build(manifest, items, sources, backends.csi_providers())
                        })
                    }
                }
            }
        };
        match draft {
            Ok(draft) => out.drafts.push(draft),
            Err(found) => out.problems.extend(found),
        }
    }
    out.problems
        .extend(unused.into_iter().map(|name| Problem::new(&CannotSeal::NoSuchSecret(name.to_owned()))));
    out
}

fn secret_id(object: &ResolvedObject) -> Option<(&str, &str)> {
    match object {
        ResolvedObject::Plain(_) => None,
        ResolvedObject::Secret(secret) => Some((secret.manifest.namespace(), secret.manifest.name())),
    }
}

/// A Secret for a backend that stores references; values, where there are any, end here.
fn referred(
    secret: ResolvedSecret,
    build: impl FnOnce(Manifest, &[ReferredItem<'_>], &[KeySource]) -> Result<Manifest, Vec<Problem>>,
) -> Result<Draft, Vec<Problem>> {
    let ResolvedSecret { manifest, items, sources } = secret;
    let items: Vec<ReferredItem<'_>> = items
        .iter()
        .map(|item| ReferredItem { key: &item.key, origin: item.origin, text: item.text.as_ref() })
        .collect();
    build(manifest, &items, &sources).map(Draft::Plain)
}

fn class(secret: &Manifest) -> Class {
    Class {
        namespace: secret.namespace().to_owned(),
        name: secret.name().to_owned(),
        origin: secret.origin(),
    }
}

/// The last guard: a Secret with data is never printed, whatever let it come this far or made it look like something else.
fn guard(manifest: Manifest) -> Result<Draft, Problem> {
    let object = || manifest.id();
    match plain_data(manifest.root()) {
        Some(PlainData::Field(field)) => {
            let error = CannotSeal::NotASecret { object: object(), field };
            let kind = manifest.root().get("kind").map_or(manifest.origin(), |kind| kind.origin);
            return Err(Problem::at(kind, &error));
        }
        Some(PlainData::Object(field, held)) => {
            let error = CannotSeal::Within { object: object(), field };
            return Err(Problem::at(held.shown_at(), &error));
        }
        None => {}
    }
    let holds_data = |field: &str| manifest.root().get(field).is_some_and(|node| !is_empty(node));
    if manifest.is_secret() && (holds_data("data") || holds_data("stringData")) {
        let error = CannotSeal::Unsealed(manifest.name().to_owned());
        return Err(Problem::at(manifest.origin(), &error));
    }
    Ok(Draft::Plain(if manifest.is_secret() { without_copies(manifest) } else { manifest }))
}

/// Takes off the copies that `kubectl apply` leaves of a whole Secret, with what it once held.
fn without_copies(mut secret: Manifest) -> Manifest {
    let copies = [names::KUBECTL_LAST_APPLIED, names::KUBECFG_LAST_APPLIED];
    if let Some(annotations) =
        secret.root_mut().at_mut(&["metadata", "annotations"]).and_then(Node::as_mapping_mut)
    {
        annotations.retain(|entry| !copies.contains(&entry.key.as_str()));
    }
    secret
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Mapping(mapping) => mapping.is_empty(),
        Value::Null => true,
        _ => false,
    }
}

/// Returns what the API server would refuse about typed Secrets.
fn type_problems(resolved: &Resolved, today: Option<Date>, notes: &mut Vec<Note>) -> Vec<Problem> {
    let mut found = Vec::new();
    for object in resolved.objects() {
        found.extend(match object {
            ResolvedObject::Secret(ResolvedSecret { manifest, items, sources }) => {
                let shapes = shapes(items);
                let items = TypedItems { known: &shapes, more: !sources.is_empty() };
                secret_type::problems(manifest, items, today, notes)
            }
            ResolvedObject::Plain(manifest) if manifest.is_secret() => {
                secret_type::problems(manifest, TypedItems::default(), today, notes)
            }
            ResolvedObject::Plain(_) => Vec::new(),
        });
    }
    found
}

fn shapes(items: &[ResolvedItem]) -> Vec<ItemShape<'_>> {
    items.iter().map(shape).collect()
}

fn shape(item: &ResolvedItem) -> ItemShape<'_> {
    let value = match &item.value {
        ItemValue::Known(value) => Some(value),
        ItemValue::Withheld => None,
    };
    ItemShape { key: &item.key, origin: item.origin, value }
}

fn blueprint(secret: ResolvedSecret, notes: &mut Vec<Note>) -> Result<Draft, Vec<Problem>> {
    let ResolvedSecret { manifest, mut items, sources } = secret;
    let blueprint = Blueprint::new(manifest, &shapes(&items), notes)?;
    items.extend(unknown_keys(&sources));
    Ok(Draft::Secret(blueprint, items))
}

/// Returns what a preview shows for keys that are not known before they are fetched.
fn unknown_keys(sources: &[KeySource]) -> Option<ResolvedItem> {
    Some(ResolvedItem {
        key: UNKNOWN_KEYS.into(),
        origin: sources.first()?.origin,
        unresolved: SecretValue::new(Vec::new()),
        references: sources.iter().map(|source| source.reference.clone()).collect(),
        text: None,
        value: ItemValue::Withheld,
    })
}

fn seal_drafts(drafts: Vec<Draft>, sealer: &Sealer) -> Result<Vec<Manifest>, Failure> {
    let stamp = Stamp {
        seal_key_id: sealer.key.id(),
        public_key_sha256: sealer.certificate.details().public_key_sha256.clone(),
        derivation: sealer.owner.derivation,
    };
    let mut texts = seal_items(&drafts, sealer)?.into_iter();
    let objects = drafts
        .into_iter()
        .map(|draft| match draft {
            Draft::Plain(manifest) => manifest,
            Draft::Secret(blueprint, items) => {
                let items = items.into_iter().zip(texts.by_ref());
                blueprint.build(Some(&stamp), items.map(|(item, text)| encrypted(item, text)).collect())
            }
        })
        .collect();
    Ok(objects)
}

/// The sealed texts of all items of all Secrets, in order.
fn seal_items(drafts: &[Draft], sealer: &Sealer) -> Result<Vec<String>, Failure> {
    let named: Vec<(&Blueprint, CompactString, &[ResolvedItem])> = drafts
        .iter()
        .filter_map(|draft| match draft {
            Draft::Plain(_) => None,
            Draft::Secret(blueprint, items) => Some((blueprint, blueprint.sealing_name(), items.as_slice())),
        })
        .collect();
    let mut work = Vec::new();
    let mut problems = Vec::new();
    for (blueprint, name, items) in &named {
        for item in *items {
            match &item.value {
                ItemValue::Known(value) => work.push(SealItem {
                    scope: blueprint.scope(),
                    namespace: blueprint.namespace(),
                    name,
                    item_key: &item.key,
                    text: text_of(item),
                    unresolved: &item.unresolved,
                    value,
                }),
                ItemValue::Withheld => {
                    problems.push(Problem::at(item.origin, &CannotSeal::Withheld(item.key.clone())));
                }
            }
        }
    }
    Failure::unless_empty(problems)?;
    sealer.seal_all(&work).map_err(|error: SealError| Problem::new(&error).into())
}

fn text_of(item: &ResolvedItem) -> ItemText {
    match &item.text {
        Some(text) if text.is_bare_placeholder() => ItemText::BarePlaceholder,
        _ => ItemText::Literal,
    }
}

/// The objects, where none of them has to be sealed.
fn unsealed(drafts: Vec<Draft>) -> Result<Vec<Manifest>, Failure> {
    let mut objects = Vec::with_capacity(drafts.len());
    let mut problems = Vec::new();
    for draft in drafts {
        match draft {
            Draft::Plain(manifest) => objects.push(manifest),
            Draft::Secret(blueprint, _) => {
                problems.push(Problem::new(&CannotSeal::NoKey(blueprint.name().to_owned())));
            }
        }
    }
    Failure::unless_empty(problems).map(|()| objects)
}

impl Draft {
    fn redacted(self) -> Manifest {
        match self {
            Self::Plain(manifest) => manifest,
            Self::Secret(blueprint, items) => {
                let items = items
                    .into_iter()
                    .map(|item| {
                        let text = redaction(&item.references);
                        encrypted(item, text)
                    })
                    .collect();
                blueprint.build(None, items)
            }
        }
    }
}

/// Drops the value; the sealed text takes its place.
fn encrypted(item: ResolvedItem, text: String) -> EncryptedItem {
    EncryptedItem { key: item.key, origin: item.origin, text }
}

/// What a preview shows in a value's place: where it would come from, and nothing of the text around it.
fn redaction(references: &[Reference]) -> String {
    if references.is_empty() {
        return "redacted: a literal of the Secret".to_owned();
    }
    let mut seen = BTreeSet::new();
    let shown: Vec<String> =
        references.iter().map(reference_text).filter(|text| seen.insert(text.clone())).collect();
    let what = if references.iter().any(|reference| reference.all_keys) { "all keys" } else { "value" };
    format!("redacted: {what} of {}", shown.join(", "))
}

fn reference_text(reference: &Reference) -> String {
    let part = |mark: &str, part: &Option<String>| {
        part.as_ref().map_or(String::new(), |part| format!("{mark}{part}"))
    };
    let Reference { provider, path, key, version, .. } = reference;
    match (key, version) {
        (None, Some(version)) => format!("{provider}:{path}##{version}"),
        _ => format!("{provider}:{path}{}{}", part("#", key), part("#", version)),
    }
}

fn digests(drafts: &[Draft], owner: Option<&Owner>, checksums: &ChecksumKey) -> SecretDigests {
    // A digest of a literal under a key that everybody knows could be guessed.
    let owner = owner.filter(|_| !checksums.is_public());
    let mut all = SecretDigests::new();
    for draft in drafts {
        let Draft::Secret(blueprint, items) = draft else { continue };
        // Nothing can refer to a name that is not known yet.
        if blueprint.name().is_empty() {
            continue;
        }
        let (namespace, name) = (blueprint.namespace(), blueprint.name());
        let digests = items.iter().map(|item| {
            let digest = match (&item.value, owner) {
                (ItemValue::Known(value), Some(owner)) => {
                    let binding = owner.binding(text_of(item));
                    let (unresolved, value) = (item.unresolved.expose(), value.expose());
                    let item = ItemParts { namespace, name, item_key: &item.key, unresolved, value };
                    checksums.sealed_item(binding, &item)
                }
                _ => withheld_digest(namespace, name, item, checksums),
            };
            (item.key.clone(), digest)
        });
        all.entry((namespace.into(), name.into())).or_default().extend(digests);
    }
    all
}

/// The digest of an item whose value must not show: it tells references apart and nothing else.
fn withheld_digest(namespace: &str, name: &str, item: &ResolvedItem, checksums: &ChecksumKey) -> Digest {
    let place = [namespace.as_bytes(), name.as_bytes(), item.key.as_bytes()];
    let references: Vec<String> = item.references.iter().map(reference_text).collect();
    let parts: Vec<&[u8]> = place.into_iter().chain(references.iter().map(String::as_bytes)).collect();
    checksums.digest("withheld secret item", &parts)
}

#[cfg(test)]
mod tests;
