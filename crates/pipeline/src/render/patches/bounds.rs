//! The limits of patches: their work, and the data that they add to objects. A patch may match every object, and `copy`
//! may double one.
//!
//! Every patch is charged here before it is applied. This module does not change objects.

use json_patch::PatchOperation;
use serde_json::Value as Json;

use sealwave_core::document::{Node, NodeValue};

/// The maximum number of operations of a patch.
pub(super) const MAX_OPERATIONS: usize = 1_000;
/// The maximum number of nodes of an object while it is patched.
const MAX_NODES: usize = 200_000;
/// The maximum size of the keys and texts of an object while it is patched.
const MAX_BYTES: usize = 16 << 20;
/// The maximum depth of an object while it is patched.
const MAX_DEPTH: usize = 128;
/// The maximum number of bytes that all patches of an environment may add to its objects.
pub(super) const MAX_ADDED: usize = 48 << 20;
/// The maximum number of nodes that they may add.
const MAX_ADDED_NODES: usize = 1_000_000;
/// The maximum number of work units for all patches of an environment: one per object that is compared with a target,
/// one per visited node, and one per 64 bytes of its text. Real environments need some ten thousand.
const MAX_WORK: usize = 10_000_000;

/// A limit that was exceeded.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PatchLimit {
    /// All patches together add too much.
    Added,
    /// An object becomes too large or too deep.
    Object,
    /// All patches together take too many steps.
    Work,
}

/// The size of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ValueSize {
    pub(super) nodes: usize,
    pub(super) bytes: usize,
    pub(super) height: usize,
}

impl ValueSize {
    pub fn from_json(value: &Json) -> Self {
        match value {
            Json::Array(items) => items.iter().map(Self::from_json).fold(Self::ONE, Self::around),
            Json::Object(fields) => fields
                .iter()
                .map(|(key, field)| Self::from_json(field).keyed(key))
                .fold(Self::ONE, Self::around),
            Json::String(text) => Self { bytes: text.len(), ..Self::ONE },
            Json::Bool(_) | Json::Null | Json::Number(_) => Self::ONE,
        }
    }

    /// Returns the size of a tree.
    fn of_node(node: &Node) -> Self {
        match &node.value {
            NodeValue::Sequence(items) => items.iter().map(Self::of_node).fold(Self::ONE, Self::around),
            NodeValue::Mapping(mapping) => {
                let fields = mapping.entries().iter();
                fields
                    .map(|entry| Self::of_node(&entry.value).keyed(&entry.key))
                    .fold(Self::ONE, Self::around)
            }
            NodeValue::String(text) => Self { bytes: text.len(), ..Self::ONE },
            NodeValue::Bool(_) | NodeValue::Null | NodeValue::Number(_) => Self::ONE,
        }
    }

    const ONE: Self = Self { nodes: 1, bytes: 0, height: 1 };

    const fn keyed(self, key: &str) -> Self {
        Self { bytes: self.bytes.saturating_add(key.len()), ..self }
    }

    fn around(self, inner: Self) -> Self {
        Self {
            nodes: self.nodes.saturating_add(inner.nodes),
            bytes: self.bytes.saturating_add(inner.bytes),
            height: self.height.max(inner.height.saturating_add(1)),
        }
    }

    const fn work(self) -> usize {
        self.nodes.saturating_add(self.bytes / 64)
    }
}

/// The remaining budget of all patches of an environment.
#[derive(Debug)]
pub(super) struct PatchBudget {
    work: usize,
    bytes: usize,
    nodes: usize,
}

impl Default for PatchBudget {
    fn default() -> Self {
        Self { work: MAX_WORK, bytes: MAX_ADDED, nodes: MAX_ADDED_NODES }
    }
}

impl PatchBudget {
    /// Charges for comparing this many objects with a target.
    pub(super) fn compare(&mut self, objects: usize) -> Result<(), PatchLimit> {
        self.work = self.work.checked_sub(objects).ok_or(PatchLimit::Work)?;
        Ok(())
    }

    /// Charges for visiting a value, and returns its size.
    pub(super) fn measure(&mut self, value: &Json) -> Result<ValueSize, PatchLimit> {
        let extent = ValueSize::from_json(value);
        self.compare(extent.work())?;
        Ok(extent)
    }

    /// Returns the work units used.
    #[cfg(test)]
    pub(super) const fn used(&self) -> usize {
        MAX_WORK - self.work
    }

    /// Charges for a value that is added to an object.
    pub(super) fn add(&mut self, value: ValueSize) -> Result<(), PatchLimit> {
        self.compare(value.work())?;
        self.bytes = self.bytes.checked_sub(value.bytes).ok_or(PatchLimit::Added)?;
        self.nodes = self.nodes.checked_sub(value.nodes).ok_or(PatchLimit::Added)?;
        Ok(())
    }
}

