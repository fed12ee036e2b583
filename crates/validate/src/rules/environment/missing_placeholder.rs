//! `environment/missing-placeholder`.

use std::collections::HashMap;

use super::counterparts::{Counterparts, Place};
use super::missing_key::{Keyed, is_conditional, lacking, table};
use super::words::Names;
use crate::rules::{App, Check, Draft, Reporter, Rule, SecretUse};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Entry, Origin};
use sealwave_core::names::item_called;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "environment/missing-placeholder",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "an item of a Secret is a placeholder in other environments, but not in this one",
        page: include_str!("missing_placeholder.md"),
    },
    check: Check::App(check),
};

fn check(app: &App<'_>, reporter: &mut Reporter) {
    let Some(names) = Names::of(app) else { return };
    let placeholders = Placeholders::new(app);
    if placeholders.0.is_empty() {
        return;
    }
    let counterparts = Counterparts::new(app, &names);
    for (shape, places) in counterparts.shapes() {
        if places.len() < 2 || (shape.group, shape.kind) != ("", "Secret") {
            continue;
        }
        let mut secrets = Keyed::all(app, &names, places);
        secrets.retain(|secret| secret.object.manifest.is_secret());
        for has in table(&secrets).values() {
            let item = Item { has, placeholders: &placeholders, names: &names };
            item.literals(reporter);
            if let Some(lacking) = lacking(&secrets, has) {
                item.missing(lacking, reporter);
            }
        }
    }
}

/// The placeholders of an app by environment, Secret and item.
pub(super) struct Placeholders<'a>(HashMap<(usize, usize, &'a str), Vec<&'a SecretUse>>);

impl<'a> Placeholders<'a> {
    pub(super) fn new(app: &App<'a>) -> Self {
        let mut all: HashMap<_, Vec<_>> = HashMap::new();
        for (number, environment) in app.environments.iter().enumerate() {
            for used in environment.secrets {
                all.entry((number, used.object, used.item.as_str())).or_default().push(used);
            }
        }
        Self(all)
    }

    fn of(&self, secret: &Keyed<'_>, entry: &'a Entry) -> &[&'a SecretUse] {
        let Place { environment, object } = secret.place;
        self.0.get(&(environment, object, entry.key.as_str())).map_or(&[], Vec::as_slice)
    }

    /// The first of the items that is a placeholder of which the path has the environment's name.
    fn shaped<'h>(&self, has: &[Has<'h>], names: &Names) -> Option<Has<'h>> {
        let is_shaped = |(secret, entry): &&Has<'_>| {
            let environment = secret.place.environment;
            self.of(secret, entry).iter().any(|used| names.has_own(environment, &used.reference.path))
        };
        if self.0.is_empty() { None } else { has.iter().find(is_shaped).copied() }
    }

    /// Whether a missing key is this rule's: some Secret has a placeholder there with the environment's name.
    pub(super) fn are_for(&self, has: &[Has<'_>], names: &Names) -> bool {
        self.shaped(has, names).is_some()
    }
}

/// A Secret, and the item that it has.
type Has<'h> = (&'h Keyed<'h>, &'h Entry);

/// One item of a Secret, in all environments that have it.
struct Item<'i, 'h> {
    has: &'i [Has<'h>],
    placeholders: &'i Placeholders<'h>,
    names: &'i Names,
}

impl Item<'_, '_> {
    /// Where the item is a placeholder: the first of them, and how many there are.
    fn placeholder(&self) -> Option<(Origin, usize)> {
        let mut all =
            self.has.iter().filter_map(|(secret, entry)| self.placeholders.of(secret, entry).first());
        let first = all.next()?;
        Some((first.origin, 1 + all.count()))
    }

    fn literals(&self, reporter: &mut Reporter) {
        let Some((there, count)) = self.placeholder() else { return };
        for (secret, entry) in self.has {
            let text = entry.value.as_str().unwrap_or_default();
            // With a `<`, it may be a placeholder that nobody could read.
            if !self.placeholders.of(secret, entry).is_empty() || text.is_empty() || text.contains('<') {
                continue;
            }
            let Place { environment, object } = secret.place;
            let matters = count > 1 || self.names.is_prod(environment);
            let message = format!(
                "{} is a placeholder in other environments, and a value here",
                item_called(&entry.key)
            );
            reporter.report(
                Draft::new(&RULE, entry.value.origin, message)
                    .severity(if matters { Severity::Warning } else { Severity::Note })
                    .about_in(environment, object)
                    .related(there, "it is a placeholder here")
                    .hint("refer to the secret store here too")
                    .confidential(),
            );
        }
    }

    fn missing(&self, lacking: &Keyed<'_>, reporter: &mut Reporter) {
        let Some((there, entry)) = self.placeholders.shaped(self.has, self.names) else { return };
        if is_conditional(there, entry.key_origin, lacking) {
            return;
        }
        let message = format!(
            "{} is a placeholder in every other environment, and missing here",
            item_called(&entry.key)
        );
        reporter.report(
            Draft::new(&RULE, lacking.object.name_at(), message)
                .about_in(lacking.place.environment, lacking.place.object)
                .related(entry.key_origin, "it is a placeholder here")
                .hint("add the item, with the path of this environment")
                .confidential(),
        );
    }
}
