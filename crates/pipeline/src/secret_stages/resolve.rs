//! The fourth stage: collects the references, fetches each once, and substitutes the values.
//!
//! This takes three passes. The first is pure: it parses every item of every Secret, collects the distinct references,
//! and finds placeholders in places where they are not allowed. The second checks all uses of references against the
//! policy (see [`mod@access`]), and fetches each reference once if it is allowed everywhere it is used. This is the
//! only I/O. The third is pure again: it substitutes the values. A value is never parsed. All problems of all passes
//! are reported together, and a failing reference only once, with the places that use it.
//!
//! [`ResolvedApp`] holds plaintext. It implements neither `Debug` nor `Serialize`, and only [`super::seal()`] reads it:
//! its parts are visible in this stage and the next one only.

mod access;
mod audit;
mod collect;
mod compat;
mod evidence;
mod expand;
mod literal;
mod modify;
mod problem;
mod scan;
mod string_data_from;
mod substitute;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use compact_str::CompactString;

use self::collect::{CollectedSecrets, ItemContent, PendingItem, PendingObject};
use self::problem::ReferencePlaces;
use crate::render::RenderedApp;
use sealwave_core::diagnostic::{Failure, Note, Problem};
use sealwave_core::document::{Manifest, ObjectId, Origin};
use sealwave_providers::{FetchResult, ProviderRegistry};
use sealwave_secrets::SealingScope;
use sealwave_secrets::placeholder::{PlaceholderText, SecretReference};
use sealwave_secrets::policy::{Policy, PolicySubject};
use sealwave_secrets::settings::{EnvironmentBackends, PlaceholderSettings};
use sealwave_secrets::values::{KeySource, SecretValue};

pub use self::audit::{AuditRecord, AuditSink, FetchOutcome};

/// Objects whose Secrets hold their values. Modules other than the parent can only pass it on.
pub(crate) struct ResolvedApp {
    objects: Vec<ResolvedObject>,
}

/// An object after resolution.
pub(super) enum ResolvedObject {
    /// An object without secret data.
    Plain(Manifest),
    /// A Secret with data.
    Secret(ResolvedSecret),
}

/// A Secret after resolution.
pub(super) struct ResolvedSecret {
    /// The Secret without `data` and `stringData`.
    pub(super) manifest: Manifest,
    /// The items in the order of their keys. Either `items` or `sources` is not empty.
    pub(super) items: Vec<ResolvedItem>,
    /// Secrets whose keys all become items, if they were not fetched. Their items are not known.
    pub(super) sources: Vec<KeySource>,
}

/// An item of a Secret after substitution.
pub(super) struct ResolvedItem {
    /// The key, which is valid for a Secret.
    pub(super) key: CompactString,
    /// The location of the value in the source.
    pub(super) origin: Origin,
    /// The item's bytes before placeholders were resolved; for `data`, the decoded ones.
    ///
    /// If a reference omits its provider or its path, this is the same text with references in full, so that it always
    /// contains what the item refers to. If values are read from files in Git, evidence of these files is appended.
    pub(super) unresolved: SecretValue,
    /// The references in order of appearance; empty for a literal. `path` is already replaced by the provider that it
    /// stands for.
    pub(super) references: Vec<SecretReference>,
    /// The same text, parsed, with `path` replaced too; `None` if the item's bytes are not a text with placeholders.
    pub(super) text: Option<PlaceholderText>,
    /// The value.
    pub(super) value: ItemValue,
}

/// The value of an item.
pub(super) enum ItemValue {
    /// Fetched, or a literal.
    Known(SecretValue),
    /// Not fetched: in a local preview, or for a backend that stores only references.
    Withheld,
}

impl ResolvedApp {
    pub(super) fn objects(&self) -> &[ResolvedObject] {
        &self.objects
    }

    pub(super) fn into_objects(self) -> Vec<ResolvedObject> {
        self.objects
    }

    #[cfg(test)]
    pub(super) const fn for_tests(objects: Vec<ResolvedObject>) -> Self {
        Self { objects }
    }
}

