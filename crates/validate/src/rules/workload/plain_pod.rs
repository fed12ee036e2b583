//! Pods that are created as written.

use crate::facts::checked_object::CheckedObject;
use sealwave_core::document::Node;

/// Returns the spec of pods that are created as written. Controllers of other kinds may change it.
pub(super) fn plain_pod<'a>(object: &CheckedObject<'a>) -> Option<&'a Node> {
    let pod = object.pod.as_ref()?;
    matches!(object.group, "" | "apps" | "argoproj.io" | "batch").then_some(pod.spec)
}
