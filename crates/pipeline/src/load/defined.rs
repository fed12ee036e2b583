//! Reads the names that the values of all environments define.
//!
//! They are read once per app, when the first such name appears. An unreadable file breaks only its own environment;
//! its names are then unknown. The same holds for files that are too large together.

use std::path::Path;

use super::files::FileReader;
use super::values::{self, VALUES};
use crate::defined_values::{DefinedLayer, DefinedValues};
use crate::discover::{Discovery, ENVIRONMENTS};
use crate::name_tree::NameTree;
use sealwave_core::document::Sources;
use sealwave_core::yaml::YamlBudget;

/// The maximum number of documents in all values files.
const MAX_DOCUMENTS: usize = 50_000;
/// The maximum memory for all values files. Their names are kept beside the values of the current environment.
const MAX_MEMORY: usize = 64 << 20;

/// Returns the names that the values of all environments define, reading the values at the first call.
pub(crate) fn defined_values(discovery: &Discovery) -> &DefinedValues {
    discovery.defined_values(|| read(discovery))
}

fn read(discovery: &Discovery) -> DefinedValues {
    let mut reader = FileReader::with_budget(discovery, YamlBudget::new(MAX_DOCUMENTS, MAX_MEMORY));
    let mut all = DefinedValues { layers: Vec::new(), unreadable: Vec::new() };
    let own =
        discovery.environments().map(|name| (Some(name), Path::new(ENVIRONMENTS).join(name).join(VALUES)));
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
