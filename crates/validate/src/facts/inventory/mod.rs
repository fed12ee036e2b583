//! The objects that create or require each Secret, `ConfigMap`, claim and service account, and with which keys.
//!
//! Built on the [catalog](sealwave_kube::catalog), which knows the kinds that decide waves; adds the kinds whose
//! controllers create Secrets. An unknown namespace matches any namespace, so that rules only report what is certain.

mod certificates;
mod contents;
mod nodes;
mod producers;
mod programs;
mod requirements;

use std::cell::Cell;
use std::collections::BTreeMap;

pub(crate) use contents::ObjectKeys;
pub(crate) use producers::external_secret_keys;
pub(crate) use programs::{candidate_names, named_by_programs, program_texts};
pub(crate) use requirements::{MissingImpact, Requirement};

use crate::facts::checked_object::CheckedObject;
use crate::facts::embedded_pods::EmbeddedObject;
use sealwave_core::document::{Manifest, ObjectId, Origin};
use sealwave_core::text::closest_name;
use sealwave_kube::catalog::ObjectCatalog;
use sealwave_kube::is_secret_like;
use sealwave_kube::pods::ReferencedKind;

/// Maximum number of producers kept per object. More than one is rare; the bound keeps a hostile repository from
/// multiplying producers by requirements.
const MAKERS: usize = 8;

/// Maximum number of names searched for a similar one.
const CANDIDATES: usize = 256;
/// Maximum number of such searches.
const GUESSES: usize = 256;
/// Maximum number of top-level fields checked per object; Secrets have fewer.
const FIELDS: usize = 16;
/// Maximum length of a name in Kubernetes.
const LONGEST_NAME: usize = 253;

/// An object that another object creates, or the object itself.
pub(crate) struct Producer<'a> {
    /// Position of the name.
    pub(crate) at: Origin,
    /// Known keys.
    pub(crate) contents: ObjectKeys<'a>,
    /// True if an excerpt around the name may show a value.
    pub(crate) shares_lines: bool,
    /// True if messages may show the keys: in a broken Secret, a key may be a secret value.
    pub(crate) may_show_keys: bool,
}

impl<'a> Producer<'a> {
    fn new((by, at): (&'a Manifest, Origin), contents: ObjectKeys<'a>) -> Self {
        let holds_values = is_secret_like(by.root()) || by.is("isindir.github.com", "SopsSecret");
        let shares_lines = holds_values && !fields_have_lines(by);
        Self { at, contents, shares_lines, may_show_keys: !is_secret_like(by.root()) || holds_strings(by) }
    }
}

/// Returns whether each top-level field of an object starts on a line of its own.
fn fields_have_lines(object: &Manifest) -> bool {
    let fields = object.root().entries();
    let mut starts: Vec<_> =
        fields.iter().take(FIELDS).map(|field| (field.key_origin.line, field.key_origin.column)).collect();
    starts.sort_unstable();
    fields.len() <= FIELDS && starts.array_windows().all(|[(a, left), (b, right)]| a < b && left == right)
}

/// Returns whether all items of a Secret are strings.
fn holds_strings(secret: &Manifest) -> bool {
    ["data", "stringData"].iter().all(|field| {
        let items = secret.root().entries_at(&[field]);
        items.iter().all(|item| item.value.as_str().is_some())
    })
}

/// Objects that are created and objects that are required in one environment.
pub(crate) struct Inventory<'a> {
    /// Producers by kind and name, then by namespace; an empty namespace matches any.
    producers: BTreeMap<(ReferencedKind, &'a str), BTreeMap<&'a str, Vec<Producer<'a>>>>,
    /// Namespaces of objects with composed names, about which nothing else is known. Names of a StatefulSet's claims are
    /// without the ordinal.
    named: BTreeMap<(ReferencedKind, String), Vec<&'a str>>,
    requirements: Vec<Requirement<'a>>,
    guesses: Cell<usize>,
}

impl<'a> Inventory<'a> {
    /// Builds the inventory from all objects and the pods within `ConfigMaps`.
    pub(crate) fn new(
        catalog: &ObjectCatalog<'a>,
        objects: &[CheckedObject<'a>],
        embedded: &[EmbeddedObject<'a>],
    ) -> Self {
        let mut inventory = Self {
            producers: BTreeMap::new(),
            named: BTreeMap::new(),
            requirements: requirements::collect_requirements(objects, embedded),
            guesses: Cell::new(GUESSES),
        };
        for object in catalog.objects() {
            producers::add_created_objects(object, &mut inventory);
        }
        inventory
    }

    /// Returns the identities of all created objects, with their known keys.
    pub(crate) fn created_objects(&self) -> impl Iterator<Item = (ObjectId, &ObjectKeys<'a>)> {
        self.producers.iter().flat_map(|((kind, name), by_namespace)| {
            let (group, kind_name) = kind.group_and_kind();
            by_namespace.iter().flat_map(move |(namespace, supplies)| {
                supplies.iter().map(move |supply| {
                    let id = ObjectId {
                        group: group.into(),
                        kind: kind_name.into(),
                        namespace: (*namespace).into(),
                        name: (*name).into(),
                    };
                    (id, &supply.contents)
                })
            })
        })
    }

    /// Returns all requirements, in the order of the objects.
    pub(crate) fn requirements(&self) -> &[Requirement<'a>] {
        &self.requirements
    }

    /// Returns whether any object of this kind is created. If not, the set expects such objects from elsewhere.
    pub(crate) fn creates_any(&self, kind: ReferencedKind) -> bool {
        self.producers.range((kind, "")..).next().is_some_and(|((first, _), _)| *first == kind)
    }

    /// Returns the producers of an object, or none if nothing here creates it.
    pub(crate) fn producers<'b>(
        &'b self,
        kind: ReferencedKind,
        namespace: &'b str,
        name: &'b str,
    ) -> Vec<&'b Producer<'a>> {
        let Some(by_namespace) = self.producers.get(&(kind, name)) else { return Vec::new() };
        if namespace.is_empty() {
            return by_namespace.values().flatten().take(MAKERS).collect();
        }
        [namespace, ""].into_iter().filter_map(|namespace| by_namespace.get(namespace)).flatten().collect()
    }

    /// Returns whether an object is created here or exists in every cluster.
    pub(crate) fn has(&self, kind: ReferencedKind, namespace: &str, name: &str) -> bool {
        let everywhere = matches!(
            (kind, name),
            (
                ReferencedKind::ConfigMap,
                "istio-ca-root-cert" | "kube-root-ca.crt" | "openshift-service-ca.crt"
            ) | (ReferencedKind::ServiceAccount, "default")
        );
        everywhere
            || !self.producers(kind, namespace, name).is_empty()
            || self.has_name(kind, namespace, name)
    }

    /// Returns the namespace of an object with this name in another namespace.
    pub(crate) fn namespace_of(&self, kind: ReferencedKind, name: &str) -> Option<&'a str> {
        self.producers.get(&(kind, name))?.keys().next().copied()
    }

