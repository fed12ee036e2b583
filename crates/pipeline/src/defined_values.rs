//! The names that the values of all environments define. They show whether a name that is undefined in one environment
//! is a typo.

use crate::name_tree::NameTree;

/// The names that each values file defines.
#[derive(Debug)]
pub(crate) struct DefinedValues {
    pub(crate) layers: Vec<DefinedLayer>,
    /// The files that cannot be read, as messages name them.
    pub(crate) unreadable: Vec<String>,
}

/// The names that one values file defines.
#[derive(Debug)]
pub(crate) struct DefinedLayer {
    /// `None` for the values file of all environments.
    pub(crate) environment: Option<String>,
    pub(crate) shape: NameTree,
}

impl DefinedValues {
    /// Returns the names of all files.
    pub(crate) fn all(&self) -> Vec<&NameTree> {
        self.layers.iter().map(|layer| &layer.shape).collect()
    }

    /// Returns the names of all files except those of one environment.
    pub(crate) fn except(&self, environment: &str) -> Vec<&NameTree> {
        let others = self.layers.iter().filter(|layer| layer.environment.as_deref() != Some(environment));
        others.map(|layer| &layer.shape).collect()
    }
}
