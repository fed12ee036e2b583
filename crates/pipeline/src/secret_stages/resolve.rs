//! The fourth stage: collects the references, fetches each once, and substitutes the values.
//!
//! This takes three passes. The first is pure: it parses every item of every Secret, collects the distinct references,
//! and finds placeholders in places where they are not allowed. The second checks all uses of references against the
//! policy (in `access`), and fetches each reference once if it is allowed everywhere it is used. This is the
//! only I/O. The third is pure again: it substitutes the values. A value is never parsed. All problems of all passes
//! are reported together, and a failing reference only once, with the places that use it.
//!
//! [`ResolvedApp`] holds plaintext. It implements neither `Debug` nor `Serialize`, and only [`super::seal()`] reads it:
//! its parts are visible in this stage and the next one only.

mod access;
mod audit;
mod collect;
mod colon_key;
mod compat;
mod evidence;
mod expand;
mod literal;
mod modify;
mod names;
mod problem;
mod scan;
mod source;
mod string_data_from;
mod substitute;

use std::collections::{BTreeMap, BTreeSet};

use self::collect::{CollectedSecrets, PendingItem, PendingObject};
use self::problem::ReferencePlaces;
use super::resolved::ResolvedApp;
use crate::render::RenderedApp;
use sealwave_core::diagnostic::{Failure, Note, Problem};
use sealwave_core::document::{Manifest, ObjectId, Origin};
use sealwave_kube::catalog::ObjectIndex;
use sealwave_providers::FetchResult;
use sealwave_secrets::SealingScope;
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::settings::{EnvironmentBackends, PlaceholderSettings};

pub use self::access::AccessPolicy;
pub use self::audit::{AuditRecord, AuditSink, FetchOutcome};
pub use self::source::ValueSource;

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
    let names = supply.resolver(backends);
    let mut problems = Vec::new();
    let CollectedSecrets { objects, references } =
        collect::collect(rendered.into_objects(), &names, reading, notes, &mut problems);
    notes.extend(colon_key::notes(&references));
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
            objects.into_iter().map(PendingObject::without_value).collect()
        }
        ValueSource::Withhold { .. } => objects.into_iter().map(PendingObject::without_value).collect(),
    };
    Failure::unless_empty(problems)?;
    Ok(ResolvedApp::new(objects))
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
    let names = supply.resolver(backends);
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
) -> impl Iterator<Item = (ObjectIndex, PlaceholderUse)> + use<'o> {
    let names = ValueSource::Withhold { known: None, default_provider }.resolver(backends);
    let secrets = || ObjectIndex::enumerate(objects).filter(|(_, object)| object.is_secret());
    let cloned = secrets().map(|(_, secret)| secret.clone()).collect();
    let collected = collect::collect(cloned, &names, reading, &mut Vec::new(), &mut Vec::new());
    let indices = secrets().map(|(index, _)| index);
    indices
        .zip(collected.objects)
        .flat_map(|(index, object)| uses_in(&object).into_iter().map(move |used| (index, used)))
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

#[cfg(test)]
mod tests;
