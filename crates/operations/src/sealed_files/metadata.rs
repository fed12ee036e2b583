//! The mappings of an object that are not sealed and can be edited.

/// A mapping of texts in an object that is not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MetadataField {
    /// The annotations of the object.
    Annotations,
    /// The labels of the object.
    Labels,
    /// The annotations of the Secret that the controller creates.
    TemplateAnnotations,
    /// The labels of the Secret that the controller creates.
    TemplateLabels,
}

impl MetadataField {
    /// Returns the path of the mapping in the object.
    #[must_use]
    pub const fn path(self) -> &'static [&'static str] {
        match self {
            Self::Annotations => &["metadata", "annotations"],
            Self::Labels => &["metadata", "labels"],
            Self::TemplateAnnotations => &["spec", "template", "metadata", "annotations"],
            Self::TemplateLabels => &["spec", "template", "metadata", "labels"],
        }
    }
}
