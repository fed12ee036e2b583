//! `environment/same-secret`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use compact_str::CompactString;

use super::names::EnvironmentNames;
use crate::rules::{CheckedApp, CheckedEnvironment, FindingDraft, Reporter, Rule, RuleCheck, SecretUse};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Manifest;
use sealwave_core::names::item_label;
use sealwave_secrets::placeholder::SecretReference;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "environment/same-secret",
        severity: Severity::Note,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "production and another environment use the same secret",
        page: include_str!("same_secret.md"),
    },
    check: RuleCheck::App(check),
};

/// The path of a secret in a store: provider and path.
pub(crate) type SecretPath = (CompactString, String);

/// The secrets of one environment that should not be shared.
pub(crate) struct EnvironmentSecrets<'a> {
    name: &'a str,
    uses: Vec<&'a SecretUse>,
}

impl<'a> EnvironmentSecrets<'a> {
    /// Selects the relevant uses; `object` returns the Secret at an index.
    pub(crate) fn new<'m>(
        name: &'a str,
        uses: &'a [SecretUse],
        object: impl Fn(usize) -> Option<&'m Manifest>,
    ) -> Self {
        let is_relevant = |used: &&SecretUse| {
            let kind = object(used.object).and_then(|secret| secret.root().get("type")?.as_str());
            let pulls = kind.is_some_and(|kind| kind.starts_with("kubernetes.io/docker"));
            !pulls && !is_shared_by_name(&used.reference.path)
        };
        Self { name, uses: uses.iter().filter(is_relevant).collect() }
    }
}

/// The most paths of an app that are compared with those of other apps.
const MAX_PATHS: usize = 10_000;

/// Returns the paths from which production and another environment of an app read the same entry.
pub(crate) fn shared_paths(environments: &[EnvironmentSecrets<'_>]) -> BTreeSet<SecretPath> {
    shared_by_path(environments).into_keys().take(MAX_PATHS).collect()
}

/// The uses of one path in an app.
struct SharedPath<'a> {
    /// The environment and the first use in production.
    first: (usize, &'a SecretUse),
    /// A use in another environment.
    other: &'a SecretUse,
    /// Environment, object and item of each use of the shared path.
    items: BTreeSet<(usize, usize, &'a str)>,
}

fn shared_by_path<'a>(environments: &[EnvironmentSecrets<'a>]) -> BTreeMap<SecretPath, SharedPath<'a>> {
    let mut paths: BTreeMap<SecretPath, SharedPath<'a>> = BTreeMap::new();
    let Some(names) = EnvironmentNames::new(environments.iter().map(|environment| environment.name)) else {
        return paths;
    };
    let all = || {
        let numbered = environments.iter().enumerate();
        numbered.flat_map(|(number, environment)| environment.uses.iter().map(move |used| (number, *used)))
    };
    let mut others: BTreeMap<&SecretReference, &SecretUse> = BTreeMap::new();
    for (_, used) in all().filter(|(number, _)| !names.is_prod(*number)) {
        others.entry(&used.reference).or_insert(used);
    }
    let mut shared: BTreeSet<&SecretReference> = BTreeSet::new();
    for (number, used) in all().filter(|(number, _)| names.is_prod(*number)) {
        if let Some(other) = others.get(&used.reference) {
            shared.insert(&used.reference);
            let first = SharedPath { first: (number, used), other, items: BTreeSet::new() };
            paths.entry(path(&used.reference)).or_insert(first);
        }
    }
    for (number, used) in all().filter(|(_, used)| shared.contains(&used.reference)) {
        if let Some(path) = paths.get_mut(&path(&used.reference)) {
            path.items.insert((number, used.object, &used.item));
        }
    }
    paths
}

/// Returns the secrets of an environment; plain manifests have none.
fn uses<'a>(environment: &CheckedEnvironment<'a>) -> Option<EnvironmentSecrets<'a>> {
    let object = |number: usize| environment.objects.get(number).map(|object| object.manifest);
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

fn path(reference: &SecretReference) -> SecretPath {
    (reference.provider.clone(), reference.path.clone())
}

fn is_shared_by_name(path: &str) -> bool {
    let mut words = path.split(|c: char| !c.is_alphanumeric());
    words.any(|word| ["common", "global", "shared"].iter().any(|known| word.eq_ignore_ascii_case(known)))
}
