//! The placeholders of an app, and the keys of Secrets that have them.

use std::collections::HashMap;

use super::counterparts::ObjectInEnvironment;
use super::keyed_objects::KeyedObject;
use crate::facts::checked_object::SecretUse;
use crate::facts::environment_names::EnvironmentNames;
use crate::facts::scene::CheckedApp;
use sealwave_core::document::MappingEntry;
use sealwave_kube::catalog::ObjectIndex;

/// The placeholders of an app, by environment, Secret and item.
pub(super) struct PlaceholderIndex<'a>(HashMap<(usize, ObjectIndex, &'a str), Vec<&'a SecretUse>>);

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

    pub(super) fn uses_of(&self, secret: &KeyedObject<'_>, entry: &'a MappingEntry) -> &[&'a SecretUse] {
        let ObjectInEnvironment { environment, object } = secret.place;
        self.0.get(&(environment, object, entry.key.as_str())).map_or(&[], Vec::as_slice)
    }

    /// Returns whether the app has no placeholders.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the first item with a placeholder whose path contains the environment's name.
    pub(super) fn first_with_environment<'h>(
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
pub(super) type KeyHolder<'h> = (&'h KeyedObject<'h>, &'h MappingEntry);
