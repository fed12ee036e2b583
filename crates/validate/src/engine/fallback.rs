//! Fallback definitions for kinds that are neither rendered nor defined by flags or settings.

use std::fmt::Debug;
use std::sync::Arc;

use super::schema_set::SchemaSet;
use sealwave_core::document::SourceLocation;
use sealwave_kube::schema::PackedDefinition;

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
