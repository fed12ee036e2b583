//! Who makes which Secret, `ConfigMap`, claim and account, with which keys, and who wants which.
//!
//! Built on the [catalogue](sealwave_kube::catalogue), which knows the kinds that decide waves; here are also the kinds of
//! operators that make Secrets. A namespace that is not known matches any: what is not certain is not reported.

mod certificates;
mod contents;
mod made;
mod programs;
mod wants;

use std::cell::Cell;
use std::collections::BTreeMap;

pub(super) use contents::Contents;
pub(super) use made::fetched;
pub(super) use programs::{named_by_programs, texts, words};
pub(super) use wants::{Want, Weight};

use super::{EmbeddedObject, Environment, Object};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Manifest, Mapping, Node, ObjectId, Origin};
use sealwave_core::text::closest;
use sealwave_kube::catalogue::Catalogue;
use sealwave_kube::is_secret_like;
use sealwave_kube::pods::What;

/// How many objects may make one thing in one namespace. More than one is rare; the bound keeps a hostile repository from
/// multiplying those that make by those that want.
const MAKERS: usize = 8;

/// How many names are looked through for one that was meant.
const CANDIDATES: usize = 256;
/// How often that is done.
const GUESSES: usize = 256;
/// How many fields of an object are looked at; Secrets have fewer.
const FIELDS: usize = 16;
/// The longest name that Kubernetes takes.
const LONGEST_NAME: usize = 253;

/// One thing that some object makes.
pub(super) struct Supply<'a> {
    /// Where its name stands.
    pub(super) at: Origin,
    /// What is in it.
    pub(super) contents: Contents<'a>,
    /// Whether an excerpt around the name may show a value.
    pub(super) shares_lines: bool,
    /// Whether the keys may be shown: in a broken Secret, a value may stand where a key should.
    pub(super) may_name_keys: bool,
}

impl<'a> Supply<'a> {
    fn new((by, at): (&'a Manifest, Origin), contents: Contents<'a>) -> Self {
        let holds_values = is_secret_like(by.root()) || by.is("isindir.github.com", "SopsSecret");
        let shares_lines = holds_values && !fields_have_lines(by);
        Self { at, contents, shares_lines, may_name_keys: !is_secret_like(by.root()) || holds_strings(by) }
    }
}

/// Whether each field at the top of an object starts a line of its own.
fn fields_have_lines(object: &Manifest) -> bool {
    let fields = object.root().as_mapping().map_or(&[][..], Mapping::entries);
    let mut starts: Vec<_> =
        fields.iter().take(FIELDS).map(|field| (field.key_origin.line, field.key_origin.column)).collect();
    starts.sort_unstable();
    fields.len() <= FIELDS && starts.array_windows().all(|[(a, left), (b, right)]| a < b && left == right)
}

/// Whether all items of a Secret are strings.
fn holds_strings(secret: &Manifest) -> bool {
    ["data", "stringData"].iter().all(|field| {
        let items = secret.root().get(field).and_then(Node::as_mapping).map_or(&[][..], Mapping::entries);
        items.iter().all(|item| item.value.as_str().is_some())
    })
}

/// What is made and what is wanted in one environment.
pub(crate) struct Inventory<'a> {
    /// By kind and name, then by namespace; an empty one is any.
    made: BTreeMap<(What, &'a str), BTreeMap<&'a str, Vec<Supply<'a>>>>,
    /// Names that are put together from others, of which nothing more is known; of a StatefulSet's claims without the
    /// number at the end.
    named: BTreeMap<(What, String), Vec<&'a str>>,
    wants: Vec<Want<'a>>,
    guesses: Cell<usize>,
}

impl<'a> Inventory<'a> {
    /// Reads all objects, and the pods that stand in `ConfigMaps`.
    pub(crate) fn new(
        catalogue: &Catalogue<'a>,
        objects: &[Object<'a>],
        embedded: &[EmbeddedObject<'a>],
    ) -> Self {
        let mut inventory = Self {
            made: BTreeMap::new(),
            named: BTreeMap::new(),
            wants: wants::all(objects, embedded),
            guesses: Cell::new(GUESSES),
        };
        for object in catalogue.objects() {
            made::by(object, &mut inventory);
        }
        inventory
    }

    /// The identities of all that is made, and what is in it.
    pub(crate) fn exports(&self) -> impl Iterator<Item = (ObjectId, &Contents<'a>)> {
        self.made.iter().flat_map(|((what, name), by_namespace)| {
            let (group, kind) = what.kind();
            by_namespace.iter().flat_map(move |(namespace, supplies)| {
                supplies.iter().map(move |supply| {
                    let id = ObjectId {
                        group: group.into(),
                        kind: kind.into(),
                        namespace: (*namespace).into(),
                        name: (*name).into(),
                    };
                    (id, &supply.contents)
                })
            })
        })
    }

    /// Everything that some object wants, in the order of the objects.
    pub(super) fn wants(&self) -> &[Want<'a>] {
        &self.wants
    }

    /// Whether anything of this kind is made: if nothing is, the set leaves such things to others.
    pub(super) fn makes_any(&self, what: What) -> bool {
        self.made.range((what, "")..).next().is_some_and(|((first, _), _)| *first == what)
    }

    /// What makes a thing; nothing where nothing here does.
    pub(super) fn supplies<'b>(
        &'b self,
        what: What,
        namespace: &'b str,
        name: &'b str,
    ) -> Vec<&'b Supply<'a>> {
        let Some(by_namespace) = self.made.get(&(what, name)) else { return Vec::new() };
        if namespace.is_empty() {
            return by_namespace.values().flatten().take(MAKERS).collect();
        }
        [namespace, ""].into_iter().filter_map(|namespace| by_namespace.get(namespace)).flatten().collect()
    }

    /// Whether a thing is made here, or is in every cluster.
    pub(super) fn has(&self, what: What, namespace: &str, name: &str) -> bool {
        let everywhere = matches!(
            (what, name),
            (What::ConfigMap, "istio-ca-root-cert" | "kube-root-ca.crt" | "openshift-service-ca.crt")
                | (What::ServiceAccount, "default")
        );
        everywhere || !self.supplies(what, namespace, name).is_empty() || self.has_name(what, namespace, name)
    }

    /// The namespace of a thing of this name that is made somewhere else.
    pub(super) fn namespace_of(&self, what: What, name: &str) -> Option<&'a str> {
        self.made.get(&(what, name))?.keys().next().copied()
    }

