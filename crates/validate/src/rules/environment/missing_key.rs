//! `environment/missing-key`.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashSet};

use compact_str::CompactString;

use super::counterparts::{
    ByEnvironment, Counterparts, ObjectInEnvironment, is_environment_file, template_line,
};
use super::missing_placeholder::PlaceholderIndex;
use super::names::EnvironmentNames;
use crate::rules::{CheckedApp, CheckedEnvironment, CheckedObject, FindingDraft, Reporter, Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{MappingEntry, Node, Origin};
use sealwave_core::names::{self, is_item_key};
use sealwave_kube::catalog::SEALED_SECRETS_GROUP;
use sealwave_kube::pods::{ReferencedKeys, ReferencedKind};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "environment/missing-key",
        severity: Severity::Warning,
        summary: "a key of a ConfigMap or Secret is missing in one environment",
        text: include_str!("missing_key.md"),
    },
    RuleCheck::App(check),
);

fn check(app: &CheckedApp<'_>, reporter: &mut Reporter) {
    let Some(names) = EnvironmentNames::from_app(app) else { return };
    let counterparts = Counterparts::new(app, &names);
    let placeholders = PlaceholderIndex::new(app);
    let readers = KeyReaders { app, found: ByEnvironment::new(app) };
    for (shape, places) in counterparts.shapes() {
        if places.len() < 2 || !matches!((shape.group, shape.kind), ("", "ConfigMap" | "Secret")) {
            continue;
        }
        let all = KeyedObject::all(app, &names, places);
        for has in holders_by_key(&all).values() {
            let Some(without_key) = only_object_without(&all, has) else { continue };
            let Some((first, there)) = has.first() else { continue };
            let is_deliberate =
                || has.iter().any(|(one, entry)| is_conditional(one, entry.key_origin, without_key));
            let reader = readers.find(without_key, &there.key);
            let is_suspicious = reader.is_some() || (has.len() > 1 && !is_deliberate());
            if !is_suspicious || placeholders.cover_key(has, &names) {
                continue;
            }
            let object = without_key.object;
            // An invalid key may be a value in the wrong place.
            let called =
                if is_item_key(&there.key) { format!("`{}`", there.key) } else { "a key".to_owned() };
            let message = format!(
                "{} `{}` lacks {called}, which it has in every other environment",
                object.kind, first.object.name
            );
            let (number, at) = reader.unwrap_or((without_key.place.object, object.name_origin()));
            reporter.report(
                FindingDraft::new(&RULE, at, message)
                    .about_object_in(without_key.place.environment, number)
                    .related(there.key_origin, "it is here in another environment")
                    .hint("add the key to this environment, or set one value for all in the app's `values.yaml`"),
            );
        }
    }
}

/// An object whose keys are known, with its keys without the environment's name.
pub(super) struct KeyedObject<'a> {
    pub(super) place: ObjectInEnvironment,
    environment: &'a CheckedEnvironment<'a>,
    pub(super) object: &'a CheckedObject<'a>,
    pub(super) keys: Vec<(CompactString, &'a MappingEntry)>,
    /// The template lines that rendered the keys.
    lines: OnceCell<HashSet<(&'a str, u32)>>,
}

impl<'a> KeyedObject<'a> {
    /// Returns the objects whose keys are all known.
    pub(super) fn all(
        app: &'a CheckedApp<'a>,
        names: &EnvironmentNames,
        places: &[ObjectInEnvironment],
    ) -> Vec<Self> {
        let keyed = |place: &ObjectInEnvironment| {
            let environment = app.environments.get(place.environment)?;
            let object = environment.objects.get(place.object)?;
            let neutral =
                |entry: &'a MappingEntry| (names.without_environment(place.environment, &entry.key), entry);
            let keys = keys(object)?.into_iter().map(neutral).collect();
            Some(Self { place: *place, environment, object, keys, lines: OnceCell::new() })
        };
        places.iter().filter_map(keyed).collect()
    }

    fn lines(&self) -> &HashSet<(&'a str, u32)> {
        let rendered_lines = || {
            self.keys
                .iter()
                .filter_map(|(_, entry)| template_line(self.environment, entry.key_origin))
                .collect()
        };
        self.lines.get_or_init(rendered_lines)
    }
}

/// Returns the keys of an object; `None` if it may have further keys at run time.
fn keys<'a>(object: &CheckedObject<'a>) -> Option<Vec<&'a MappingEntry>> {
    let root = object.manifest.root();
    if object.manifest.annotation(names::STRING_DATA_FROM).is_some() {
        return None;
    }
    let entries_at =
        |path: &[&str]| root.at(path).and_then(Node::as_mapping).map_or(&[][..], |mapping| mapping.entries());
    let sections: &[&[&str]] = match (object.group, object.kind) {
        ("", "ConfigMap") => &[&["data"], &["binaryData"]],
        ("", "Secret") => &[&["data"], &["stringData"]],
        (SEALED_SECRETS_GROUP, "SealedSecret") => {
            &[&["spec", "encryptedData"], &["spec", "template", "data"]]
        }
        _ => return None,
    };
    Some(sections.iter().flat_map(|path| entries_at(path)).collect())
}