/// The source of values.
#[derive(Clone, Copy)]
pub enum ValueSource<'a> {
    /// The operator's providers.
    Fetch {
        /// The providers.
        providers: &'a ProviderRegistry,
        /// The access policy.
        access: AccessPolicy<'a>,
        /// The cluster that values are sealed for.
        cluster: &'a str,
        /// The audit log for requests and their outcomes.
        audit: Option<&'a dyn AuditSink>,
        /// The provider that `<path:…>` stands for.
        default_provider: Option<&'a str>,
        /// The time at which the run must end.
        deadline: Instant,
    },
    /// None, but the policy is checked: all Secrets go to backends that store references, or the run only validates.
    Refer {
        /// The names of the providers, if an operator file is available.
        known: Option<&'a BTreeSet<String>>,
        /// The access policy.
        access: AccessPolicy<'a>,
        /// The cluster that the objects are for.
        cluster: &'a str,
        /// The provider that `<path:…>` stands for.
        default_provider: Option<&'a str>,
    },
    /// None, for a preview: nothing is fetched, and everything is checked that does not need values.
    Withhold {
        /// The names of the providers, if an operator file is available; otherwise any name is accepted.
        known: Option<&'a BTreeSet<String>>,
        /// The provider that `<path:…>` stands for.
        default_provider: Option<&'a str>,
    },
}

/// The policy for references.
#[derive(Clone, Copy)]
pub enum AccessPolicy<'a> {
    /// The policy decides what this app may use.
    Checked {
        /// The operator's policy.
        policy: &'a Policy,
        /// The app, as Argo CD describes it.
        subject: &'a PolicySubject,
    },
    /// Everything is allowed: a local run without an operator file, or one that waives the policy.
    Unchecked,
}

/// Resolves the placeholders of all Secrets. For backends that store references nothing is fetched, but the policy is
/// checked.
///
/// # Errors
/// All problems of placeholders, items and references; nothing is resolved then.
pub(crate) fn resolve(
    rendered: RenderedApp,
    supply: &ValueSource<'_>,
    reading: PlaceholderSettings<'_>,
    backends: &EnvironmentBackends,
    notes: &mut Vec<Note>,
) -> Result<ResolvedApp, Failure> {
    let names = ProviderResolver::new(supply, backends);
    let mut problems = Vec::new();
    let CollectedSecrets { objects, references } =
        collect::collect(rendered.into_objects(), &names, reading, notes, &mut problems);
    let objects = match supply {
        ValueSource::Fetch { providers, access, cluster, audit, deadline, .. } => {
            let verdicts = access::decide_uses(&objects, &references, cluster, access);
            verdicts.report_refusals(access, &mut problems);
            let fetched = providers.fetch(references_to_fetch(verdicts.allowed(), &objects), *deadline);
            notes.extend(providers.take_notes());
            if let Some(audit) = audit {
                audit.write(&audit::records(&verdicts, &fetched, access)).map_err(Failure::from)?;
            }
            report_failures(&fetched, &references, &mut problems);
            substitute::substitute(objects, &fetched, notes, &mut problems)
        }
        ValueSource::Refer { access, cluster, .. } => {
            access::decide_uses(&objects, &references, cluster, access)
                .report_refusals(access, &mut problems);
            objects.into_iter().map(without_value).collect()
        }
        ValueSource::Withhold { .. } => objects.into_iter().map(without_value).collect(),
    };
    Failure::unless_empty(problems)?;
    Ok(ResolvedApp { objects })
}

/// A use of a reference: an item of a Secret that holds a placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceholderUse {
    /// The reference; `path` is already replaced by the provider that it stands for.
    pub reference: SecretReference,
    /// The Secret.
    pub secret: ObjectId,
    /// The sealing scope.
    pub scope: SealingScope,
    /// The item's key.
    pub item: String,
    /// The location of the item's value.
    pub origin: Origin,
}

/// Returns all uses of references, in the order of objects, items and placeholders. Runs only the first pass, so it is
/// pure.
///
/// # Errors
/// All problems of placeholders and items.
pub(crate) fn placeholder_uses(
    rendered: RenderedApp,
    supply: &ValueSource<'_>,
    reading: PlaceholderSettings<'_>,
    backends: &EnvironmentBackends,
) -> Result<Vec<PlaceholderUse>, Failure> {
    let names = ProviderResolver::new(supply, backends);
    let mut problems = Vec::new();
    let collected =
        collect::collect(rendered.into_objects(), &names, reading, &mut Vec::new(), &mut problems);
    Failure::unless_empty(problems)?;
    Ok(collected.objects.iter().flat_map(uses_in).collect())
}

