//! Directives of strategic merge patches: keys that control how the map or list around them is merged.
//!
//! This module parses directives and checks their form. It does not change objects.

use std::collections::{HashMap, HashSet};

use super::Located;
use crate::render::patches::error::Error;
use sealwave_core::document::{Entry, Mapping, Node, Value};

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
pub(in super::super) enum Action {
    Delete,
    Merge,
    Replace,
}

/// Returns the action of a map of a patch; the default is to merge.
///
/// # Errors
/// `$patch` has an unknown value.
pub(in super::super) fn action_of(changes: &Mapping) -> Result<Action, Located> {
    changes.entry(PATCH).map_or(Ok(Action::Merge), action)
}

fn action(entry: &Entry) -> Result<Action, Located> {
    match entry.value.as_str() {
        Some("delete") => Ok(Action::Delete),
        Some("merge") => Ok(Action::Merge),
        Some("replace") => Ok(Action::Replace),
        _ => {
            let wanted = "`delete`, `merge` or `replace`";
            Err((Error::DirectiveValue { directive: PATCH, wanted }, entry.value.shown_at()))
        }
    }
}

/// A parsed map of a patch.
pub(super) struct Parts<'p> {
    pub(super) action: Action,
    pub(super) retained: Option<&'p Entry>,
    /// The fields by name, in the order of the patch.
    pub(super) fields: Vec<(&'p str, FieldChange<'p>)>,
}

/// The changes of a field.
pub(super) struct FieldChange<'p> {
    pub(super) name: &'p str,
    /// The new value.
    pub(super) set: Option<&'p Entry>,
    /// The order of the items.
    pub(super) order: Option<&'p Entry>,
    /// The scalars to remove.
    pub(super) removal: Option<&'p Entry>,
}

impl<'p> Parts<'p> {
    /// Parses a map.
    ///
    /// # Errors
    /// A malformed directive.
    pub fn of(changes: &'p Mapping) -> Result<Self, Located> {
        let mut parts =
            Self { action: Action::Merge, retained: None, fields: Vec::with_capacity(changes.len()) };
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
pub(super) fn list_action(items: &[Node]) -> Result<(Action, Vec<&Node>), Located> {
    let mut all = Action::Merge;
    let mut rest = Vec::with_capacity(items.len());
    for item in items {
        match &item.value {
            Value::Mapping(mapping) if mapping.len() == 1 && mapping.entry(PATCH).is_some() => {
                all = action_of(mapping)?;
            }
            _ => rest.push(item),
        }
    }
    Ok((all, rest))
}

/// Returns the items of a directive that must be a list.
pub(super) fn sequence(entry: &Entry) -> Result<&[Node], Located> {
    entry.value.as_sequence().ok_or_else(|| not_a_list(entry))
}

/// Returns the names in `$retainKeys`.
pub(super) fn names(entry: &Entry) -> Result<HashSet<&str>, Located> {
    let names = sequence(entry)?.iter().map(Node::as_str).collect::<Option<_>>();
    names.ok_or_else(|| not_a_list(entry))
}

fn not_a_list(entry: &Entry) -> Located {
    let directive = directive_name(&entry.key).unwrap_or(PATCH);
    let wanted = if directive == RETAIN { "a list of field names" } else { "a list" };
    (Error::DirectiveValue { directive, wanted }, entry.key_origin)
}
