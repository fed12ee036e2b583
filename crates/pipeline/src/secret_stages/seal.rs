//! The fifth stage: turns each Secret into an object that is safe to store.
//!
//! [`SealedApp`] is the only type that [`crate::emit()`] prints. Its fields are private to this file, and only [`seal`]
//! creates it. It never contains a value, neither in clear nor as a digest under a public key.

mod expiry;
mod secret_type;

pub use expiry::ItemExpiry;

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;

use self::secret_type::{TypedItem, TypedItems};
use super::resolved::{ItemValue, ResolvedApp, ResolvedItem, ResolvedObject, ResolvedSecret};
use crate::backends::metadata::{SealKeyStamp, SealStamp};
use crate::backends::sealed_secrets::{EncryptedItem, SealableSecret, SealedSecretsBackend};
use crate::backends::{
    self, Backend, MeasuredItem, MeasuredSecret, RegisteredBackend, ReplacedSecret, ReplacedSecrets,
    UnresolvedItem, UnresolvedSecret,
};
use sealwave_core::diagnostic::{BUG_HINT, Explain, Failure, Note, Problem};
use sealwave_core::document::{Manifest, Node, NodeValue, ObjectId};
use sealwave_core::names::{self, UNKNOWN_KEYS};
use sealwave_core::time::Date;
use sealwave_kube::pods::WorkloadKind;
use sealwave_kube::{PlainData, plain_data};
use sealwave_secrets::crypto::{
    Certificate, ChecksumKey, ItemParts, ItemText, KeyedDigest, SealError, SealItem, SealOwner, Sealer,
};
use sealwave_secrets::placeholder::{KeySource, SecretReference};
use sealwave_secrets::settings::{BackendChoice, BackendKind, EnvironmentBackends};
use sealwave_secrets::values::SecretValue;

/// Objects that are safe to print, with keyed digests of their values.
///
/// Only the pipeline can create it. This compiles:
///
/// ```
/// fn forge(sealed: sealwave_pipeline::SealedApp) -> sealwave_pipeline::SealedApp {
///     sealed
/// }
/// ```
///
/// This does not:
///
/// ```compile_fail,E0451
/// fn forge(sealed: sealwave_pipeline::SealedApp) -> sealwave_pipeline::SealedApp {
///     sealwave_pipeline::SealedApp { objects: Vec::new(), ..sealed }
/// }
/// ```
///
/// Its objects can be read, but not changed. This compiles:
///
/// ```
/// fn change(sealed: &mut sealwave_pipeline::SealedApp) {
///     let _ = sealed.objects();
/// }
/// ```
///
/// This does not:
///
/// ```compile_fail
/// fn change(sealed: &mut sealwave_pipeline::SealedApp) {
///     let _ = sealed.objects_mut();
/// }
/// ```
pub struct SealedApp {
    objects: Vec<Manifest>,
    secrets: SecretDigests,
    expiries: Vec<ItemExpiry>,
}

/// The digest of each item of each sealed Secret: (namespace, name) → item key → digest.
pub(crate) type SecretDigests =
    BTreeMap<(CompactString, CompactString), BTreeMap<CompactString, KeyedDigest>>;

/// The way in which Secrets are sealed.
pub enum SealMode {
    /// Sealed; equal input gives equal output.
    Deterministic(Box<Sealer>),
    /// Not sealed: no Secret needs it, and no key or certificate is available.
    Nothing,
    /// Sealed with fresh randomness, for files that are committed.
    Random(RandomSealing),
    /// Replaced by placeholders without values, for local previews; no key or certificate is available.
    Redacted,
}

/// Sealing with fresh randomness. Only [`crate::seal_for_commit()`] creates it: a rendering that used it would differ each time.
pub struct RandomSealing(Box<Certificate>);

impl RandomSealing {
    pub(crate) fn new(certificate: Certificate) -> Self {
        Self(Box::new(certificate))
    }
}

impl SealMode {
    /// Returns the app that values are sealed for, if they are sealed.
    fn owner(&self) -> Option<&SealOwner> {
        match self {
            Self::Deterministic(sealer) => Some(&sealer.owner),
            Self::Nothing | Self::Random(_) | Self::Redacted => None,
        }
    }

    /// Reports whether a Secret without items is sealed as well, and not passed on as it is.
    const fn seals_empty_secrets(&self) -> bool {
        matches!(self, Self::Random(_))
    }
}

