//! `environment/missing-key`.

use std::collections::BTreeMap;

use super::counterparts::{ByEnvironment, Counterparts};
use super::keyed_objects::{KeyedObject, holders_by_key, is_conditional, only_object_without};
use super::placeholder_index::PlaceholderIndex;
use crate::facts::environment_names::EnvironmentNames;
use crate::facts::scene::{CheckedApp, CheckedEnvironment};
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Origin;
use sealwave_core::names::is_item_key;
use sealwave_kube::catalog::ObjectIndex;
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
)
.about(RuleTopic::Absence);

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

/// The keys that workloads reference, by environment, computed on first use.
struct KeyReaders<'a> {
    app: &'a CheckedApp<'a>,
    found: ByEnvironment<BTreeMap<KeyReference<'a>, (ObjectIndex, Origin)>>,
}

/// Kind, namespace, name and key.
type KeyReference<'a> = (ReferencedKind, &'a str, &'a str, &'a str);

impl KeyReaders<'_> {
    /// Returns the first workload that references a key of an object: its index and the position.
    fn find(&self, without_key: &KeyedObject<'_>, key: &str) -> Option<(ObjectIndex, Origin)> {
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

fn referenced_keys<'a>(
    environment: &CheckedEnvironment<'a>,
) -> BTreeMap<KeyReference<'a>, (ObjectIndex, Origin)> {
    let mut all = BTreeMap::new();
    for (number, object) in environment.indexed_objects() {
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
