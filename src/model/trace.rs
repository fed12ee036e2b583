//! The origin of each part of a text rendered from templates.

use std::ops::Range;
use std::sync::Arc;

use super::source::Origin;

/// A part of a template: text, or a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Element {
    /// Its origin; only the line if the rest is unknown.
    pub(crate) origin: Origin,
    /// For text, the byte range in the template's source that it writes.
    pub(crate) text: Option<Range<usize>>,
}

/// A part of the output that one element wrote; it extends to the start of the next one.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    /// Start in bytes of the rendered text.
    pub(crate) from: usize,
    /// The element that wrote it; `None` if unknown.
    pub(crate) element: Option<Arc<Element>>,
    /// The value that it prints.
    pub(crate) value: Option<Printed>,
}

/// A value that an element printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printed {
    /// Origin of the value.
    pub(crate) origin: Origin,
    /// True if the value contains other values.
    pub(crate) is_nested: bool,
    /// True if the whole value was printed, so that nested values reveal nothing more.
    pub(crate) is_whole: bool,
}
