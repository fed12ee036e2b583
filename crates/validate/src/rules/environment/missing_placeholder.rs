//! `environment/missing-placeholder`.

use super::counterparts::{Counterparts, ObjectInEnvironment};
use super::keyed_objects::{KeyedObject, holders_by_key, is_conditional, only_object_without};
use super::placeholder_index::{KeyHolder, PlaceholderIndex};
use crate::facts::environment_names::EnvironmentNames;
use crate::facts::scene::CheckedApp;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Origin;
use sealwave_core::names::item_label;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "environment/missing-placeholder",
        severity: Severity::Warning,
        summary: "an item of a Secret is a placeholder in other environments, but not in this one",
        text: include_str!("missing_placeholder.md"),
    },
    RuleCheck::App(check),
)
.about(RuleTopic::Absence);

fn check(app: &CheckedApp<'_>, reporter: &mut Reporter) {
    let Some(names) = EnvironmentNames::from_app(app) else { return };
    let placeholders = PlaceholderIndex::new(app);
    if placeholders.is_empty() {
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
            FindingDraft::new(&RULE, without_item.object.name_place(), message)
                .about_object_in(without_item.place.environment, without_item.place.object)
                .related(entry.key_origin, "it is a placeholder here")
                .hint("add the item, with the path of this environment")
                .confidential(),
        );
    }
}
