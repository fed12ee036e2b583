//! What a run of `validate` looks at, and what it writes: targets, changes in Git, definitions in a repository.

mod changes;
mod definitions;
mod kinds;
mod names;
mod nearby;
mod readable;
mod root;
mod shelf;
mod targets;
mod walk;
mod written;

pub use definitions::{Definitions, Found, definitions, definitions_in, named_definitions, stays_within};
pub use kinds::kinds;
pub use names::shown;
pub use nearby::{Library, Nearby};
pub use readable::Readable;
pub use root::from_root;
pub use targets::{Target, Targets};
pub use written::{Written, WrittenPaths};
