//! Reads objects of the cluster, and what their fields say.

use serde_json::Value as Json;

use sealwave_providers::{ApiObject, ApiResource, ClusterClient, ClusterError};

use super::expected::ObjectName;

/// A client, and the namespace of objects without one.
#[derive(Clone, Copy)]
pub(super) struct LiveReader<'c> {
    pub(super) client: &'c ClusterClient,
    pub(super) namespace: Option<&'c str>,
}

impl LiveReader<'_> {
    /// Returns the namespace of an object; `None` if it is unknown.
    pub(super) fn namespace_of<'n>(&'n self, id: &'n ObjectName) -> Option<&'n str> {
        id.namespace.as_deref().or(self.namespace)
    }

    pub(super) fn get(
        &self,
        resource: ApiResource<'_>,
        namespace: &str,
        name: &str,
    ) -> Result<Json, ClusterError> {
        self.client.get(&ApiObject { resource, namespace: Some(namespace), name: Some(name) })
    }

    pub(super) fn list(
        &self,
        resource: ApiResource<'_>,
        namespace: &str,
        selector: &str,
    ) -> Result<Vec<Json>, ClusterError> {
        self.client.list(&ApiObject { resource, namespace: Some(namespace), name: None }, selector)
    }
}

pub(super) fn text<'j>(object: &'j Json, pointer: &str) -> &'j str {
    object.pointer(pointer).and_then(Json::as_str).unwrap_or_default()
}

pub(super) fn number(object: &Json, pointer: &str) -> Option<u64> {
    object.pointer(pointer).and_then(Json::as_u64)
}

pub(super) fn name(object: &Json) -> &str {
    text(object, "/metadata/name")
}

/// Returns a condition of an object's status.
pub(super) fn condition<'j>(object: &'j Json, kind: &str) -> Option<&'j Json> {
    let conditions = object.pointer("/status/conditions")?.as_array()?;
    conditions.iter().find(|condition| condition.get("type").and_then(Json::as_str) == Some(kind))
}

/// Reports whether a condition is true; `None` if the object does not have it.
pub(super) fn is_true(object: &Json, kind: &str) -> Option<bool> {
    Some(text(condition(object, kind)?, "/status") == "True")
}

/// Reports whether a controller's status is about the present generation.
pub(super) fn is_observed(object: &Json) -> bool {
    let generation = number(object, "/metadata/generation");
    generation.is_some() && number(object, "/status/observedGeneration") >= generation
}

/// Returns a generation that a status has as a text, as those of Argo Rollouts. Old releases wrote a hash, which tells nothing.
pub(super) fn generation_text(object: &Json, pointer: &str) -> Option<u64> {
    text(object, pointer).parse().ok()
}

/// Reports whether an object belongs to the object with this UID.
pub(super) fn is_owned_by(object: &Json, uid: &str) -> bool {
    owner_uids(object).any(|owner| owner == uid)
}

/// Returns the UIDs of the objects that an object belongs to. Owners of owners are not looked for, so loops do not matter.
pub(super) fn owner_uids(object: &Json) -> impl Iterator<Item = &str> {
    let owners = object.pointer("/metadata/ownerReferences").and_then(Json::as_array);
    owners.into_iter().flatten().map(|owner| text(owner, "/uid")).filter(|uid| !uid.is_empty())
}
