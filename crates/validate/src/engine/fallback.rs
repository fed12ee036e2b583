//! Definitions that nobody names and nothing renders, asked for when a kind is known by nothing else.

use std::fmt::Debug;
use std::sync::Arc;

use super::Checking;
use super::schema_set::SchemaSet;
use super::schemas::selects;
use sealwave_core::document::{Manifest, Place, group_and_version};
use sealwave_kube::Scopes;
use sealwave_kube::schema::{PackedDefinition, Scope};

/// Where such definitions are. Finding them may take time, so it is asked about kinds without a schema alone.
pub trait Fallback: Debug + Send + Sync {
    /// What is known of a kind in this version of its group; `None` where nothing defines a kind of the group.
    fn look_up(&self, group: &str, version: &str, kind: &str) -> Option<Answer>;
}

/// What a fallback knows of a kind.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The schemas of its group, in the versions of Kubernetes that the run asks for.
    pub schemas: Arc<SchemaSet>,
    /// Where it is defined; none where only other kinds of its group are.
    pub source: Option<DefinitionSource>,
}

/// Where a definition is from that is neither named nor the only one among the manifests.
#[derive(Clone, Debug)]
pub enum DefinitionSource {
    /// A release that is built into sealwave.
    BuiltIn(PackedDefinition),
    /// A file.
    File(Place),
}

impl Answer {
    /// The schemas that count for the kind itself.
    pub(super) fn defining(&self) -> Option<&SchemaSet> {
        self.source.is_some().then_some(&self.schemas)
    }
}

impl Checking {
    /// Returns what is known of an object's group where the set has no schema for its kind: by the repository, else by a
    /// built-in definition.
    pub(super) fn fall_back(&self, set: &SchemaSet, object: &Manifest) -> Option<Answer> {
        if self.fallback.is_none() && self.packed.is_none() {
            return None;
        }
        let (group, kind) = (object.group(), object.kind());
        // The group of a definition has a dot.
        let is_unknown = set.knows_kind(group, kind).is_some_and(|known| !known) && group.contains('.');
        if !is_unknown || selects(&self.skip, object) {
            return None;
        }
        let version = group_and_version(object.api_version()).1;
        let answer = self.fallback.as_ref().and_then(|fallback| fallback.look_up(group, version, kind));
        if answer.as_ref().and_then(Answer::defining).is_some() {
            return answer;
        }
        let packed = self.packed.as_ref().and_then(|packed| packed.look_up(&self.kube_versions, group, kind));
        let built_in =
            |(definition, schemas)| Answer { schemas, source: Some(DefinitionSource::BuiltIn(definition)) };
        packed.map(built_in).or(answer)
    }

    /// Which kinds have a namespace, by all definitions that are known; those among the objects count most.
    pub(super) fn scopes(&self, set: &SchemaSet, objects: &[Manifest]) -> Scopes {
        let mut scopes = Scopes::of(objects);
        for object in objects {
            self.learn_scope(&mut scopes, set, object);
        }
        scopes
    }

    /// Learns whether an object's kind has a namespace, where no definition has said so.
    pub(super) fn learn_scope(&self, scopes: &mut Scopes, set: &SchemaSet, object: &Manifest) {
        let (group, kind) = (object.group(), object.kind());
        if !group.contains('.') || scopes.is_defined(group, kind) {
            return;
        }
        let answer = self.fall_back(set, object);
        let set = answer.as_ref().map_or(set, |answer| &answer.schemas);
        if let Some(scope) = set.scope(group, kind) {
            scopes.define(group, kind, scope == Scope::Cluster);
        }
    }
}
