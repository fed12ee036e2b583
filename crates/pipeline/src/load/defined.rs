//! What the values of all environments define: whether a name that is not defined in one is a slip, the others tell.
//!
//! They are read when the first such name appears, once for an app. A file that cannot be read breaks its own environment
//! and no other; what it defines is then unknown. So is what is in files that are too large together.

use std::path::Path;

use super::files::Reader;
use super::{ENVIRONMENTS, VALUES, values};
use crate::Discovery;
use crate::shape::Shape;
use sealwave_core::document::Sources;
use sealwave_core::yaml::Budget;

/// Documents of all files of values together.
const MAX_DOCUMENTS: usize = 50_000;
/// Bytes of memory that the files take together: their names are kept beside the values of the environment at hand.
const MAX_MEMORY: usize = 64 << 20;

/// What each file of values defines.
#[derive(Debug)]
pub(crate) struct DefinedValues {
    layers: Vec<Layer>,
    /// The files that cannot be read, as messages name them.
    pub(crate) unreadable: Vec<String>,
}

#[derive(Debug)]
struct Layer {
    /// `None` where it is the file of all environments.
    environment: Option<String>,
    shape: Shape,
}

impl DefinedValues {
    pub(crate) fn read(discovery: &Discovery) -> Self {
        let mut reader = Reader::within(discovery, Budget::new(MAX_DOCUMENTS, MAX_MEMORY));
        let mut all = Self { layers: Vec::new(), unreadable: Vec::new() };
        let own = discovery
            .environments()
            .map(|name| (Some(name), Path::new(ENVIRONMENTS).join(name).join(VALUES)));
        for (environment, file) in std::iter::once((None, VALUES.into())).chain(own) {
            if reader.budget().is_exhausted() {
                all.unreadable.push(discovery.name_of(&file));
                break;
            }
            match values::layer(&mut reader, &file, &mut Sources::default()) {
                Ok(Some(layer)) => all.layers.push(Layer {
                    environment: environment.map(str::to_owned),
                    shape: Shape::of(&layer.values),
                }),
                Ok(None) => {}
                Err(_) => all.unreadable.push(discovery.name_of(&file)),
            }
        }
        all
    }

    /// What all files define.
    pub(crate) fn all(&self) -> Vec<&Shape> {
        self.layers.iter().map(|layer| &layer.shape).collect()
    }

    /// What all files define but that of one environment.
    pub(crate) fn without(&self, environment: &str) -> Vec<&Shape> {
        let others = self.layers.iter().filter(|layer| layer.environment.as_deref() != Some(environment));
        others.map(|layer| &layer.shape).collect()
    }
}
