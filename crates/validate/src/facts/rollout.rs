//! Rollout triggers: what restarts the pods of a workload when its configuration changes.

use std::collections::BTreeMap;

use crate::facts::checked_object::CheckedObject;
use crate::facts::scene::CheckedEnvironment;
use sealwave_core::document::{Manifest, Mapping};
use sealwave_kube::catalog::ObjectIndex;
use sealwave_kube::pods::TemplateMutability;

/// Annotations with which a controller restarts workloads.
const RELOADERS: &[&str] = &["reloader.stakater.com/", "wave.pusher.com/"];

/// Characters of the hash suffixes that Kustomize generates.
const HASH_LETTERS: &str = "bcdfghkmt2456789";

/// Returns whether the pods of an object live until its template changes.
pub(crate) fn is_long_lived(object: &CheckedObject<'_>) -> bool {
    let changes = object.pod.as_ref().is_some_and(|pod| pod.mutability == TemplateMutability::Allowed);
    changes && !matches!(object.kind, "CronJob" | "Pod") && object.group != "serving.knative.dev"
}

/// Returns whether a name ends in a content hash or a version, so that new contents get a new name.
pub(crate) fn is_versioned(name: &str) -> bool {
    let Some((_, suffix)) = name.rsplit_once(['-', '.']) else { return false };
    let is_hash =
        suffix.len() >= 8 && suffix.chars().all(|c| HASH_LETTERS.contains(c) || c.is_ascii_hexdigit());
    is_hash || suffix.ends_with(|c: char| c.is_ascii_digit())
}

/// The workloads of an environment as they are applied.
pub(crate) struct RolloutTriggers<'e, 'a> {
    environment: &'e CheckedEnvironment<'a>,
    emitted: BTreeMap<(&'a str, &'a str, &'a str, &'a str), &'a Manifest>,
}

impl<'e, 'a> RolloutTriggers<'e, 'a> {
    /// Indexes the emitted objects; `None` if the app could not be processed that far.
    pub(crate) fn new(environment: &'e CheckedEnvironment<'a>) -> Option<Self> {
        let emitted = match &environment.app {
            Some(app) => app.emitted?,
            None => &[],
        };
        let keyed = |object: &'a Manifest| {
            ((object.group(), object.kind(), object.namespace(), object.name()), object)
        };
        Some(Self { environment, emitted: emitted.iter().map(keyed).collect() })
    }

    /// Returns whether new configuration restarts the pods, by any means.
    pub(crate) fn is_triggered(&self, object: &CheckedObject<'_>) -> bool {
        let Some(pod) = &object.pod else { return true };
        let key = (object.group, object.kind, object.namespace, object.name);
        let manifest = self.emitted.get(&key).copied().unwrap_or(object.manifest);
        let template = manifest.root().at(&pod.path);
        let on_pods = template.and_then(|template| template.at(&["metadata", "annotations"])?.as_mapping());
        let has_entry = |mapping: Option<&Mapping>, names: fn(&str) -> bool| {
            mapping.is_some_and(|mapping| mapping.entries().iter().any(|entry| names(&entry.key)))
        };
        has_entry(on_pods, |name| name.contains("checksum") || name.contains("hash"))
            || [on_pods, manifest.annotations()].into_iter().any(|annotations| {
                has_entry(annotations, |name| RELOADERS.iter().any(|reloader| name.contains(reloader)))
            })
    }

    /// Iterates over the long-lived objects without a trigger, with their indices.
    pub(crate) fn workloads_without_trigger(
        &self,
    ) -> impl Iterator<Item = (ObjectIndex, &'e CheckedObject<'a>)> + '_ {
        let objects = self.environment.indexed_objects();
        objects.filter(|(_, object)| is_long_lived(object) && !self.is_triggered(object))
    }
}

#[cfg(test)]
mod tests {
    use super::is_versioned;

    #[test]
    fn hashes_and_versions_are_recognized() {
        for name in
            ["settings-h2ck9f7gt6", "settings-v2", "settings-2026.11", "settings-0a1b2c3d4e", "a-bcdfghkmtb"]
        {
            assert!(is_versioned(name), "{name}");
        }
        for name in ["settings", "shop-settings", "v2", "settings-production"] {
            assert!(!is_versioned(name), "{name}");
        }
    }
}
