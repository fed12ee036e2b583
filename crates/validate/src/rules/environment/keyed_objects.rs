//! Objects of several environments whose keys are known and can be compared.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashSet};

use compact_str::CompactString;

use super::counterparts::{ObjectInEnvironment, is_environment_file, template_line};
use crate::facts::checked_object::CheckedObject;
use crate::facts::environment_names::EnvironmentNames;
use crate::facts::scene::{CheckedApp, CheckedEnvironment};
use sealwave_core::document::{MappingEntry, Node, Origin};
use sealwave_core::names;
use sealwave_kube::catalog::SEALED_SECRETS_GROUP;

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
            let object = environment.object(place.object)?;
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