/// A reason why a Secret cannot be sealed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum SecretSealError {
    /// A Secret must be sealed, although the run was set up without sealing.
    #[error("Secret `{0}` must be sealed, but no seal key is available")]
    NoKey(String),
    /// The app file names a Secret that does not exist.
    #[error("`secretBackends` names Secret `{0}`, which this environment does not have")]
    NoSuchSecret(String),
    /// An object holds the data of a Secret, but Kubernetes does not treat it as one.
    #[error("{object} holds `{field}` of a Secret but is not a Secret, so it would be printed in plaintext")]
    NotASecret {
        /// The object.
        object: ObjectId,
        /// The field that holds the data.
        field: &'static str,
    },
    /// An object embeds Secrets with data.
    #[error("{object} holds a Secret with values in `{field}`, which would be printed in plaintext")]
    Within {
        /// The object.
        object: ObjectId,
        /// The field that holds the Secret.
        field: &'static str,
    },
    /// A Secret with data was passed as a plain object.
    #[error("Secret `{0}` has data that was not extracted for sealing")]
    Unsealed(String),
    /// The value of an item was not fetched.
    #[error("item `{0}` was not fetched, so it cannot be sealed")]
    Withheld(CompactString),
}

impl Explain for SecretSealError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoKey(_) | Self::Unsealed(_) | Self::Withheld(_) => {
                format!("{BUG_HINT} (without the Secret)")
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

/// The settings of this stage.
#[derive(Clone, Copy)]
pub(crate) struct SealSettings<'a> {
    /// The backend of each Secret.
    pub(crate) backends: &'a EnvironmentBackends,
    /// Workload kinds beyond the built-in ones.
    pub(crate) workloads: &'a [WorkloadKind],
    /// Today's date, for notes only; `None` disables them.
    pub(crate) today: Option<Date>,
}

/// Turns each Secret into the object of its backend: a `SealedSecret`, or its redacted preview; an `ExternalSecret`; or
/// a `SecretProviderClass`, which the pods that use the Secret then mount. Other objects are unchanged.
///
/// # Errors
/// All Secrets that their backend does not support, with their locations. As a last guard, also each Secret with data
/// among the plain objects.
pub(crate) fn seal(
    resolved: ResolvedApp,
    sealing: &SealMode,
    settings: &SealSettings<'_>,
    checksums: &ChecksumKey,
    notes: &mut Vec<Note>,
) -> Result<SealedApp, Failure> {
    // A preview has no values, so `validate` reports missing items.
    let is_preview = matches!(sealing, SealMode::Redacted);
    let mut problems = if is_preview { Vec::new() } else { type_problems(&resolved, settings.today, notes) };
    let expiries = settings.today.map(|_| expiry::item_expiries(&resolved)).unwrap_or_default();
    let DraftSet { drafts, replaced, problems: more } =
        draft(resolved, sealing.seals_empty_secrets(), settings.backends, notes);
    problems.extend(more);
    let secrets = digest_secrets(&drafts, sealing.owner(), checksums);
    if !problems.is_empty() {
        // Report unused Secrets as well, so that one run shows all problems.
        let mut plain: Vec<Manifest> =
            drafts.into_iter().filter_map(|draft| draft.into_redacted().ok()).collect();
        problems.extend(backends::after_build(&replaced, &mut plain, settings.workloads));
        return Err(Failure::unless_empty(problems).expect_err("there are problems"));
    }
    let mut objects = match sealing {
        SealMode::Deterministic(sealer) => seal_drafts(drafts, &ItemSealer::Deterministic(sealer))?,
        SealMode::Nothing => plain_objects(drafts)?,
        SealMode::Random(RandomSealing(certificate)) => {
            seal_drafts(drafts, &ItemSealer::Random(certificate))?
        }
        SealMode::Redacted => {
            drafts.into_iter().map(DraftObject::into_redacted).collect::<Result<_, Problem>>()?
        }
    };
    Failure::unless_empty(backends::after_build(&replaced, &mut objects, settings.workloads))?;
    Ok(SealedApp { objects, secrets, expiries })
}

impl SealedApp {
    /// Returns the objects.
    #[must_use]
    pub fn objects(&self) -> &[Manifest] {
        &self.objects
    }

    /// Returns the items whose values tell when they expire; only determined if today's date was given.
    #[must_use]
    pub fn expiries(&self) -> &[ItemExpiry] {
        &self.expiries
    }

    pub(crate) const fn secrets(&self) -> &SecretDigests {
        &self.secrets
    }

    /// Lets `annotate` change the metadata of objects. It cannot reach secret values.
    pub(crate) fn objects_mut(&mut self) -> &mut [Manifest] {
        &mut self.objects
    }
}

