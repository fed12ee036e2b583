//! A set of plain manifests.

/// Files of plain manifests whose objects may refer to each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManifestSet {
    /// The name for messages: the directory that it starts at.
    pub name: String,
    /// The indices of its files, in order.
    pub files: Vec<usize>,
    /// Kinds and names of objects that Kustomize generates.
    pub generated: Vec<(&'static str, String)>,
    /// Whether a kustomization or Flux builds it.
    pub is_build: bool,
}
