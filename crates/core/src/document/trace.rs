//! What wrote which part of a text that templates rendered to.

use std::ops::Range;
use std::sync::Arc;

use super::source::Origin;

/// A part of a template: text, or a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Where it stands; only its line where the rest is not known.
    pub origin: Origin,
    /// The bytes of the template's text that it writes, where it is text.
    pub text: Option<Range<usize>>,
}

/// What one element wrote in one go: up to where the next stretch starts.
#[derive(Clone, Debug)]
pub struct Stretch {
    /// Where it starts, in bytes of the rendered text.
    pub from: usize,
    /// What wrote it; none where that was not noted.
    pub element: Option<Arc<Element>>,
    /// The entry of the values that it prints.
    pub value: Option<Printed>,
}

/// An entry of the values that an element printed.
#[derive(Clone, Copy, Debug)]
pub struct Printed {
    /// Where it stands.
    pub origin: Origin,
    /// Whether there are entries in it.
    pub is_nested: bool,
    /// Whether all of it was printed, so that what is there shows no more.
    pub is_whole: bool,
}
