//! Maps namespaces to environments.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::environment_names::EnvironmentNames;
use crate::facts::scene::CheckedApp;

/// The namespaces of an app's environments.
pub(super) struct EnvironmentNamespaces<'a> {
    all: Vec<BTreeSet<&'a str>>,
    /// Namespaces that certainly belong to one environment.
    owners: BTreeMap<&'a str, usize>,
}

impl<'a> EnvironmentNamespaces<'a> {
    pub(super) fn new(app: &CheckedApp<'a>, names: &EnvironmentNames) -> Self {
        let mut owners = BTreeMap::new();
        let mut all = Vec::new();
        for (number, environment) in app.environments.iter().enumerate() {
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            for object in environment.objects.iter().filter(|object| !object.namespace.is_empty()) {
                *counts.entry(object.namespace).or_default() += 1;
            }
            // Most objects are in the environment's own namespace; others are where a shared tool expects them.
            let home = counts.iter().max_by_key(|(_, count)| **count).map(|(name, _)| *name);
            for namespace in counts.keys().copied() {
                if home == Some(namespace) || names.contains_own_name(number, namespace) {
                    owners.entry(namespace).or_insert(number);
                }
            }
            all.push(counts.into_keys().collect());
        }
        Self { all, owners }
    }

    /// Returns the environment that owns a namespace, if it is another one and this one has no objects there.
    pub(super) fn foreign(&self, environment: usize, namespace: &str) -> Option<usize> {
        let own = self.all.get(environment).filter(|own| !own.is_empty())?;
        let owner = self.owners.get(namespace).copied()?;
        (owner != environment && !own.contains(namespace)).then_some(owner)
    }
}

/// Returns the namespaces of Services in a text: `db.shop-dev.svc` is in `shop-dev`.
pub(super) fn service_namespaces(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(".svc").filter_map(|(at, found)| {
        let (before, after) = (text.get(..at)?, text.get(at + found.len()..)?);
        let is_label = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if after.starts_with(is_label) {
            return None;
        }
        let start = before.rfind(|c: char| !is_label(c))?;
        let namespace = before.get(start + 1..)?;
        (before.get(start..)?.starts_with('.') && !namespace.is_empty()).then_some(namespace)
    })
}

#[cfg(test)]
mod tests {
    use super::service_namespaces;

    #[test]
    fn namespaces_of_services_are_found() {
        for (text, expected) in [
            ("db.shop-dev.svc.cluster.local:5432", &["shop-dev"][..]),
            ("postgres://u:p@db.a.svc/x,redis.b.svc:1", &["a", "b"]),
            ("a.svcx", &[]),
            ("svc.a", &[]),
            ("a.svc", &[]),
        ] {
            assert_eq!(service_namespaces(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }
}
