//! Directives of strategic merge patches: keys that say what to do with the map or the list that they are in.
//!
//! A directive is taken apart here and checked for its form. Nothing here changes an object.

use std::collections::{HashMap, HashSet};

use super::Located;
use crate::render::patches::error::Error;
use sealwave_core::document::{Entry, Mapping, Node, Value};

const PATCH: &str = "$patch";
const RETAIN: &str = "$retainKeys";
const ORDER: &str = "$setElementOrder";
const REMOVE: &str = "$deleteFromPrimitiveList";

/// Returns the name of the directive that a key stands for.
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

/// Returns what a map of a patch says is to be done; without `$patch` it is merged.
///
/// # Errors
/// `$patch` has another value than these.
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

/// A map of a patch, taken apart.
pub(super) struct Parts<'p> {
    pub(super) action: Action,
    pub(super) retained: Option<&'p Entry>,
    /// Fields by their names, in the order of the patch.
    pub(super) fields: Vec<(&'p str, FieldChange<'p>)>,
}

/// All that a patch says of one field.
pub(super) struct FieldChange<'p> {
    pub(super) name: &'p str,
    /// Its new value.
    pub(super) set: Option<&'p Entry>,
    /// The order of its items.
    pub(super) order: Option<&'p Entry>,
    /// Scalars to remove from it.
    pub(super) removal: Option<&'p Entry>,
}

impl<'p> Parts<'p> {
    /// Takes a map apart.
    ///
    /// # Errors
    /// A directive that is malformed.
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

/// Returns what a list says is to be done with all of it, and its items besides: an item that is nothing but `$patch` is about
/// the list.
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

/// Returns the names that `$retainKeys` lists.
pub(super) fn names(entry: &Entry) -> Result<HashSet<&str>, Located> {
    let names = sequence(entry)?.iter().map(Node::as_str).collect::<Option<_>>();
    names.ok_or_else(|| not_a_list(entry))
}

fn not_a_list(entry: &Entry) -> Located {
    let directive = directive_name(&entry.key).unwrap_or(PATCH);
    let wanted = if directive == RETAIN { "a list of names of fields" } else { "a list" };
    (Error::DirectiveValue { directive, wanted }, entry.key_origin)
}
