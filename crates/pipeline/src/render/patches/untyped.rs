//! Patches without a type, and maps that contradict their type.
//!
//! A map can be a merge patch, which replaces lists, or a strategic merge patch, which merges some of them. The type
//! must never be guessed, since either guess can lose the author's changes.

use super::error::{Error, LocatedError};
use super::strategic::directive_name;
use sealwave_core::document::{Node, NodeValue};
use sealwave_kube::schema::{ListMerge, MergeSchema};

/// Checks that a map can only be a merge patch.
///
/// # Errors
/// It contains a directive, or sets a list that Kubernetes merges.
pub(super) fn check_unstated(patch: &Node, schema: Option<MergeSchema>) -> Result<(), LocatedError> {
    check(patch, schema, &mut Vec::new())
}

/// Checks that a map with the type `merge` has no directive.
///
/// # Errors
/// It contains a directive.
pub(super) fn check_merge(patch: &Node) -> Result<(), LocatedError> {
    check(patch, None, &mut Vec::new())
}

/// Checks only nested maps, since merge patches treat list items as values.
fn check<'p>(
    patch: &'p Node,
    schema: Option<MergeSchema>,
    outer: &mut Vec<&'p str>,
) -> Result<(), LocatedError> {
    for entry in patch.entries() {
        if let Some(directive) = directive_name(&entry.key) {
            return Err((Error::Directive(directive), entry.key_origin));
        }
        let schema = schema.map(|schema| schema.field(&entry.key));
        outer.push(&entry.key);
        match (&entry.value.value, schema.map(MergeSchema::list)) {
            (NodeValue::Sequence(_), Some(list @ (ListMerge::ByKey(_) | ListMerge::ByValue))) => {
                return Err((Error::Ambiguous { path: outer.join("."), list }, entry.key_origin));
            }
            (NodeValue::Mapping(_), _) => check(&entry.value, schema, outer)?,
            _ => {}
        }
        outer.pop();
    }
    Ok(())
}
