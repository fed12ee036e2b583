//! The origin of each part of a text rendered from templates.

use std::ops::Range;
use std::sync::Arc;

use super::source::Origin;

/// A part of a template: text, or a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateNode {
    /// Its origin; only the line if the rest is unknown.
    pub origin: Origin,
    /// For text, the byte range in the template's source that it writes.
    pub text: Option<Range<usize>>,
}

/// A part of the output that one element wrote; it extends to the start of the next one.
#[derive(Clone, Debug)]
pub struct OutputSpan {
    /// Start in bytes of the rendered text.
    pub start: usize,
    /// The element that wrote it; `None` if unknown.
    pub element: Option<Arc<TemplateNode>>,
    /// The value that it prints.
    pub value: Option<ValueRef>,
}

/// A value that an element printed.
#[derive(Clone, Copy, Debug)]
pub struct ValueRef {
    /// Origin of the value.
    pub origin: Origin,
    /// True if the value contains other values.
    pub is_nested: bool,
    /// True if the whole value was printed, so that nested values reveal nothing more.
    pub is_whole: bool,
}
