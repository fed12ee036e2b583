//! The names that values define, without the values: names, and paths to them.

use std::cell::Cell;

use compact_str::CompactString;

use sealwave_core::document::{Node, NodeValue};
use sealwave_core::text::closest_name;

/// A step of a path into values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ValuePathStep {
    /// Any item of a list or any entry of a mapping, as in a loop.
    Item,
    Key(CompactString),
}

/// The names that a value defines.
#[derive(Debug)]
pub(super) enum NameTree {
    List(Vec<Self>),
    /// Sorted by name and as small as possible, since hostile values may have many small mappings.
    Map(Box<[(CompactString, Self)]>),
    /// Null, which defines no names.
    Nothing,
    Scalar,
}

/// A path that no value has.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MissingPath {
    /// The index of the step that was not found.
    pub(super) step: usize,
    /// The most similar known name.
    pub(super) closest: Option<String>,
}

impl NameTree {
    /// Collects the names of a tree.
    pub(crate) fn from_node(node: &Node) -> Self {
        match &node.value {
            NodeValue::Mapping(mapping) => {
                let entries = mapping.entries().iter();
                let mut fields: Box<[(CompactString, Self)]> =
                    entries.map(|entry| (entry.key.clone(), Self::from_node(&entry.value))).collect();
                fields.sort_by(|(a, _), (b, _)| a.cmp(b));
                Self::Map(fields)
            }
            NodeValue::Null => Self::Nothing,
            NodeValue::Sequence(items) => {
                let mut shapes: Vec<Self> = Vec::new();
                for item in items {
                    let shape = Self::from_node(item);
                    // Consecutive scalars are stored once.
                    let is_known = shape.is_scalar() && shapes.last().is_some_and(Self::is_scalar);
                    if !is_known {
                        shapes.push(shape);
                    }
                }
                shapes.shrink_to_fit();
                Self::List(shapes)
            }
            NodeValue::Bool(_) | NodeValue::Number(_) | NodeValue::String(_) => Self::Scalar,
        }
    }

    const fn is_scalar(&self) -> bool {
        matches!(self, Self::Scalar)
    }

    fn follow<'s>(&'s self, step: &ValuePathStep, found: &mut Vec<&'s Self>) {
        match (self, step) {
            (Self::List(items), ValuePathStep::Item) => found.extend(items),
            (Self::List(items), ValuePathStep::Key(key)) if is_index(key) => found.extend(items),
            (Self::Map(fields), ValuePathStep::Item) => found.extend(fields.iter().map(|(_, field)| field)),
            (Self::Map(fields), ValuePathStep::Key(key)) => {
                let at = fields.binary_search_by(|(name, _)| name.cmp(key)).ok();
                found.extend(at.and_then(|at| fields.get(at)).map(|(_, field)| field));
            }
            _ => {}
        }
    }

    /// Reports whether a step of this kind can never be found in this value, so that its absence proves nothing.
    fn is_closed_to(&self, step: &ValuePathStep) -> bool {
        match (self, step) {
            (Self::Scalar, _) => true,
            (Self::List(_), ValuePathStep::Key(key)) => !is_index(key),
            _ => false,
        }
    }

    fn has_names(&self) -> bool {
        match self {
            Self::List(items) => !items.is_empty(),
            Self::Map(fields) => !fields.is_empty(),
            Self::Nothing | Self::Scalar => false,
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let fields = if let Self::Map(fields) = self { Some(fields) } else { None };
        fields.into_iter().flat_map(|fields| fields.iter().map(|(name, _)| name.as_str()))
    }
}

/// Reports whether a key is the index of an item.
pub(super) fn is_index(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit())
}

/// The number of values that may still be visited. Hostile values are large, and many names are looked up in them.
#[derive(Debug)]
pub(super) struct LookupBudget(Cell<usize>);

impl LookupBudget {
    /// The number of values visited for one environment; real apps need a few thousand.
    const MAX: usize = 5_000_000;

    pub(super) const fn new() -> Self {
        Self(Cell::new(Self::MAX))
    }

    /// Reports whether the budget is spent, so that the last result is not reliable.
    pub(super) const fn is_exhausted(&self) -> bool {
        self.0.get() == 0
    }

    /// Deducts a number of values.
    pub(super) fn spend(&self, values: usize) {
        self.0.set(self.0.get().saturating_sub(values));
    }
}

