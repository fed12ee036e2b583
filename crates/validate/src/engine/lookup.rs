//! Looks up the definitions and scopes of kinds that the schemas of a run lack.

use super::context::CheckContext;
use super::fallback::{DefinitionSource, FallbackSchemas};
use super::schema_set::SchemaSet;
use sealwave_core::document::{Manifest, group_and_version};
use sealwave_kube::KindScopes;
use sealwave_kube::schema::ResourceScope;

impl CheckContext<'_> {
    /// Looks up an object's kind if the set has no schema for it: in the repository, then among built-in definitions.
    pub(super) fn look_up_fallback(self, set: &SchemaSet, object: &Manifest) -> Option<FallbackSchemas> {
        if self.schemas.fallback.is_none() && self.options.packed.is_none() {
            return None;
        }
        let (group, kind) = (object.group(), object.kind());
        // The group of a custom resource contains a dot.
        let is_unknown = set.has_kind(group, kind).is_some_and(|known| !known) && group.contains('.');
        if !is_unknown || self.options.skip.selects(object) {
            return None;
        }
        let version = group_and_version(object.api_version()).1;
        let answer =
            self.schemas.fallback.as_ref().and_then(|fallback| fallback.look_up(group, version, kind));
        if answer.as_ref().and_then(FallbackSchemas::defining_schemas).is_some() {
            return answer;
        }
        let packed = self
            .options
            .packed
            .as_ref()
            .and_then(|packed| packed.look_up(&self.options.kube_versions, group, kind));
        let built_in = |(definition, schemas)| FallbackSchemas {
            schemas,
            source: Some(DefinitionSource::BuiltIn(definition)),
        };
        packed.map(built_in).or(answer)
    }

    /// Returns the scopes of all kinds; definitions among the objects take precedence.
    pub(super) fn scopes(self, set: &SchemaSet, objects: &[Manifest]) -> KindScopes {
        let mut scopes = KindScopes::from_objects(objects);
        for object in objects {
            self.learn_scope(&mut scopes, set, object);
        }
        scopes
    }

    /// Adds the scope of an object's kind, unless a definition has set it.
    pub(super) fn learn_scope(self, scopes: &mut KindScopes, set: &SchemaSet, object: &Manifest) {
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
