//! The schema for strategic merge patches.

use sealwave_core::document::Manifest;
use sealwave_kube::schema::MergeSchema;

/// Returns the schema that determines how a strategic merge patch changes an object.
pub(super) fn merge_schema_of(object: &Manifest) -> Option<MergeSchema> {
    MergeSchema::for_kind(object.api_version(), object.kind())
}
