//! The input of a run of `validate`, and the files that it writes: targets, changes in Git, definitions in a repository.

mod changes;
mod charts;
mod checked_inputs;
mod crd_index;
mod crd_resolver;
mod definitions;
mod earlier;
mod excludes;
mod git;
mod kinds;
mod names;
mod output_paths;
mod paths;
mod readable;
mod root;
mod sets;
mod targets;
mod walk;

pub use checked_inputs::CheckedInputs;
pub use crd_resolver::{CrdCache, CrdResolver};
pub use definitions::{
    LoadedDefinitions, ScannedDefinitions, ensure_within, load_definitions, load_named_definitions,
    scan_definitions,
};
pub use earlier::EarlierApp;
pub use excludes::{ExcludeError, Excludes};
pub use kinds::parse_kinds;
pub use names::shown;
pub use output_paths::{OutputPaths, WrittenPaths};
pub use readable::ReadableFiles;
pub use root::{RootNames, from_root};
pub use sets::{ManifestSet, ManifestSets, SetGlobs};
pub use targets::{TargetSearch, ValidateTarget, ValidateTargets};
