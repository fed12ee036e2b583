//! What values define, without what they are: names, and paths to them.

use std::cell::Cell;

use compact_str::CompactString;

use sealwave_core::document::{Node, Value};
use sealwave_core::text::closest;

/// One step of a path into values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PathStep {
    /// Some item of a list, or some entry of a mapping: that of a loop.
    Item,
    Key(CompactString),
}

/// The names that a value defines.
#[derive(Debug)]
pub(super) enum Shape {
    List(Vec<Self>),
    /// Sorted by name; hostile values have many small mappings, so it is no larger than it must be.
    Map(Box<[(CompactString, Self)]>),
    /// Null: it defines nothing.
    Nothing,
    Scalar,
}

/// A path that no value has.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lack {
    /// The step that leads nowhere.
    pub(super) step: usize,
    /// The known name that is nearest to it.
    pub(super) closest: Option<String>,
}

impl Shape {
    /// The names of a tree.
    pub fn of(node: &Node) -> Self {
        match &node.value {
            Value::Mapping(mapping) => {
                let entries = mapping.entries().iter();
                let mut fields: Box<[(CompactString, Self)]> =
                    entries.map(|entry| (entry.key.clone(), Self::of(&entry.value))).collect();
                fields.sort_by(|(a, _), (b, _)| a.cmp(b));
                Self::Map(fields)
            }
            Value::Null => Self::Nothing,
            Value::Sequence(items) => {
                let mut shapes: Vec<Self> = Vec::new();
                for item in items {
                    let shape = Self::of(item);
                    // One scalar says as much as many.
                    let is_known = shape.is_scalar() && shapes.last().is_some_and(Self::is_scalar);
                    if !is_known {
                        shapes.push(shape);
                    }
                }
                shapes.shrink_to_fit();
                Self::List(shapes)
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) => Self::Scalar,
        }
    }

    const fn is_scalar(&self) -> bool {
        matches!(self, Self::Scalar)
    }

    fn after<'s>(&'s self, step: &PathStep, found: &mut Vec<&'s Self>) {
        match (self, step) {
            (Self::List(items), PathStep::Item) => found.extend(items),
            (Self::List(items), PathStep::Key(key)) if is_index(key) => found.extend(items),
            (Self::Map(fields), PathStep::Item) => found.extend(fields.iter().map(|(_, field)| field)),
            (Self::Map(fields), PathStep::Key(key)) => {
                let at = fields.binary_search_by(|(name, _)| name.cmp(key)).ok();
                found.extend(at.and_then(|at| fields.get(at)).map(|(_, field)| field));
            }
            _ => {}
        }
    }

    /// Whether it is a value in which a step of this kind has nothing to find, so that nothing can be said of it.
    fn is_closed_to(&self, step: &PathStep) -> bool {
        match (self, step) {
            (Self::Scalar, _) => true,
            (Self::List(_), PathStep::Key(key)) => !is_index(key),
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

/// Whether a key is the number of an item.
pub(super) fn is_index(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit())
}

/// How many values may still be looked at; hostile ones are large, and asked about many names.
#[derive(Debug)]
pub(super) struct Patience(Cell<usize>);

impl Patience {
    /// Values that are looked at for one environment; real ones need some thousand.
    const MAX: usize = 5_000_000;

    pub(super) const fn new() -> Self {
        Self(Cell::new(Self::MAX))
    }

    /// Whether no more is looked at, so that what was said last is not certain.
    pub(super) const fn is_over(&self) -> bool {
        self.0.get() == 0
    }

    /// Takes this many values off.
    pub(super) fn spend(&self, values: usize) {
        self.0.set(self.0.get().saturating_sub(values));
    }
}

/// Where a path leads nowhere in all of these values; `None` where one has it.
///
/// A collection in the values that is empty everywhere may hold anything, and so may a value that is a scalar somewhere.
pub(super) fn lack(values: &[&Shape], path: &[PathStep], patience: &Patience) -> Option<Lack> {
    let mut here = values.to_vec();
    for (number, step) in path.iter().enumerate() {
        let next = after(&here, step, patience);
        if next.is_empty() {
            patience.spend(here.len());
            let is_open = here.iter().any(|shape| shape.is_closed_to(step))
                || number > 0 && !here.iter().any(|shape| shape.has_names());
            let name = if let PathStep::Key(name) = step { name.as_str() } else { "" };
            if is_open {
                return None;
            }
            let known: Vec<&str> = here.iter().flat_map(|shape| shape.names()).collect();
            patience.spend(known.len().saturating_mul(4));
            return Some(Lack { step: number, closest: closest(name, known).map(str::to_owned) });
        }
        here = next;
    }
    None
}

/// The names at the end of a path.
pub(super) fn names_at(values: &[&Shape], path: &[PathStep], patience: &Patience) -> Vec<String> {
    reached(values, path, patience).iter().flat_map(|shape| shape.names()).map(str::to_owned).collect()
}

/// Whether some of these values has a path.
pub(super) fn has(values: &[&Shape], path: &[PathStep], patience: &Patience) -> bool {
    !reached(values, path, patience).is_empty()
}

fn reached<'s>(values: &[&'s Shape], path: &[PathStep], patience: &Patience) -> Vec<&'s Shape> {
    path.iter().fold(values.to_vec(), |here, step| after(&here, step, patience))
}

fn after<'s>(here: &[&'s Shape], step: &PathStep, patience: &Patience) -> Vec<&'s Shape> {
    let mut next = Vec::new();
    if !patience.is_over() {
        for shape in here {
            shape.after(step, &mut next);
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

    fn shape(json: &serde_json::Value) -> Shape {
        Shape::of(&Node::from_json(json, Origin::whole(Sources::default().add("values.yaml"))))
    }

    fn path(text: &str) -> Vec<PathStep> {
        let step = |part| if part == "*" { PathStep::Item } else { PathStep::Key(CompactString::from(part)) };
        text.split('.').map(step).collect()
    }

    #[test]
    fn a_name_is_lacking_only_where_no_value_may_have_it() {
        let (dev, prod) = (
            shape(
                &json!({"a": {"b": 1}, "e": {}, "n": null, "s": false, "l": [{"x": 1}, {"y": 2}], "m": {"k": {"z": 1}}}),
            ),
            shape(&json!({"a": {"c": 1}, "s": {"t": 1}, "l": []})),
        );
        let patience = Patience::new();
        let of =
            |text: &str| lack(&[&dev, &prod], &path(text), &patience).map(|lack| (lack.step, lack.closest));
        for known in [
            "a", "a.b", "a.c", "e.x", "n.x", "s.t", "s.u", "a.b.c", "l.*.y", "l.0.x", "l.9.y", "m.*.z", "l.x",
        ] {
            assert_eq!(of(known), None, "{known}");
        }
        assert!(
            lack(&[], &path("a"), &patience).is_some()
                && lack(&[&shape(&json!({}))], &path("a"), &patience).is_some()
        );
        assert_eq!(of("aa"), Some((0, Some("a".to_owned()))));
        assert_eq!(of("a.d"), Some((1, Some("b".to_owned()))));
        assert_eq!(of("l.*.zz"), Some((2, None)));
        assert_eq!(of("m.*.zz"), Some((2, Some("z".to_owned()))));
        assert!(
            has(&[&dev], &path("l.*.y"), &patience)
                && !has(&[&dev], &path("a.c"), &patience)
                && !has(&[&dev], &path("e.x"), &patience)
        );
    }
}