/// An object before sealing.
enum DraftObject {
    Plain(Manifest),
    Secret(SealableSecret, Vec<ResolvedItem>),
}

struct DraftSet {
    drafts: Vec<DraftObject>,
    replaced: ReplacedSecrets,
    problems: Vec<Problem>,
}

impl DraftSet {
    fn add(&mut self, draft: Option<Result<DraftObject, Vec<Problem>>>) {
        match draft {
            Some(Ok(draft)) => self.drafts.push(draft),
            Some(Err(found)) => self.problems.extend(found),
            None => {}
        }
    }

    /// Checks that the backend that a Secret is released to can express it, so that the next step does not fail.
    ///
    /// The object of that backend is part of the output only if it can own the Secret together with the old one: the CSI
    /// driver's Secret is owned by the pods that mount it, and the External Secrets Operator joins them.
    fn add_new_supplier(
        &mut self,
        secret: &UnresolvedSecret,
        choice: BackendChoice,
        settings: &EnvironmentBackends,
        notes: &mut Vec<Note>,
    ) {
        let Some(to) = choice.release_to else { return };
        let RegisteredBackend::References(backend) = backends::backend(to) else { return };
        let secret = UnresolvedSecret { release_to: None, ..secret.clone() };
        let draft = backend.build(secret, settings, notes).map(DraftObject::Plain);
        let joins = (choice.kind, to) == (BackendKind::SecretsStoreCsi, BackendKind::ExternalSecrets);
        self.add((joins || draft.is_err()).then_some(draft));
    }
}

/// Returns the items of a Secret as committed, without values.
fn text_of_secret(secret: &ResolvedSecret) -> UnresolvedSecret {
    let unresolved = |item: &ResolvedItem| UnresolvedItem {
        key: item.key.clone(),
        origin: item.origin,
        text: item.text.clone(),
    };
    UnresolvedSecret {
        manifest: secret.manifest.clone(),
        items: secret.items.iter().map(unresolved).collect(),
        sources: secret.sources.clone(),
        release_to: None,
    }
}

fn draft(
    resolved: ResolvedApp,
    seals_empty_secrets: bool,
    settings: &EnvironmentBackends,
    notes: &mut Vec<Note>,
) -> DraftSet {
    let mut out = DraftSet { drafts: Vec::new(), replaced: ReplacedSecrets::new(), problems: Vec::new() };
    let objects = resolved.into_objects();
    let unused = settings.unused_entries(objects.iter().filter_map(secret_id));
    for object in objects {
        let object = if seals_empty_secrets { object.or_empty_secret() } else { object };
        let draft = match object {
            ResolvedObject::Plain(manifest) => guard(manifest).map_err(|problem| vec![problem]),
            ResolvedObject::Secret(secret) => {
                let choice = settings.choice_for(secret.manifest.namespace(), secret.manifest.name());
                out.replaced.entry(choice.kind).or_default().push(ReplacedSecret::new(&secret.manifest));
                match backends::backend(choice.kind) {
                    RegisteredBackend::References(backend) => {
                        let secret = without_values(secret, choice.release_to);
                        out.add_new_supplier(&secret, choice, settings, notes);
                        backend.build(secret, settings, notes).map(DraftObject::Plain)
                    }
                    RegisteredBackend::SealedValues(backend) => {
                        out.add_new_supplier(&text_of_secret(&secret), choice, settings, notes);
                        blueprint(secret, backend, choice.release_to, settings, notes)
                    }
                }
            }
        };
        out.add(Some(draft));
    }
    out.problems
        .extend(unused.into_iter().map(|name| Problem::new(&SecretSealError::NoSuchSecret(name.to_owned()))));
    out
}

fn secret_id(object: &ResolvedObject) -> Option<(&str, &str)> {
    match object {
        ResolvedObject::Plain(_) => None,
        ResolvedObject::Secret(secret) => Some((secret.manifest.namespace(), secret.manifest.name())),
    }
}

/// Drops any values, for a backend that stores references.
fn without_values(secret: ResolvedSecret, release_to: Option<BackendKind>) -> UnresolvedSecret {
    let ResolvedSecret { manifest, items, sources } = secret;
    let unresolved =
        |item: ResolvedItem| UnresolvedItem { key: item.key, origin: item.origin, text: item.text };
    UnresolvedSecret { manifest, items: items.into_iter().map(unresolved).collect(), sources, release_to }
}

