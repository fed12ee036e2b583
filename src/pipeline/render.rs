//! Third verb: templates, plain documents and patches become objects.

use crate::model::Manifest;

/// The objects of one environment; strings of Secrets may still hold placeholders.
pub struct Rendered {
    objects: Vec<Manifest>,
}

impl Rendered {
    /// The objects.
    #[must_use]
    pub fn objects(&self) -> &[Manifest] {
        &self.objects
    }

    pub(crate) fn into_objects(self) -> Vec<Manifest> {
        self.objects
    }

    #[cfg(test)]
    pub(crate) const fn for_tests(objects: Vec<Manifest>) -> Self {
        Self { objects }
    }
}
