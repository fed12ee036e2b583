//! The names that the values of all environments define. They show whether a name that is undefined in one environment
//! is a typo.
//!
//! They are read once per app, when the first such name appears. An unreadable file breaks only its own environment;
//! its names are then unknown. The same holds for files that are too large together.

use std::path::Path;

use super::files::FileReader;
use super::{ENVIRONMENTS, VALUES, values};
use crate::Discovery;
use crate::name_tree::NameTree;
use sealwave_core::document::Sources;
use sealwave_core::yaml::YamlBudget;

/// The maximum number of documents in all values files.
const MAX_DOCUMENTS: usize = 50_000;
/// The maximum memory for all values files. Their names are kept beside the values of the current environment.
const MAX_MEMORY: usize = 64 << 20;

/// The names that each values file defines.
#[derive(Debug)]
pub(crate) struct DefinedValues {
    layers: Vec<DefinedLayer>,
    /// The files that cannot be read, as messages name them.
    pub(crate) unreadable: Vec<String>,
}

#[derive(Debug)]
struct DefinedLayer {
    /// `None` for the values file of all environments.
    environment: Option<String>,
    shape: NameTree,
}

impl DefinedValues {
    pub(crate) fn read(discovery: &Discovery) -> Self {
        let mut reader = FileReader::with_budget(discovery, YamlBudget::new(MAX_DOCUMENTS, MAX_MEMORY));
        let mut all = Self { layers: Vec::new(), unreadable: Vec::new() };
        let own = discovery
            .environments()
            .map(|name| (Some(name), Path::new(ENVIRONMENTS).join(name).join(VALUES)));
        for (environment, file) in std::iter::once((None, VALUES.into())).chain(own) {
            if reader.budget().is_exhausted() {
                all.unreadable.push(discovery.name_of(&file));
                break;
            }
            match values::read_layer(&mut reader, &file, &mut Sources::default()) {
                Ok(Some(layer)) => all.layers.push(DefinedLayer {
                    environment: environment.map(str::to_owned),
                    shape: NameTree::from_node(&layer.values),
                }),
                Ok(None) => {}
                Err(_) => all.unreadable.push(discovery.name_of(&file)),
            }
        }
        all
    }

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