/// The last guard: refuses a Secret with data, even if it is disguised as another object.
fn guard(manifest: Manifest) -> Result<DraftObject, Problem> {
    let object = || manifest.id();
    match plain_data(manifest.root()) {
        Some(PlainData::Field(field)) => {
            let error = SecretSealError::NotASecret { object: object(), field };
            let kind = manifest.root().get("kind").map_or(manifest.origin(), |kind| kind.origin);
            return Err(Problem::at(kind, &error));
        }
        Some(PlainData::Object(field, held)) => {
            let error = SecretSealError::Within { object: object(), field };
            return Err(Problem::at(held.display_origin(), &error));
        }
        None => {}
    }
    let holds_data = |field: &str| manifest.root().get(field).is_some_and(|node| !is_empty(node));
    if manifest.is_secret() && (holds_data("data") || holds_data("stringData")) {
        let error = SecretSealError::Unsealed(manifest.name().to_owned());
        return Err(Problem::at(manifest.origin(), &error));
    }
    Ok(DraftObject::Plain(if manifest.is_secret() { without_copies(manifest) } else { manifest }))
}

/// Removes the copies of the whole Secret that `kubectl apply` keeps in annotations.
fn without_copies(mut secret: Manifest) -> Manifest {
    let copies = [names::KUBECTL_LAST_APPLIED, names::KUBECFG_LAST_APPLIED];
    if let Some(annotations) = secret.field_mut(&["metadata", "annotations"]).and_then(Node::as_mapping_mut) {
        annotations.retain(|entry| !copies.contains(&entry.key.as_str()));
    }
    secret
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        NodeValue::Mapping(mapping) => mapping.is_empty(),
        NodeValue::Null => true,
        _ => false,
    }
}

