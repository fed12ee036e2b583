//! Paths in secret stores from which production and another environment of an app read the same secret.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::checked_object::SecretUse;
use crate::facts::environment_names::EnvironmentNames;
use crate::facts::neighbors::SecretPath;
use sealwave_core::document::Manifest;
use sealwave_kube::catalog::ObjectIndex;
use sealwave_secrets::placeholder::SecretReference;

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
        object: impl Fn(ObjectIndex) -> Option<&'m Manifest>,
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
pub(crate) struct SharedPath<'a> {
    /// The environment and the first use in production.
    pub(crate) first: (usize, &'a SecretUse),
    /// A use in another environment.
    pub(crate) other: &'a SecretUse,
    /// Environment, object and item of each use of the shared path.
    pub(crate) items: BTreeSet<(usize, ObjectIndex, &'a str)>,
}

/// Returns the paths of an app that production shares with another environment.
pub(crate) fn shared_by_path<'a>(
    environments: &[EnvironmentSecrets<'a>],
) -> BTreeMap<SecretPath, SharedPath<'a>> {
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

fn path(reference: &SecretReference) -> SecretPath {
    (reference.provider.clone(), reference.path.clone())
}

fn is_shared_by_name(path: &str) -> bool {
    let mut words = path.split(|c: char| !c.is_alphanumeric());
    words.any(|word| ["common", "global", "shared"].iter().any(|known| word.eq_ignore_ascii_case(known)))
}
