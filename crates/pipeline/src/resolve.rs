//! Fourth verb: collect the references, fetch each once, put the values in their places.
//!
//! Three passes. The first is pure: it parses every item of every Secret, collects the distinct references, and finds
//! placeholders that stand where none may be. The second asks the policy about all uses of references (see
//! [`mod@access`]) and fetches the references that are allowed wherever they are used, each once: the only I/O. The third is pure again: it puts the values in their places. A value is never
//! parsed. All problems of all passes are reported together, a failing reference once with the places that use it.
//!
//! [`Resolved`] holds plaintext. It has no `Debug` and no `Serialize`, and only [`super::seal()`] reads it.

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

use self::collect::{Collected, Content, Pending, PendingItem};
use self::problem::Places;
use super::Rendered;
use sealwave_core::diagnostic::{Failure, Note, Problem};
use sealwave_core::document::{Manifest, ObjectId, Origin};
use sealwave_providers::{FetchResult, Providers};
use sealwave_secrets::Scope;
use sealwave_secrets::placeholder::{Reference, Text};
use sealwave_secrets::policy::{Policy, Subject};
use sealwave_secrets::settings::{Backends, Reading};
use sealwave_secrets::values::{KeySource, SecretValue};

pub use self::audit::{Audit, Outcome, Record};

/// Objects whose Secrets hold their values; not to be printed.
///
/// ```compile_fail
/// fn print(resolved: &sealwave::pipeline::Resolved) {
///     println!("{resolved:?}");
/// }
/// ```
pub struct Resolved {
    objects: Vec<ResolvedObject>,
}

/// One object after resolution.
pub(crate) enum ResolvedObject {
    /// Holds no secret.
    Plain(Manifest),
    /// A Secret with data.
    Secret(ResolvedSecret),
}

/// A Secret whose items are known.
pub(crate) struct ResolvedSecret {
    /// The Secret without `data` and `stringData`.
    pub(crate) manifest: Manifest,
    /// Its items in the order of their keys; there is one at least, or one of `sources`.
    pub(crate) items: Vec<ResolvedItem>,
    /// Secrets of which all keys become items, where they were not fetched: the items are not known then.
    pub(crate) sources: Vec<KeySource>,
}

/// One item of a Secret.
pub(crate) struct ResolvedItem {
    /// Its key; a valid key of a Secret.
    pub(crate) key: CompactString,
    /// Where its value stands in the source.
    pub(crate) origin: Origin,
    /// The item's bytes before placeholders were resolved (for `data`, the decoded ones).
    ///
    /// Where a reference did not name its provider itself, or its path, this is the same text with references in full: what
    /// an item refers to is always part of this. Where values are taken from files in Git, evidence of these follows.
    pub(crate) unresolved: SecretValue,
    /// What it refers to, in order of appearance; empty for a literal. `path` is already the provider that it means.
    pub(crate) references: Vec<Reference>,
    /// The same text, parsed, `path` mapped too; none where the item's bytes stand for themselves.
    pub(crate) text: Option<Text>,
    /// Its value.
    pub(crate) value: ItemValue,
}

/// The value of an item.
pub(crate) enum ItemValue {
    /// Fetched, or a literal.
    Known(SecretValue),
    /// Not fetched: a local preview shows where it would go, and some backends store references alone.
    Withheld,
}

impl Resolved {
    pub(crate) fn objects(&self) -> &[ResolvedObject] {
        &self.objects
    }

    pub(crate) fn into_objects(self) -> Vec<ResolvedObject> {
        self.objects
    }

    #[cfg(test)]
    pub(crate) const fn for_tests(objects: Vec<ResolvedObject>) -> Self {
        Self { objects }
    }
}