/// Returns the uses of references in the Secrets among objects, each with the index of its Secret. Ignores problems.
pub(crate) fn placeholder_uses_in<'o>(
    objects: &'o [Manifest],
    default_provider: Option<&str>,
    reading: PlaceholderSettings<'_>,
    backends: &EnvironmentBackends,
) -> impl Iterator<Item = (usize, PlaceholderUse)> + use<'o> {
    let names = ProviderResolver::new(&ValueSource::Withhold { known: None, default_provider }, backends);
    let secrets = || objects.iter().enumerate().filter(|(_, object)| object.is_secret());
    let cloned = secrets().map(|(_, secret)| secret.clone()).collect();
    let collected = collect::collect(cloned, &names, reading, &mut Vec::new(), &mut Vec::new());
    let numbers = secrets().map(|(number, _)| number);
    numbers
        .zip(collected.objects)
        .flat_map(|(number, object)| uses_in(&object).into_iter().map(move |used| (number, used)))
}

fn uses_in(object: &PendingObject) -> Vec<PlaceholderUse> {
    let Some((manifest, items)) = object.secret() else { return Vec::new() };
    let new_use = |item: &PendingItem, reference: &SecretReference| PlaceholderUse {
        reference: reference.clone(),
        secret: manifest.id(),
        scope: object.scope(),
        item: item.key.to_string(),
        origin: item.origin,
    };
    items.iter().flat_map(|item| item.references().map(move |reference| new_use(item, reference))).collect()
}

/// Resolves the names of providers.
struct ProviderResolver<'a> {
    /// `None` if any name is accepted.
    known: Option<BTreeSet<String>>,
    default_provider: Option<&'a str>,
    backends: &'a EnvironmentBackends,
}

impl<'a> ProviderResolver<'a> {
    fn new(supply: &ValueSource<'a>, backends: &'a EnvironmentBackends) -> Self {
        let (known, default_provider) = match supply {
            ValueSource::Fetch { providers, default_provider, .. } => {
                (Some(providers.names()), *default_provider)
            }
            ValueSource::Refer { known, default_provider, .. }
            | ValueSource::Withhold { known, default_provider } => (known.cloned(), *default_provider),
        };
        Self { known, default_provider, backends }
    }
}

/// Returns the references whose values are needed by any object.
fn references_to_fetch<'r>(
    allowed: impl Iterator<Item = &'r SecretReference>,
    objects: &[PendingObject],
) -> Vec<&'r SecretReference> {
    let needed = objects.iter().filter_map(|object| match object {
        PendingObject::Secret(_, items) => Some(items),
        PendingObject::Plain(_) | PendingObject::Referred(..) => None,
    });
    let needed: BTreeSet<&SecretReference> = needed.flatten().flat_map(PendingItem::references).collect();
    allowed.filter(|reference| needed.contains(*reference)).collect()
}

/// Reports failed references, except those that were not found, since a `default` may apply.
fn report_failures(
    fetched: &BTreeMap<&SecretReference, FetchResult>,
    references: &BTreeMap<SecretReference, ReferencePlaces>,
    problems: &mut Vec<Problem>,
) {
    for (reference, result) in fetched {
        let (Err(error), Some(places)) = (result, references.get(*reference)) else { continue };
        if !substitute::is_missing(error) {
            problems.push(problem::fetch_problem(reference, error, places));
        }
    }
}

fn without_value(pending: PendingObject) -> ResolvedObject {
    match pending {
        PendingObject::Plain(manifest) => ResolvedObject::Plain(manifest),
        PendingObject::Referred(manifest, items) | PendingObject::Secret(manifest, items) => {
            let mut secret = ResolvedSecret { manifest, items: Vec::new(), sources: Vec::new() };
            for item in items {
                match item.content {
                    ItemContent::AllKeys(source) => secret.sources.push(*source),
                    ItemContent::Bytes | ItemContent::Text(_) => secret.items.push(item.without_value()),
                }
            }
            ResolvedObject::Secret(secret)
        }
    }
}

#[cfg(test)]
mod tests;