/// The maximum size of an object while it is patched. Removals are subtracted only when the limit is reached.
pub(super) struct ObjectGrowth {
    most: ValueSize,
}

impl ObjectGrowth {
    pub(super) fn new(object: &Json, bounds: &mut PatchBudget) -> Result<Self, PatchLimit> {
        Ok(Self { most: bounds.measure(object)? })
    }

    /// Charges for what an operation adds, before it is applied.
    pub(super) fn reserve(
        &mut self,
        object: &Json,
        operation: &PatchOperation,
        bounds: &mut PatchBudget,
    ) -> Result<(), PatchLimit> {
        let added = match operation {
            PatchOperation::Add(add) => ValueSize::from_json(&add.value),
            PatchOperation::Replace(replace) => ValueSize::from_json(&replace.value),
            // A missing path is reported by the operation itself.
            PatchOperation::Copy(copy) => {
                object.pointer(copy.from.as_str()).map(ValueSize::from_json).unwrap_or_default()
            }
            PatchOperation::Move(_) | PatchOperation::Remove(_) | PatchOperation::Test(_) => {
                ValueSize::default()
            }
        };
        bounds.add(added)?;
        let depth = operation.path().tokens().count();
        if depth.saturating_add(added.height) > MAX_DEPTH {
            return Err(PatchLimit::Object);
        }
        self.grow(object, added, bounds)
    }

    fn grow(&mut self, object: &Json, added: ValueSize, bounds: &mut PatchBudget) -> Result<(), PatchLimit> {
        let is_within = |extent: ValueSize| extent.nodes <= MAX_NODES && extent.bytes <= MAX_BYTES;
        if !is_within(self.most.around(added)) {
            self.most = bounds.measure(object)?;
        }
        self.most = self.most.around(added);
        if is_within(self.most) { Ok(()) } else { Err(PatchLimit::Object) }
    }
}

/// Charges for merging a patch into an object, and refuses a result that may be too large or too deep.
pub(super) fn reserve_merge(object: &Node, patch: &Node, bounds: &mut PatchBudget) -> Result<(), PatchLimit> {
    let added = ValueSize::of_node(patch);
    bounds.add(added)?;
    let own = ValueSize::of_node(object);
    bounds.compare(own.work())?;
    let most = own.around(added);
    let fits = added.height <= MAX_DEPTH && most.nodes <= MAX_NODES && most.bytes <= MAX_BYTES;
    if fits { Ok(()) } else { Err(PatchLimit::Object) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn operation(json: Json) -> PatchOperation {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn copying_a_value_into_itself_is_limited() {
        let mut object = json!({"a": [[1, 2, 3], 4]});
        let copy = operation(json!({"op": "copy", "from": "/a", "path": "/a/-"}));
        let mut bounds = PatchBudget::default();
        let mut growing = ObjectGrowth::new(&object, &mut bounds).unwrap();
        let error = (0..100).find_map(|_| {
            let refused = growing.reserve(&object, &copy, &mut bounds).err();
            json_patch::patch_unsafe(&mut object, std::slice::from_ref(&copy)).unwrap();
            refused
        });
        assert_eq!(error, Some(PatchLimit::Object));
    }

    #[test]
    fn added_values_are_charged_in_advance() {
        let object = json!({"a": "x".repeat(6 << 20)});
        let copy = operation(json!({"op": "copy", "from": "/a", "path": "/b"}));
        let mut bounds = PatchBudget::default();
        let mut growing = ObjectGrowth::new(&object, &mut bounds).unwrap();
        assert_eq!(growing.reserve(&object, &copy, &mut bounds), Ok(()));
        // The object did not grow, since nothing was copied, so it is measured again.
        assert_eq!(growing.reserve(&object, &copy, &mut bounds), Ok(()));
        let all = (0..20).find_map(|_| growing.reserve(&object, &copy, &mut bounds).err());
        assert_eq!(all, Some(PatchLimit::Added));
        let large = json!({"a": "x".repeat(9 << 20)});
        let mut growing = ObjectGrowth::new(&large, &mut PatchBudget::default()).unwrap();
        assert_eq!(growing.reserve(&large, &copy, &mut PatchBudget::default()), Err(PatchLimit::Object));
    }

    #[test]
    fn visiting_many_objects_is_charged() {
        let mut bounds = PatchBudget::default();
        let object = json!({"data": {"a": "b"}});
        let looks = (0..MAX_WORK).find(|_| bounds.measure(&object).is_err()).unwrap();
        assert_eq!(looks, MAX_WORK / 3);
        assert_eq!(bounds.compare(MAX_WORK), Err(PatchLimit::Work));
    }
}
