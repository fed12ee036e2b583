//! Kinds that a flag selects.

use sealwave_core::document::Manifest;

/// Kinds as `Kind`, `version/Kind` or `group/version/Kind`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KindFilter(Vec<String>);

impl KindFilter {
    /// Creates a filter for kinds whose form was checked.
    #[must_use]
    pub const fn new(kinds: Vec<String>) -> Self {
        Self(kinds)
    }

    /// Reports whether no kind is selected.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reports whether an object's kind is selected.
    pub(super) fn selects(&self, object: &Manifest) -> bool {
        self.0.iter().any(|kind| match kind.rsplit_once('/') {
            None => kind == object.kind(),
            Some((api_version, kind)) => kind == object.kind() && api_version == object.api_version(),
        })
    }
}
