//! `environment/same-secret`.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::facts::scene::{CheckedApp, CheckedEnvironment};
use crate::facts::shared_paths::{EnvironmentSecrets, SharedPath, shared_by_path};
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_core::names::item_label;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "environment/same-secret",
        severity: Severity::Note,
        summary: "production and another environment use the same secret",
        text: include_str!("same_secret.md"),
    },
    RuleCheck::App(check),
)
.about(RuleTopic::Security);

/// Returns the secrets of an environment; plain manifests have none.
fn uses<'a>(environment: &CheckedEnvironment<'a>) -> Option<EnvironmentSecrets<'a>> {
    let object = |index| environment.object(index).map(|object| object.manifest);
    let app = environment.app.as_ref()?;
    Some(EnvironmentSecrets::new(app.name, app.secrets, object))
}

fn check(app: &CheckedApp<'_>, reporter: &mut Reporter) {
    let environments: Vec<EnvironmentSecrets<'_>> = app.environments.iter().filter_map(uses).collect();
    for (path, shared) in shared_by_path(&environments) {
        let sharers = app.environments.first().map_or(&[][..], |first| first.neighbors.apps_sharing(&path));
        let directories =
            || app.environments.iter().filter_map(|environment| Some(environment.app.as_ref()?.directory));
        let is_first = |directory: &Arc<str>| directories().any(|own| *own == **directory);
        // A path that several apps share is reported once, for the first app.
        if sharers.first().is_some_and(|first| !is_first(first)) {
            continue;
        }
        let (number, used) = shared.first;
        reporter.report(
            FindingDraft::new(&RULE, used.origin, message(&shared, sharers.len().saturating_sub(1)))
                .about_object_in(number, used.object)
                .related(shared.other.origin, "it is used here too")
                .hint("give each environment a secret of its own"),
        );
    }
}

/// Returns the message, with the number of affected items; the same in every run.
fn message(shared: &SharedPath<'_>, other_apps: usize) -> String {
    let items = shared.items.len();
    let environments: BTreeSet<usize> = shared.items.iter().map(|(environment, ..)| *environment).collect();
    let environments = environments.len();
    let item = item_label(&shared.first.1.item);
    let apps = match other_apps {
        0 => String::new(),
        1 => ", and one more app does the same".to_owned(),
        count => format!(", and {count} more apps do the same"),
    };
    format!(
        "{item} is the same secret as in a non-production environment; {items} items in {environments} \
         environments come from this path{apps}"
    )
}