/// Returns the problems for which the API server would refuse typed Secrets.
fn type_problems(resolved: &ResolvedApp, today: Option<Date>, notes: &mut Vec<Note>) -> Vec<Problem> {
    let mut found = Vec::new();
    for object in resolved.objects() {
        found.extend(match object {
            ResolvedObject::Secret(ResolvedSecret { manifest, items, sources }) => {
                let known: Vec<TypedItem<'_>> = items.iter().map(typed_item).collect();
                let items = TypedItems { known: &known, has_unknown: !sources.is_empty() };
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

fn typed_item(item: &ResolvedItem) -> TypedItem<'_> {
    TypedItem { key: &item.key, origin: item.origin, value: known_value(item) }
}

fn measured_item(item: &ResolvedItem) -> MeasuredItem {
    MeasuredItem { key: item.key.clone(), origin: item.origin, size: known_value(item).map(SecretValue::len) }
}

fn known_value(item: &ResolvedItem) -> Option<&SecretValue> {
    match &item.value {
        ItemValue::Known(value) => Some(value),
        ItemValue::Withheld => None,
    }
}

fn blueprint(
    secret: ResolvedSecret,
    backend: &SealedSecretsBackend,
    release_to: Option<BackendKind>,
    settings: &EnvironmentBackends,
    notes: &mut Vec<Note>,
) -> Result<DraftObject, Vec<Problem>> {
    let ResolvedSecret { manifest, mut items, sources } = secret;
    let measured = MeasuredSecret { manifest, items: items.iter().map(measured_item).collect(), release_to };
    let blueprint = backend.build(measured, settings, notes)?;
    items.extend(unknown_keys(&sources));
    Ok(DraftObject::Secret(blueprint, items))
}

/// Returns the placeholder item of a preview for keys that are unknown until they are fetched.
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

/// Seals items in one of two ways.
enum ItemSealer<'a> {
    Deterministic(&'a Sealer),
    Random(&'a Certificate),
}

impl ItemSealer<'_> {
    fn stamp(&self) -> SealStamp {
        let (certificate, seal_key) = match self {
            Self::Deterministic(Sealer { certificate, key, owner, .. }) => {
                (certificate, Some(SealKeyStamp { id: key.id(), derivation: owner.derivation }))
            }
            Self::Random(certificate) => (*certificate, None),
        };
        SealStamp { public_key_sha256: certificate.details().public_key_sha256.clone(), seal_key }
    }

    fn seal_all(&self, items: &[SealItem<'_>]) -> Result<Vec<String>, SealError> {
        match self {
            Self::Deterministic(sealer) => sealer.seal_all(items),
            Self::Random(certificate) => certificate.seal_all_randomly(items),
        }
    }
}

fn seal_drafts(drafts: Vec<DraftObject>, sealer: &ItemSealer<'_>) -> Result<Vec<Manifest>, Failure> {
    let stamp = sealer.stamp();
    let mut texts = seal_items(&drafts, sealer)?.into_iter();
    let objects = drafts
        .into_iter()
        .map(|draft| match draft {
            DraftObject::Plain(manifest) => Ok(manifest),
            DraftObject::Secret(blueprint, items) => {
                let items = items.into_iter().zip(texts.by_ref());
                blueprint.build(Some(&stamp), items.map(|(item, text)| encrypted_item(item, text)).collect())
            }
        })
        .collect::<Result<_, Problem>>()?;
    Ok(objects)
}

/// Seals all items of all Secrets, in order.
fn seal_items(drafts: &[DraftObject], sealer: &ItemSealer<'_>) -> Result<Vec<String>, Failure> {
    let named: Vec<(&SealableSecret, CompactString, &[ResolvedItem])> = drafts
        .iter()
        .filter_map(|draft| match draft {
            DraftObject::Plain(_) => None,
            DraftObject::Secret(blueprint, items) => {
                Some((blueprint, blueprint.sealing_name(), items.as_slice()))
            }
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
                    problems.push(Problem::at(item.origin, &SecretSealError::Withheld(item.key.clone())));
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

/// Returns the objects if none of them must be sealed.
fn plain_objects(drafts: Vec<DraftObject>) -> Result<Vec<Manifest>, Failure> {
    let mut objects = Vec::with_capacity(drafts.len());
    let mut problems = Vec::new();
    for draft in drafts {
        match draft {
            DraftObject::Plain(manifest) => objects.push(manifest),
            DraftObject::Secret(blueprint, _) => {
                problems.push(Problem::new(&SecretSealError::NoKey(blueprint.name().to_owned())));
            }
        }
    }
    Failure::unless_empty(problems).map(|()| objects)
}

impl DraftObject {
    fn into_redacted(self) -> Result<Manifest, Problem> {
        match self {
            Self::Plain(manifest) => Ok(manifest),
            Self::Secret(blueprint, items) => {
                let items = items
                    .into_iter()
                    .map(|item| {
                        let text = redacted_text(&item.references);
                        encrypted_item(item, text)
                    })
                    .collect();
                blueprint.build(None, items)
            }
        }
    }
}

/// Replaces the value of an item by its sealed text.
fn encrypted_item(item: ResolvedItem, text: String) -> EncryptedItem {
    EncryptedItem { key: item.key, origin: item.origin, text }
}

/// Returns the text that replaces a value in a preview: its references, without the surrounding text.
fn redacted_text(references: &[SecretReference]) -> String {
    if references.is_empty() {
        return "redacted: a literal of the Secret".to_owned();
    }
    let mut seen = BTreeSet::new();
    let shown: Vec<String> =
        references.iter().map(reference_text).filter(|text| seen.insert(text.clone())).collect();
    let subject = if references.iter().any(|reference| reference.all_keys) { "all keys" } else { "value" };
    format!("redacted: {subject} of {}", shown.join(", "))
}

fn reference_text(reference: &SecretReference) -> String {
    let format_part = |mark: &str, part: &Option<String>| {
        part.as_ref().map_or(String::new(), |part| format!("{mark}{part}"))
    };
    let SecretReference { provider, path, key, version, .. } = reference;
    match (key, version) {
        (None, Some(version)) => format!("{provider}:{path}##{version}"),
        _ => format!("{provider}:{path}{}{}", format_part("#", key), format_part("#", version)),
    }
}

fn digest_secrets(
    drafts: &[DraftObject],
    owner: Option<&SealOwner>,
    checksums: &ChecksumKey,
) -> SecretDigests {
    // A digest of a literal under a public key could be guessed.
    let owner = owner.filter(|_| !checksums.is_public());
    let mut all = SecretDigests::new();
    for draft in drafts {
        let DraftObject::Secret(blueprint, items) = draft else { continue };
        // Nothing can refer to a name that is not known yet.
        if blueprint.name().is_empty() {
            continue;
        }
        let (namespace, name) = (blueprint.namespace(), blueprint.name());
        let digest_secrets = items.iter().map(|item| {
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
        all.entry((namespace.into(), name.into())).or_default().extend(digest_secrets);
    }
    all
}

/// Computes the digest of an item with a withheld value: it distinguishes references and nothing else.
fn withheld_digest(namespace: &str, name: &str, item: &ResolvedItem, checksums: &ChecksumKey) -> KeyedDigest {
    let place = [namespace.as_bytes(), name.as_bytes(), item.key.as_bytes()];
    let references: Vec<String> = item.references.iter().map(reference_text).collect();
    let parts: Vec<&[u8]> = place.into_iter().chain(references.iter().map(String::as_bytes)).collect();
    checksums.digest("withheld secret item", &parts)
}

#[cfg(test)]
mod tests;