/// Where values come from.
#[derive(Clone, Copy)]
pub enum Supply<'a> {
    /// From the operator's providers.
    Fetch {
        /// The providers.
        providers: &'a Providers,
        /// Who may use what.
        access: Access<'a>,
        /// The cluster that values are sealed for.
        cluster: &'a str,
        /// Where to write down what was asked for and what came of it.
        audit: Option<&'a dyn Audit>,
        /// The provider that `<path:…>` means.
        default_provider: Option<&'a str>,
        /// When the run must be over.
        deadline: Instant,
    },
    /// From nowhere, and the policy is asked all the same: all Secrets go to backends that store references, or the run only
    /// checks.
    Refer {
        /// The providers' names, where an operator file is at hand.
        known: Option<&'a BTreeSet<String>>,
        /// Who may use what.
        access: Access<'a>,
        /// The cluster that the objects are for.
        cluster: &'a str,
        /// The provider that `<path:…>` means.
        default_provider: Option<&'a str>,
    },
    /// From nowhere: a preview. Nothing is fetched, and all that can be checked without values is.
    Withhold {
        /// The providers' names, where an operator file is at hand; without one, any name will do.
        known: Option<&'a BTreeSet<String>>,
        /// The provider that `<path:…>` means.
        default_provider: Option<&'a str>,
    },
}

/// Who may use which references.
#[derive(Clone, Copy)]
pub enum Access<'a> {
    /// What the policy allows to this app.
    Checked {
        /// The operator's policy.
        policy: &'a Policy,
        /// The app, as Argo CD says it.
        subject: &'a Subject,
    },
    /// Everything: a local run that waives the policy, or one without an operator file.
    Unchecked,
}

/// Resolves the placeholders of all Secrets. For a backend that stores references nothing is fetched; the policy is asked
/// about its references all the same.
///
/// # Errors
/// Everything that is wrong with placeholders, items and references; nothing is resolved then.
pub fn resolve(
    rendered: Rendered,
    supply: &Supply<'_>,
    reading: Reading<'_>,
    backends: &Backends,
    notes: &mut Vec<Note>,
) -> Result<Resolved, Failure> {
    let names = Names::new(supply, backends);
    let mut problems = Vec::new();
    let Collected { objects, references } =
        collect::collect(rendered.into_objects(), &names, reading, notes, &mut problems);
    let objects = match supply {
        Supply::Fetch { providers, access, cluster, audit, deadline, .. } => {
            let verdicts = access::judge(&objects, &references, cluster, access);
            verdicts.refuse(access, &mut problems);
            let fetched = providers.fetch(wanted(verdicts.allowed(), &objects), *deadline);
            notes.extend(providers.take_notes());
            if let Some(audit) = audit {
                audit.write(&audit::records(&verdicts, &fetched, access)).map_err(Failure::from)?;
            }
            report(&fetched, &references, &mut problems);
            substitute::substitute(objects, &fetched, notes, &mut problems)
        }
        Supply::Refer { access, cluster, .. } => {
            access::judge(&objects, &references, cluster, access).refuse(access, &mut problems);
            objects.into_iter().map(withheld).collect()
        }
        Supply::Withhold { .. } => objects.into_iter().map(withheld).collect(),
    };
    Failure::unless_empty(problems)?;
    Ok(Resolved { objects })
}

/// One use of a reference: an item of a Secret that holds a placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// What it refers to; `path` is already the provider that it means.
    pub reference: Reference,
    /// The Secret.
    pub secret: ObjectId,
    /// Where in the cluster its values can be opened.
    pub scope: Scope,
    /// The item's key.
    pub item: String,
    /// Where the item's value stands.
    pub origin: Origin,
}

/// All uses of references, in the order of objects, items and placeholders; the first pass alone, so that it is pure.
///
/// # Errors
/// Everything that is wrong with placeholders and items.
pub(super) fn uses(
    rendered: Rendered,
    supply: &Supply<'_>,
    reading: Reading<'_>,
    backends: &Backends,
) -> Result<Vec<Use>, Failure> {
    let names = Names::new(supply, backends);
    let mut problems = Vec::new();
    let collected =
        collect::collect(rendered.into_objects(), &names, reading, &mut Vec::new(), &mut problems);
    Failure::unless_empty(problems)?;
    Ok(collected.objects.iter().flat_map(uses_in).collect())
}