    /// Returns a similar name that was probably meant.
    pub(crate) fn similar_name(&self, kind: ReferencedKind, namespace: &str, name: &str) -> Option<&'a str> {
        let here = self
            .producers
            .range((kind, "")..)
            .take_while(|((known, _), _)| *known == kind)
            .filter(|(_, by)| namespace.is_empty() || by.contains_key(namespace) || by.contains_key(""))
            .map(|((_, name), _)| *name);
        self.closest(name, here)
    }

    /// Returns the most similar name; `None` once the budget for guesses is spent.
    pub(crate) fn closest<'b>(&self, name: &str, known: impl Iterator<Item = &'b str>) -> Option<&'b str> {
        let left = self.guesses.get().checked_sub(1)?;
        self.guesses.set(left);
        (name.len() <= LONGEST_NAME).then(|| closest_name(name, known.take(CANDIDATES))).flatten()
    }

    fn add(
        &mut self,
        kind: ReferencedKind,
        namespace: &'a str,
        name: &'a str,
        made_at: (&'a Manifest, Origin),
        contents: ObjectKeys<'a>,
    ) {
        if name.is_empty() {
            return;
        }
        let supplies = self.producers.entry((kind, name)).or_default().entry(namespace).or_default();
        if supplies.len() < MAKERS {
            supplies.push(Producer::new(made_at, contents));
        }
    }

    fn add_name(&mut self, kind: ReferencedKind, namespace: &'a str, name: String) {
        let namespaces = self.named.entry((kind, name)).or_default();
        if namespaces.len() < MAKERS {
            namespaces.push(namespace);
        }
    }

    /// Returns whether an object with a composed name is created.
    fn has_name(&self, kind: ReferencedKind, namespace: &str, name: &str) -> bool {
        let stem = match (kind, name.rsplit_once('-')) {
            _ if self.named.is_empty() => return false,
            (ReferencedKind::PersistentVolumeClaim, Some((stem, number))) if is_number(number) => stem,
            (ReferencedKind::PersistentVolumeClaim, _) => return false,
            _ => name,
        };
        self.named.get(&(kind, stem.to_owned())).is_some_and(|namespaces| {
            namespaces.iter().any(|known| known.is_empty() || namespace.is_empty() || *known == namespace)
        })
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the name of the kind that a reference points to.
pub(crate) const fn kind_name(kind: ReferencedKind) -> &'static str {
    match kind {
        ReferencedKind::ConfigMap => "ConfigMap",
        ReferencedKind::PersistentVolumeClaim => "PersistentVolumeClaim",
        ReferencedKind::Secret => "Secret",
        ReferencedKind::SecretProviderClass => "SecretProviderClass",
        ReferencedKind::ServiceAccount => "ServiceAccount",
    }
}
