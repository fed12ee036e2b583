//! The way from an object's root to a value, kept on the stack: it becomes text only where something is wrong.

use super::violation::Pointer;

/// A step and all before it.
#[derive(Clone, Copy)]
pub(super) struct Path<'p> {
    parent: Option<&'p Self>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Index(usize),
    Key(&'p str),
    Root,
}

impl<'p> Path<'p> {
    pub(super) const ROOT: Self = Self { parent: None, step: Step::Root };

    pub(super) const fn key(&'p self, key: &'p str) -> Self {
        Self { parent: Some(self), step: Step::Key(key) }
    }

    pub(super) const fn index(&'p self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }

    /// Returns the name of the field; of an item, that of its list.
    pub(super) fn field(&self) -> &str {
        match (self.step, self.parent) {
            (Step::Key(key), _) => key,
            (Step::Index(_), Some(parent)) => parent.field(),
            (Step::Index(_), None) | (Step::Root, _) => "",
        }
    }

    pub(super) fn pointer(&self) -> Pointer {
        let mut steps = Vec::new();
        let mut path = Some(self);
        while let Some(at) = path {
            steps.push(at.step);
            path = at.parent;
        }
        let mut pointer = Pointer::default();
        for step in steps.into_iter().rev() {
            match step {
                Step::Index(index) => pointer.push_index(index),
                Step::Key(key) => pointer.push_key(key),
                Step::Root => {}
            }
        }
        pointer
    }
}