/// The uses of references in the Secrets among objects, whatever is wrong with some; each with the number of its Secret.
pub fn uses_of<'o>(
    objects: &'o [Manifest],
    default_provider: Option<&str>,
    reading: Reading<'_>,
    backends: &Backends,
) -> impl Iterator<Item = (usize, Use)> + use<'o> {
    let names = Names::new(&Supply::Withhold { known: None, default_provider }, backends);
    let secrets = || objects.iter().enumerate().filter(|(_, object)| object.is_secret());
    let cloned = secrets().map(|(_, secret)| secret.clone()).collect();
    let collected = collect::collect(cloned, &names, reading, &mut Vec::new(), &mut Vec::new());
    let numbers = secrets().map(|(number, _)| number);
    numbers
        .zip(collected.objects)
        .flat_map(|(number, object)| uses_in(&object).into_iter().map(move |used| (number, used)))
}

fn uses_in(object: &Pending) -> Vec<Use> {
    let Some((manifest, items)) = object.secret() else { return Vec::new() };
    let used = |item: &PendingItem, reference: &Reference| Use {
        reference: reference.clone(),
        secret: manifest.id(),
        scope: object.scope(),
        item: item.key.to_string(),
        origin: item.origin,
    };
    items.iter().flat_map(|item| item.references().map(move |reference| used(item, reference))).collect()
}

/// The names of providers, and what they mean.
pub(super) struct Names<'a> {
    /// None where any will do.
    known: Option<BTreeSet<String>>,
    default_provider: Option<&'a str>,
    backends: &'a Backends,
}

impl<'a> Names<'a> {
    fn new(supply: &Supply<'a>, backends: &'a Backends) -> Self {
        let (known, default_provider) = match supply {
            Supply::Fetch { providers, default_provider, .. } => (Some(providers.names()), *default_provider),
            Supply::Refer { known, default_provider, .. } | Supply::Withhold { known, default_provider } => {
                (known.cloned(), *default_provider)
            }
        };
        Self { known, default_provider, backends }
    }
}

/// Those references whose values some object waits for.
fn wanted<'r>(allowed: impl Iterator<Item = &'r Reference>, objects: &[Pending]) -> Vec<&'r Reference> {
    let waiting = objects.iter().filter_map(|object| match object {
        Pending::Secret(_, items) => Some(items),
        Pending::Plain(_) | Pending::Referred(..) => None,
    });
    let waiting: BTreeSet<&Reference> = waiting.flatten().flat_map(PendingItem::references).collect();
    allowed.filter(|reference| waiting.contains(*reference)).collect()
}

/// Reports what failed, but for what is not found: there, a `default` may help.
fn report(
    fetched: &BTreeMap<&Reference, FetchResult>,
    references: &BTreeMap<Reference, Places>,
    problems: &mut Vec<Problem>,
) {
    for (reference, answer) in fetched {
        let (Err(error), Some(places)) = (answer, references.get(*reference)) else { continue };
        if !substitute::is_missing(error) {
            problems.push(problem::failed(reference, error, places));
        }
    }
}

fn withheld(pending: Pending) -> ResolvedObject {
    match pending {
        Pending::Plain(manifest) => ResolvedObject::Plain(manifest),
        Pending::Referred(manifest, items) | Pending::Secret(manifest, items) => {
            let mut secret = ResolvedSecret { manifest, items: Vec::new(), sources: Vec::new() };
            for item in items {
                match item.content {
                    Content::AllKeys(source) => secret.sources.push(*source),
                    Content::Bytes | Content::Text(_) => secret.items.push(item.withheld()),
                }
            }
            ResolvedObject::Secret(secret)
        }
    }
}

#[cfg(test)]
mod tests;
