//! The path from an object's root to a value, kept on the stack and converted to text only for a violation.

use super::pointer::JsonPointer;

/// A step with all steps before it.
#[derive(Clone, Copy)]
pub(super) struct ValuePath<'p> {
    parent: Option<&'p Self>,
    step: ValueStep<'p>,
}

#[derive(Clone, Copy)]
enum ValueStep<'p> {
    Index(usize),
    Key(&'p str),
    Root,
}

impl<'p> ValuePath<'p> {
    pub(super) const ROOT: Self = Self { parent: None, step: ValueStep::Root };

    pub(super) const fn key(&'p self, key: &'p str) -> Self {
        Self { parent: Some(self), step: ValueStep::Key(key) }
    }

    pub(super) const fn index(&'p self, index: usize) -> Self {
        Self { parent: Some(self), step: ValueStep::Index(index) }
    }

    /// Returns the name of the field, or the list's name for an item.
    pub(super) fn field(&self) -> &str {
        match (self.step, self.parent) {
            (ValueStep::Key(key), _) => key,
            (ValueStep::Index(_), Some(parent)) => parent.field(),
            (ValueStep::Index(_), None) | (ValueStep::Root, _) => "",
        }
    }

    pub(super) fn pointer(&self) -> JsonPointer {
        let mut steps = Vec::new();
        let mut path = Some(self);
        while let Some(at) = path {
            steps.push(at.step);
            path = at.parent;
        }
        let mut pointer = JsonPointer::default();
        for step in steps.into_iter().rev() {
            match step {
                ValueStep::Index(index) => pointer.push_index(index),
                ValueStep::Key(key) => pointer.push_key(key),
                ValueStep::Root => {}
            }
        }
        pointer
    }
}