/// Finds the first step of a path that exists in none of the values. Returns `None` if a value has the path.
///
/// A collection that is empty in all values may hold anything, and so may a value that is a scalar somewhere.
pub(super) fn find_missing(
    values: &[&NameTree],
    path: &[ValuePathStep],
    patience: &LookupBudget,
) -> Option<MissingPath> {
    let mut here = values.to_vec();
    for (number, step) in path.iter().enumerate() {
        let next = follow(&here, step, patience);
        if next.is_empty() {
            patience.spend(here.len());
            let is_open = here.iter().any(|shape| shape.is_closed_to(step))
                || number > 0 && !here.iter().any(|shape| shape.has_names());
            let name = if let ValuePathStep::Key(name) = step { name.as_str() } else { "" };
            if is_open {
                return None;
            }
            let known: Vec<&str> = here.iter().flat_map(|shape| shape.names()).collect();
            patience.spend(known.len().saturating_mul(4));
            return Some(MissingPath { step: number, closest: closest_name(name, known).map(str::to_owned) });
        }
        here = next;
    }
    None
}

/// Returns the names at the end of a path.
pub(super) fn names_at(values: &[&NameTree], path: &[ValuePathStep], patience: &LookupBudget) -> Vec<String> {
    follow_path(values, path, patience).iter().flat_map(|shape| shape.names()).map(str::to_owned).collect()
}

/// Reports whether any of the values has a path.
pub(super) fn has_path(values: &[&NameTree], path: &[ValuePathStep], patience: &LookupBudget) -> bool {
    !follow_path(values, path, patience).is_empty()
}

fn follow_path<'s>(
    values: &[&'s NameTree],
    path: &[ValuePathStep],
    patience: &LookupBudget,
) -> Vec<&'s NameTree> {
    path.iter().fold(values.to_vec(), |here, step| follow(&here, step, patience))
}

fn follow<'s>(here: &[&'s NameTree], step: &ValuePathStep, patience: &LookupBudget) -> Vec<&'s NameTree> {
    let mut next = Vec::new();
    if !patience.is_exhausted() {
        for shape in here {
            shape.follow(step, &mut next);
        }
        patience.spend(here.len().saturating_add(next.len()));
    }
    next
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use sealwave_core::document::{Origin, Sources};

    fn shape(json: &serde_json::Value) -> NameTree {
        NameTree::from_node(&Node::from_json(json, Origin::whole(Sources::default().add("values.yaml"))))
    }

    fn path(text: &str) -> Vec<ValuePathStep> {
        let to_step = |part| {
            if part == "*" { ValuePathStep::Item } else { ValuePathStep::Key(CompactString::from(part)) }
        };
        text.split('.').map(to_step).collect()
    }

    #[test]
    fn a_name_is_missing_only_if_no_value_can_have_it() {
        let (dev, prod) = (
            shape(
                &json!({"a": {"b": 1}, "e": {}, "n": null, "s": false, "l": [{"x": 1}, {"y": 2}], "m": {"k": {"z": 1}}}),
            ),
            shape(&json!({"a": {"c": 1}, "s": {"t": 1}, "l": []})),
        );
        let patience = LookupBudget::new();
        let missing = |text: &str| {
            find_missing(&[&dev, &prod], &path(text), &patience).map(|lack| (lack.step, lack.closest))
        };
        for known in [
            "a", "a.b", "a.c", "e.x", "n.x", "s.t", "s.u", "a.b.c", "l.*.y", "l.0.x", "l.9.y", "m.*.z", "l.x",
        ] {
            assert_eq!(missing(known), None, "{known}");
        }
        assert!(
            find_missing(&[], &path("a"), &patience).is_some()
                && find_missing(&[&shape(&json!({}))], &path("a"), &patience).is_some()
        );
        assert_eq!(missing("aa"), Some((0, Some("a".to_owned()))));
        assert_eq!(missing("a.d"), Some((1, Some("b".to_owned()))));
        assert_eq!(missing("l.*.zz"), Some((2, None)));
        assert_eq!(missing("m.*.zz"), Some((2, Some("z".to_owned()))));
        assert!(
            has_path(&[&dev], &path("l.*.y"), &patience)
                && !has_path(&[&dev], &path("a.c"), &patience)
                && !has_path(&[&dev], &path("e.x"), &patience)
        );
    }
}
