//! Directives of strategic merge patches: keys that control how the map or list around them is merged.
//!
//! This module parses directives and checks their form. It does not change objects.

use std::collections::{HashMap, HashSet};

use crate::render::patches::error::{Error, LocatedError};
use sealwave_core::document::{Mapping, MappingEntry, Node, NodeValue};

const PATCH: &str = "$patch";
const RETAIN: &str = "$retainKeys";
const ORDER: &str = "$setElementOrder";
const REMOVE: &str = "$deleteFromPrimitiveList";

/// Returns the directive that a key names.
pub(in super::super) fn directive_name(key: &str) -> Option<&'static str> {
    if !key.starts_with('$') {
        return None;
    }
    let name = key.split('/').next().unwrap_or(key);
    let directive = [PATCH, RETAIN, ORDER, REMOVE].into_iter().find(|directive| *directive == name)?;
    let names_a_list = matches!(directive, ORDER | REMOVE);
    (names_a_list == (name != key)).then_some(directive)
}

/// The value of `$patch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum PatchAction {
    Delete,
    Merge,
    Replace,
}

/// Returns the action of a map of a patch; the default is to merge.
///
/// # Errors
/// `$patch` has an unknown value.
pub(in super::super) fn action_of(changes: &Mapping) -> Result<PatchAction, LocatedError> {
    changes.entry(PATCH).map_or(Ok(PatchAction::Merge), action)
}

fn action(entry: &MappingEntry) -> Result<PatchAction, LocatedError> {
    match entry.value.as_str() {
        Some("delete") => Ok(PatchAction::Delete),
        Some("merge") => Ok(PatchAction::Merge),
        Some("replace") => Ok(PatchAction::Replace),
        _ => {
            let wanted = "`delete`, `merge` or `replace`";
            Err((Error::DirectiveValue { directive: PATCH, wanted }, entry.value.display_origin()))
        }
    }
}

/// A parsed map of a patch.
pub(super) struct ParsedMap<'p> {
    pub(super) action: PatchAction,
    pub(super) retained: Option<&'p MappingEntry>,
    /// The fields by name, in the order of the patch.
    pub(super) fields: Vec<(&'p str, FieldChange<'p>)>,
}

/// The changes of a field.
pub(super) struct FieldChange<'p> {
    pub(super) name: &'p str,
    /// The new value.
    pub(super) set: Option<&'p MappingEntry>,
    /// The order of the items.
    pub(super) order: Option<&'p MappingEntry>,
    /// The scalars to remove.
    pub(super) removal: Option<&'p MappingEntry>,
}

impl<'p> ParsedMap<'p> {
    /// Parses a map.
    ///
    /// # Errors
    /// A malformed directive.
    pub fn parse(changes: &'p Mapping) -> Result<Self, LocatedError> {
        let mut parts =
            Self { action: PatchAction::Merge, retained: None, fields: Vec::with_capacity(changes.len()) };
        let mut positions = HashMap::new();
        for entry in changes.entries() {
            let key = entry.key.as_str();
            let list = key.split_once('/').map_or(key, |(_, list)| list);
            match directive_name(key) {
                Some(PATCH) => parts.action = action(entry)?,
                Some(RETAIN) => parts.retained = Some(entry),
                Some(ORDER) => parts.field(list, &mut positions).order = Some(entry),
                Some(REMOVE) => parts.field(list, &mut positions).removal = Some(entry),
                _ => parts.field(key, &mut positions).set = Some(entry),
            }
        }
        Ok(parts)
    }

    fn field(&mut self, name: &'p str, positions: &mut HashMap<&'p str, usize>) -> &mut FieldChange<'p> {
        let at = *positions.entry(name).or_insert(self.fields.len());
        if at == self.fields.len() {
            self.fields.push((name, FieldChange { name, set: None, order: None, removal: None }));
        }
        &mut self.fields[at].1
    }
}

/// Returns the action of a list, and its items without it. An item with only `$patch` applies to the list.
pub(super) fn list_action(items: &[Node]) -> Result<(PatchAction, Vec<&Node>), LocatedError> {
    let mut all = PatchAction::Merge;
    let mut rest = Vec::with_capacity(items.len());
    for item in items {
        match &item.value {
            NodeValue::Mapping(mapping) if mapping.len() == 1 && mapping.entry(PATCH).is_some() => {
                all = action_of(mapping)?;
            }
            _ => rest.push(item),
        }
    }
    Ok((all, rest))
}

/// Returns the items of a directive that must be a list.
pub(super) fn sequence(entry: &MappingEntry) -> Result<&[Node], LocatedError> {
    entry.value.as_sequence().ok_or_else(|| not_a_list(entry))
}

/// Returns the names in `$retainKeys`.
pub(super) fn retained_names(entry: &MappingEntry) -> Result<HashSet<&str>, LocatedError> {
    let names = sequence(entry)?.iter().map(Node::as_str).collect::<Option<_>>();
    names.ok_or_else(|| not_a_list(entry))
}

fn not_a_list(entry: &MappingEntry) -> LocatedError {
    let directive = directive_name(&entry.key).unwrap_or(PATCH);
    let wanted = if directive == RETAIN { "a list of field names" } else { "a list" };
    (Error::DirectiveValue { directive, wanted }, entry.key_origin)
}
