//! The annotations that this stage writes.

use sealwave_kube::catalog::ObjectIndex;

/// An annotation to be written.
pub(super) struct AnnotationEdit {
    /// The index of the object.
    pub(super) object: ObjectIndex,
    /// The path to the node that holds `metadata`; empty for the object itself.
    pub(super) path: Vec<String>,
    pub(super) annotation: &'static str,
    pub(super) text: String,
    /// Whether the text extends the author's text, so that nothing is lost.
    pub(super) extends: bool,
}

impl AnnotationEdit {
    /// Creates an edit of the object's own annotations.
    pub(super) const fn new(object: ObjectIndex, annotation: &'static str, text: String) -> Self {
        Self { object, path: Vec::new(), annotation, text, extends: false }
    }
}
