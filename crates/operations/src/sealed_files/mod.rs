//! Files of committed manifests with SealedSecrets: read with positions, and edited without touching anything else.
//!
//! | file | holds |
//! |---|---|
//! | `file` | [`SealedFile`]: the SealedSecrets of a file, in any form that Kubernetes reads |
//! | `editor` | [`SealedFileEditor`]: the wanted changes, and the proof that nothing else changed |
//! | `entries` | the text of new entries of a mapping |
//! | `metadata` | [`MetadataField`]: annotations and labels that can be edited |
//! | `trees` | the nodes of objects |
//! | `scalars` | the text of a replaced scalar |
//! | `error` | the reasons why a file cannot be read or edited |
//!
//! An edit replaces or inserts bytes at the places of the [layout](sealwave_core::yaml::read_layout). The result is read again and
//! compared with the wanted trees, so a misplaced byte is an error and never a changed file. Ciphertexts are public, but messages
//! do not quote them. This module does no I/O.

mod editor;
mod entries;
mod error;
mod file;
#[cfg(test)]
mod layout_tests;
mod metadata;
mod scalars;
#[cfg(test)]
mod tests;
mod trees;

pub use editor::SealedFileEditor;
pub(crate) use error::OLD_FORM_HINT;
pub use error::{SealedFileError, SealedFileFault};
pub use file::{SealedFile, SealedItem, SealedObject, compact_ciphertext};
pub use metadata::MetadataField;
