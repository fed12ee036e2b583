//! The differences between the objects of two renders.

use std::collections::{HashMap, VecDeque};

use sealwave_core::document::{Manifest, Node, NodeValue, ObjectId, Origin};
use sealwave_kube::schema::JsonPointer;

/// A difference in an object of the first render.
pub(super) struct Difference<'a> {
    /// Its position in the first render; of an object that is only in the second one, the start of the first.
    pub(super) at: Origin,
    pub(super) object: &'a Manifest,
    pub(super) pointer: JsonPointer,
    /// The last key of the pointer.
    pub(super) key: &'a str,
    pub(super) change: Change,
}

/// The kind of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The keys of a mapping differ.
    Keys,
    /// The name of the object differs.
    Name,
    /// The object is in only one render.
    Presence,
    /// The value differs.
    Value,
}

/// Returns the differences between the objects of two renders, in the order of the first one. Objects are the same if they
/// have the same identity.
pub(super) fn between<'a>(first: &'a [Manifest], second: &'a [Manifest]) -> Vec<Difference<'a>> {
    let mut others: HashMap<ObjectId, VecDeque<&'a Manifest>> = HashMap::with_capacity(second.len());
    for object in second {
        others.entry(object.id()).or_default().push_back(object);
    }
    let mut found = Vec::new();
    let mut unmatched = Vec::new();
    for object in first {
        match others.get_mut(&object.id()).and_then(VecDeque::pop_front) {
            Some(other) => {
                let mut comparison = Comparison { object, found: &mut found };
                comparison.compare(object.root(), other.root(), JsonPointer::default(), "");
            }
            None => unmatched.push(object),
        }
    }
    // The order of a map is arbitrary, that of the render is not.
    let mut left: HashMap<ObjectId, usize> =
        others.into_iter().map(|(id, objects)| (id, objects.len())).collect();
    let mut rest: Vec<&Manifest> = Vec::new();
    for object in second.iter().rev() {
        if let Some(count) = left.get_mut(&object.id()).filter(|count| **count > 0) {
            *count -= 1;
            rest.push(object);
        }
    }
    rest.reverse();
    for object in unmatched {
        let renamed = rest.iter().position(|other| other.is(object.group(), object.kind()));
        let change =
            if renamed.map(|at| rest.remove(at)).is_some() { Change::Name } else { Change::Presence };
        found.push(of_object(object, object.origin(), change));
    }
    // Its position in the second render has no meaning in the sources of the first one.
    let start = first.first().map(Manifest::origin);
    found.extend(rest.into_iter().filter_map(|object| Some(of_object(object, start?, Change::Presence))));
    found
}

fn of_object(object: &Manifest, at: Origin, change: Change) -> Difference<'_> {
    Difference { at, object, pointer: JsonPointer::default(), key: "name", change }
}

struct Comparison<'a, 'f> {
    object: &'a Manifest,
    found: &'f mut Vec<Difference<'a>>,
}

impl<'a> Comparison<'a, '_> {
    /// Compares two trees; the recursion is as deep as the parser allowed the trees to be.
    fn compare(&mut self, first: &'a Node, second: &Node, pointer: JsonPointer, key: &'a str) {
        if first == second {
            return;
        }
        match (&first.value, &second.value) {
            (NodeValue::Mapping(one), NodeValue::Mapping(other)) => {
                let is_shared = |name: &str| other.get(name).is_some();
                if one.len() != other.len() || !one.entries().iter().all(|entry| is_shared(&entry.key)) {
                    self.add(first, pointer.clone(), key, Change::Keys);
                }
                for entry in one.entries() {
                    let Some(value) = other.get(&entry.key) else { continue };
                    let mut inner = pointer.clone();
                    inner.push_key(&entry.key);
                    self.compare(&entry.value, value, inner, &entry.key);
                }
            }
            (NodeValue::Sequence(one), NodeValue::Sequence(other)) if one.len() == other.len() => {
                for (index, (item, value)) in one.iter().zip(other).enumerate() {
                    let mut inner = pointer.clone();
                    inner.push_index(index);
                    self.compare(item, value, inner, key);
                }
            }
            _ => self.add(first, pointer, key, Change::Value),
        }
    }

    fn add(&mut self, node: &Node, pointer: JsonPointer, key: &'a str, change: Change) {
        self.found.push(Difference { at: node.origin, object: self.object, pointer, key, change });
    }
}

#[cfg(test)]
mod tests {
    use sealwave_testkit::manifests;
    use serde_json::{Value, json};

    use super::*;

    fn object(kind: &str, name: &str, data: &Value) -> Value {
        json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "data": data})
    }

    /// Returns the differences as kind, name, pointer and change.
    fn found(first: &[Value], second: &[Value]) -> Vec<String> {
        let (first, second) = (manifests(first), manifests(second));
        let all = between(&first, &second);
        let shown = |one: &Difference<'_>| {
            format!("{} {} {} {:?}", one.object.kind(), one.object.name(), one.pointer, one.change)
        };
        all.iter().map(shown).collect()
    }

    #[test]
    fn each_field_that_differs_is_named() {
        let first = [object("Secret", "a", &json!({"x/y": "1", "same": "s", "list": [{"b": 1}, 2], "n": 1}))];
        let second =
            [object("Secret", "a", &json!({"x/y": "2", "same": "s", "list": [{"b": 2}, 2], "n": "1"}))];
        assert_eq!(
            found(&first, &second),
            ["Secret a /data/x~1y Value", "Secret a /data/list/0/b Value", "Secret a /data/n Value"]
        );
        assert_eq!(found(&first, &first), [""; 0]);
    }

    #[test]
    fn keys_and_lengths_that_differ_are_not_printed() {
        let first = [object("ConfigMap", "a", &json!({"k1": "1", "list": [1]}))];
        let second = [object("ConfigMap", "a", &json!({"k2": "1", "list": [1, 2]}))];
        assert_eq!(found(&first, &second), ["ConfigMap a /data Keys", "ConfigMap a /data/list Value"]);
    }

    #[test]
    fn names_that_differ_are_matched_by_kind() {
        let (one, two) = (object("Job", "j-1", &json!({})), object("Job", "j-2", &json!({})));
        let map = object("ConfigMap", "c", &json!({}));
        let name = found(&[one.clone(), map.clone()], &[map.clone(), two.clone()]);
        assert_eq!(name, ["Job j-1  Name"]);
        assert_eq!(
            found(std::slice::from_ref(&one), std::slice::from_ref(&map)),
            ["Job j-1  Presence", "ConfigMap c  Presence"]
        );
        assert_eq!(found(std::slice::from_ref(&map), &[map.clone(), two]), ["Job j-2  Presence"]);
        // Without objects, there is no position.
        assert_eq!(found(&[], &[one]), [""; 0]);
    }

    #[test]
    fn objects_with_one_identity_are_compared_in_order() {
        let of = |text: &str| object("ConfigMap", "a", &json!({"k": text}));
        assert_eq!(found(&[of("1"), of("2")], &[of("1"), of("3")]), ["ConfigMap a /data/k Value"]);
        assert_eq!(found(&[of("1"), of("2")], &[of("1")]), ["ConfigMap a  Presence"]);
    }
}
