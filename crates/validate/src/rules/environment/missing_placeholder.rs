//! `environment/missing-placeholder`.

use std::collections::HashMap;

use super::counterparts::{Counterparts, ObjectInEnvironment};
use super::missing_key::{KeyedObject, holders_by_key, is_conditional, only_object_without};
use super::names::EnvironmentNames;
use crate::rules::{CheckedApp, FindingDraft, Reporter, Rule, RuleCheck, SecretUse};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{MappingEntry, Origin};
use sealwave_core::names::item_label;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "environment/missing-placeholder",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "an item of a Secret is a placeholder in other environments, but not in this one",
        page: include_str!("missing_placeholder.md"),
    },
    check: RuleCheck::App(check),
};

fn check(app: &CheckedApp<'_>, reporter: &mut Reporter) {
    let Some(names) = EnvironmentNames::from_app(app) else { return };
    let placeholders = PlaceholderIndex::new(app);
    if placeholders.0.is_empty() {
        return;
    }
    let counterparts = Counterparts::new(app, &names);
    for (shape, places) in counterparts.shapes() {
        if places.len() < 2 || (shape.group, shape.kind) != ("", "Secret") {
            continue;
        }
        let mut secrets = KeyedObject::all(app, &names, places);
        secrets.retain(|secret| secret.object.manifest.is_secret());
        for has in holders_by_key(&secrets).values() {
            let item = ComparedItem { has, placeholders: &placeholders, names: &names };
            item.report_literals(reporter);
            if let Some(without_item) = only_object_without(&secrets, has) {
                item.report_missing(without_item, reporter);
            }
        }
    }
}

/// The placeholders of an app, by environment, Secret and item.
pub(super) struct PlaceholderIndex<'a>(HashMap<(usize, usize, &'a str), Vec<&'a SecretUse>>);

impl<'a> PlaceholderIndex<'a> {
    pub(super) fn new(app: &CheckedApp<'a>) -> Self {
        let mut all: HashMap<_, Vec<_>> = HashMap::new();
        for (number, environment) in app.environments.iter().enumerate() {
            for used in environment.secrets() {
                all.entry((number, used.object, used.item.as_str())).or_default().push(used);
            }
        }
        Self(all)
    }

    fn uses_of(&self, secret: &KeyedObject<'_>, entry: &'a MappingEntry) -> &[&'a SecretUse] {
        let ObjectInEnvironment { environment, object } = secret.place;
        self.0.get(&(environment, object, entry.key.as_str())).map_or(&[], Vec::as_slice)
    }

    /// Returns the first item with a placeholder whose path contains the environment's name.
    fn first_with_environment<'h>(
        &self,
        has: &[KeyHolder<'h>],
        names: &EnvironmentNames,
    ) -> Option<KeyHolder<'h>> {
        let has_environment = |(secret, entry): &&KeyHolder<'_>| {
            let environment = secret.place.environment;
            self.uses_of(secret, entry)
                .iter()
                .any(|used| names.contains_own_name(environment, &used.reference.path))
        };
        if self.0.is_empty() { None } else { has.iter().find(has_environment).copied() }
    }

    /// Reports whether this rule covers a missing key: a Secret has a placeholder with the environment's name there.
    pub(super) fn cover_key(&self, has: &[KeyHolder<'_>], names: &EnvironmentNames) -> bool {
        self.first_with_environment(has, names).is_some()
    }
}

/// A Secret and an item of it.
type KeyHolder<'h> = (&'h KeyedObject<'h>, &'h MappingEntry);

/// An item of a Secret in all environments that have it.
struct ComparedItem<'i, 'h> {
    has: &'i [KeyHolder<'h>],
    placeholders: &'i PlaceholderIndex<'h>,
    names: &'i EnvironmentNames,
}

impl ComparedItem<'_, '_> {
    /// Returns the position of the first placeholder and the number of placeholders.
    fn placeholder(&self) -> Option<(Origin, usize)> {
        let mut all =
            self.has.iter().filter_map(|(secret, entry)| self.placeholders.uses_of(secret, entry).first());
        let first = all.next()?;
        Some((first.origin, 1 + all.count()))
    }

    fn report_literals(&self, reporter: &mut Reporter) {
        let Some((there, count)) = self.placeholder() else { return };
        for (secret, entry) in self.has {
            let text = entry.value.as_str().unwrap_or_default();
            // A text with `<` may be a malformed placeholder.
            if !self.placeholders.uses_of(secret, entry).is_empty() || text.is_empty() || text.contains('<') {
                continue;
            }
            let ObjectInEnvironment { environment, object } = secret.place;
            let is_warning = count > 1 || self.names.is_prod(environment);
            let message = format!(
                "{} is a placeholder in other environments, and a value here",
                item_label(&entry.key)
            );
            reporter.report(
                FindingDraft::new(&RULE, entry.value.origin, message)
                    .severity(if is_warning { Severity::Warning } else { Severity::Note })
                    .about_object_in(environment, object)
                    .related(there, "it is a placeholder here")
                    .hint("refer to the secret store here too")
                    .confidential(),
            );
        }
    }

    fn report_missing(&self, without_item: &KeyedObject<'_>, reporter: &mut Reporter) {
        let Some((there, entry)) = self.placeholders.first_with_environment(self.has, self.names) else {
            return;
        };
        if is_conditional(there, entry.key_origin, without_item) {
            return;
        }
        let message = format!(
            "{} is a placeholder in every other environment, and missing here",
            item_label(&entry.key)
        );
        reporter.report(
            FindingDraft::new(&RULE, without_item.object.name_origin(), message)
                .about_object_in(without_item.place.environment, without_item.place.object)
                .related(entry.key_origin, "it is a placeholder here")
                .hint("add the item, with the path of this environment")
                .confidential(),
        );
    }
}