/// The holders of every key.
pub(super) type HoldersByKey<'k> = BTreeMap<&'k str, Vec<(&'k KeyedObject<'k>, &'k MappingEntry)>>;

/// Groups the holders of every key.
pub(super) fn holders_by_key<'k>(all: &'k [KeyedObject<'k>]) -> HoldersByKey<'k> {
    let mut table = HoldersByKey::new();
    for keyed in all {
        for (key, entry) in &keyed.keys {
            let has = table.entry(key).or_default();
            if has.last().is_none_or(|(last, _)| last.place != keyed.place) {
                has.push((keyed, entry));
            }
        }
    }
    table
}

/// Returns the object that lacks a key, if it is the only one. An object with the exact name that another has
/// (`application-dev.yml` in every environment) does not lack it.
pub(super) fn only_object_without<'k>(
    all: &'k [KeyedObject<'k>],
    has: &[(&KeyedObject<'_>, &MappingEntry)],
) -> Option<&'k KeyedObject<'k>> {
    if has.len() + 1 != all.len() {
        return None;
    }
    let without = |one: &&KeyedObject<'_>| !has.iter().any(|(other, _)| other.place == one.place);
    let has_exact_key = |one: &KeyedObject<'_>, key: &str| one.keys.iter().any(|(_, own)| own.key == key);
    all.iter().find(without).filter(|one| !has.iter().any(|(_, entry)| has_exact_key(one, &entry.key)))
}

/// Reports whether a condition in a shared file renders a key: its line renders no key in the object without it.
pub(super) fn is_conditional(has: &KeyedObject<'_>, at: Origin, without_key: &KeyedObject<'_>) -> bool {
    if is_environment_file(has.environment, at) || !is_base(has.environment, at) {
        return false;
    }
    template_line(has.environment, at).is_none_or(|line| !without_key.lines().contains(&line))
}

fn is_base(environment: &CheckedEnvironment<'_>, at: Origin) -> bool {
    let path = environment.context.sources.name(at.source);
    path.split(['/', '\\']).any(|step| step == "base" || step == "partials")
}

/// The keys that workloads reference, by environment, computed on first use.
struct KeyReaders<'a> {
    app: &'a CheckedApp<'a>,
    found: ByEnvironment<BTreeMap<KeyReference<'a>, (usize, Origin)>>,
}

/// Kind, namespace, name and key.
type KeyReference<'a> = (ReferencedKind, &'a str, &'a str, &'a str);

impl KeyReaders<'_> {
    /// Returns the first workload that references a key of an object: its index and the position.
    fn find(&self, without_key: &KeyedObject<'_>, key: &str) -> Option<(usize, Origin)> {
        let number = without_key.place.environment;
        let environment = self.app.environments.get(number)?;
        let found = self.found.get_or_compute(number, || referenced_keys(environment))?;
        let what = if without_key.object.is("", "ConfigMap") {
            ReferencedKind::ConfigMap
        } else {
            ReferencedKind::Secret
        };
        found.get(&(what, without_key.object.namespace, without_key.object.name, key)).copied()
    }
}

fn referenced_keys<'a>(environment: &CheckedEnvironment<'a>) -> BTreeMap<KeyReference<'a>, (usize, Origin)> {
    let mut all = BTreeMap::new();
    for (number, object) in environment.objects.iter().enumerate() {
        for located in object.references().into_iter().filter(|located| !located.reference.optional) {
            let ReferencedKeys::Only(keys) = located.reference.keys else { continue };
            for (key, at) in keys.into_iter().zip(located.key_origins) {
                let key_reference = (located.reference.kind, object.namespace, located.reference.name, key);
                all.entry(key_reference).or_insert((number, at));
            }
        }
    }
    all
}