    /// The name that was probably meant.
    pub(super) fn meant(&self, what: What, namespace: &str, name: &str) -> Option<&'a str> {
        let here = self
            .made
            .range((what, "")..)
            .take_while(|((of, _), _)| *of == what)
            .filter(|(_, by)| namespace.is_empty() || by.contains_key(namespace) || by.contains_key(""))
            .map(|((_, name), _)| *name);
        self.closest(name, here)
    }

    /// The nearest of several names, as long as guessing does not take too long.
    pub(super) fn closest<'b>(&self, name: &str, known: impl Iterator<Item = &'b str>) -> Option<&'b str> {
        let left = self.guesses.get().checked_sub(1)?;
        self.guesses.set(left);
        (name.len() <= LONGEST_NAME).then(|| closest(name, known.take(CANDIDATES))).flatten()
    }

    fn add(
        &mut self,
        what: What,
        namespace: &'a str,
        name: &'a str,
        made_at: (&'a Manifest, Origin),
        contents: Contents<'a>,
    ) {
        if name.is_empty() {
            return;
        }
        let supplies = self.made.entry((what, name)).or_default().entry(namespace).or_default();
        if supplies.len() < MAKERS {
            supplies.push(Supply::new(made_at, contents));
        }
    }

    fn add_name(&mut self, what: What, namespace: &'a str, name: String) {
        let namespaces = self.named.entry((what, name)).or_default();
        if namespaces.len() < MAKERS {
            namespaces.push(namespace);
        }
    }

    /// Whether a thing is made under a name that is put together.
    fn has_name(&self, what: What, namespace: &str, name: &str) -> bool {
        let stem = match (what, name.rsplit_once('-')) {
            _ if self.named.is_empty() => return false,
            (What::PersistentVolumeClaim, Some((stem, number))) if is_number(number) => stem,
            (What::PersistentVolumeClaim, _) => return false,
            _ => name,
        };
        self.named.get(&(what, stem.to_owned())).is_some_and(|namespaces| {
            namespaces.iter().any(|of| of.is_empty() || namespace.is_empty() || *of == namespace)
        })
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Environment<'_> {
    /// Whether a thing is outside of these objects: another app's, or said to exist.
    pub(super) fn exists_elsewhere(&self, group: &str, kind: &str, namespace: &str, name: &str) -> bool {
        self.neighbours.has(group, kind, namespace, name)
            || (!namespace.is_empty() && self.neighbours.has(group, kind, "", name))
            || self.scene.settings.is_external(kind, namespace, name)
    }

    /// How much it matters that something is missing.
    pub(super) fn severity_of_missing(&self, what: What, weight: Weight) -> Severity {
        match (!self.is_plain(), weight) {
            (true, Weight::Needed) => Severity::Error,
            (true, Weight::Wanted) => Severity::Warning,
            (false, Weight::Needed) if self.inventory.makes_any(what) => Severity::Warning,
            (false, _) => Severity::Note,
        }
    }
}

/// The kind that a reference means.
pub(super) const fn kind(what: What) -> &'static str {
    match what {
        What::ConfigMap => "ConfigMap",
        What::PersistentVolumeClaim => "PersistentVolumeClaim",
        What::Secret => "Secret",
        What::SecretProviderClass => "SecretProviderClass",
        What::ServiceAccount => "ServiceAccount",
    }
}
