//! Fallback definitions for kinds that are neither rendered nor defined by flags or settings.

use std::fmt::Debug;
use std::sync::Arc;

use super::ValidateOptions;
use super::schema_set::SchemaSet;
use super::schemas::selects;
use sealwave_core::document::{Manifest, SourceLocation, group_and_version};
use sealwave_kube::KindScopes;
use sealwave_kube::schema::{PackedDefinition, ResourceScope};

/// A source of fallback definitions. A search may be slow, so it is used only for kinds without a schema.
pub trait CrdFallback: Debug + Send + Sync {
    /// Looks up a kind in a version of its group; `None` if no kind of the group is defined.
    fn look_up(&self, group: &str, version: &str, kind: &str) -> Option<FallbackSchemas>;
}

/// The schemas that a fallback found for a kind.
#[derive(Clone, Debug)]
pub struct FallbackSchemas {
    /// The schemas of the group, for the Kubernetes versions of the run.
    pub schemas: Arc<SchemaSet>,
    /// The source of the definition; `None` if only other kinds of the group are defined.
    pub source: Option<DefinitionSource>,
}

/// The source of a definition that is neither named nor the only one among the manifests.
#[derive(Clone, Debug)]
pub enum DefinitionSource {
    /// A definition built into sealwave.
    BuiltIn(PackedDefinition),
    /// A file.
    File(SourceLocation),
}

impl FallbackSchemas {
    /// Returns the schemas if the kind itself is defined.
    pub(super) fn defining_schemas(&self) -> Option<&SchemaSet> {
        self.source.is_some().then_some(&self.schemas)
    }
}

impl ValidateOptions {
    /// Looks up an object's kind if the set has no schema for it: in the repository, then among built-in definitions.
    pub(super) fn look_up_fallback(&self, set: &SchemaSet, object: &Manifest) -> Option<FallbackSchemas> {
        if self.fallback.is_none() && self.packed.is_none() {
            return None;
        }
        let (group, kind) = (object.group(), object.kind());
        // The group of a custom resource contains a dot.
        let is_unknown = set.has_kind(group, kind).is_some_and(|known| !known) && group.contains('.');
        if !is_unknown || selects(&self.skip, object) {
            return None;
        }
        let version = group_and_version(object.api_version()).1;
        let answer = self.fallback.as_ref().and_then(|fallback| fallback.look_up(group, version, kind));
        if answer.as_ref().and_then(FallbackSchemas::defining_schemas).is_some() {
            return answer;
        }
        let packed = self.packed.as_ref().and_then(|packed| packed.look_up(&self.kube_versions, group, kind));
        let built_in = |(definition, schemas)| FallbackSchemas {
            schemas,
            source: Some(DefinitionSource::BuiltIn(definition)),
        };
        packed.map(built_in).or(answer)
    }

    /// Returns the scopes of all kinds; definitions among the objects take precedence.
    pub(super) fn scopes(&self, set: &SchemaSet, objects: &[Manifest]) -> KindScopes {
        let mut scopes = KindScopes::from_objects(objects);
        for object in objects {
            self.learn_scope(&mut scopes, set, object);
        }
        scopes
    }

    /// Adds the scope of an object's kind, unless a definition has set it.
    pub(super) fn learn_scope(&self, scopes: &mut KindScopes, set: &SchemaSet, object: &Manifest) {
        let (group, kind) = (object.group(), object.kind());
        if !group.contains('.') || scopes.is_defined(group, kind) {
            return;
        }
        let answer = self.look_up_fallback(set, object);
        let set = answer.as_ref().map_or(set, |answer| &answer.schemas);
        if let Some(scope) = set.scope(group, kind) {
            scopes.set_scope(group, kind, scope == ResourceScope::Cluster);
        }
    }
}
