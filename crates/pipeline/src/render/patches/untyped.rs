//! Patches that do not state their type, and maps that contradict the type that they state.
//!
//! A map can be meant as a merge patch, which replaces lists, or as a strategic merge patch, which merges some of them.
//! Must never guess: either guess loses what the author wrote.

use super::error::Error;
use super::strategic::{Located, directive_name};
use sealwave_core::document::{Mapping, Node, Value};
use sealwave_kube::schema::{ListMerge, MergeSchema};

/// Checks that a map can only be meant as a merge patch.
///
/// # Errors
/// It has a directive, or sets a list that Kubernetes merges.
pub(super) fn check_unstated(patch: &Node, schema: Option<MergeSchema>) -> Result<(), Located> {
    check(patch, schema, &mut Vec::new())
}

/// Checks that a map that says it is a merge patch has no directive.
///
/// # Errors
/// It has one.
pub(super) fn check_merge(patch: &Node) -> Result<(), Located> {
    check(patch, None, &mut Vec::new())
}

/// Items of lists are values to a merge patch, so only maps within maps are looked at.
fn check<'p>(patch: &'p Node, schema: Option<MergeSchema>, outer: &mut Vec<&'p str>) -> Result<(), Located> {
    for entry in patch.as_mapping().map_or(&[][..], Mapping::entries) {
        if let Some(directive) = directive_name(&entry.key) {
            return Err((Error::Directive(directive), entry.key_origin));
        }
        let schema = schema.map(|schema| schema.field(&entry.key));
        outer.push(&entry.key);
        match (&entry.value.value, schema.map(MergeSchema::list)) {
            (Value::Sequence(_), Some(list @ (ListMerge::ByKey(_) | ListMerge::ByValue))) => {
                return Err((Error::Ambiguous { path: outer.join("."), list }, entry.key_origin));
            }
            (Value::Mapping(_), _) => check(&entry.value, schema, outer)?,
            _ => {}
        }
        outer.pop();
    }
    Ok(())
}
