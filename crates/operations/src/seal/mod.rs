//! Seals Secrets for files that are committed, as kubeseal does.
//!
//! | file | holds |
//! |---|---|
//! | `values` | values of flags, which become a Secret |
//! | `value_notes` | notes about them |
//! | `directory` | directories whose files are items |
//! | `target` | name, namespace and scope of flags |
//! | `merge` | items that are added to a committed SealedSecret |
//! | `replaced` | the file that is replaced by the output |
//! | `other_keys` | the keys of items that stay |
//! | `naming` | the name of a Secret in messages |
//! | `error` | reasons why an input cannot be sealed |
//!
//! The pipeline checks and seals the Secrets; nothing here seals. Input is refused as a whole: a document that cannot be read
//! is never skipped.

mod directory;
mod error;
mod merge;
mod naming;
mod other_keys;
mod replaced;
mod target;
mod value_notes;
mod values;

use crate::documents::ManifestInput;
use sealwave_core::diagnostic::{Failure, Note};
use sealwave_core::document::{Manifest, Sources};
use sealwave_pipeline::{CommitPlan, SealedApp, has_placeholders, seal_for_commit};

pub use error::SealInputError;
#[cfg(feature = "aws")]
pub(crate) use merge::new_claim;
pub use merge::{MergeTarget, MergedFile, SelectedObject};
pub use replaced::{ReplaceError, check_replaced_file};
pub use target::SealTarget;
use target::SecretOrigin;
pub use values::{SecretItems, ValueFlags};

/// Secrets in plaintext, with their places. They cannot be printed.
pub struct PlainSecrets {
    sources: Sources,
    objects: Vec<Manifest>,
}

impl PlainSecrets {
    /// Reads the Secrets of an input.
    ///
    /// # Errors
    /// All documents that cannot be read, or do not fit the target.
    pub fn read(input: &ManifestInput, target: &SealTarget) -> Result<Self, Failure> {
        let mut sources = Sources::default();
        let read = input.objects(sources.add(input.name()));
        let objects = read.and_then(|roots| target.apply_to_all(roots, SecretOrigin::Input));
        let objects = objects.map_err(|failure| failure.located(&sources))?;
        Ok(Self { sources, objects })
    }

    /// Creates a Secret from values of flags.
    ///
    /// # Errors
    /// The target does not name a Secret.
    pub fn from_values(items: &SecretItems, target: &SealTarget) -> Result<Self, Failure> {
        let mut sources = Sources::default();
        let root = items.secret(sources.add("command line"), target.secret_type.as_deref());
        let objects = target
            .apply_to_all(vec![root], SecretOrigin::Values)
            .map_err(|failure| failure.located(&sources))?;
        Ok(Self { sources, objects })
    }

    /// Reads the Secrets whose items are merged into a file, and selects the SealedSecret of each.
    ///
    /// # Errors
    /// All documents that cannot be read, or do not fit a SealedSecret of the file.
    pub fn read_for_merge<'f>(
        input: &ManifestInput,
        flags: &SealTarget,
        into: &'f MergeTarget,
        notes: &mut Vec<Note>,
    ) -> Result<(Self, Vec<SelectedObject<'f>>), Failure> {
        let mut sources = Sources::default();
        let read = input.objects(sources.add(input.name()));
        let fitted = read.and_then(|roots| into.fit_all(roots, flags, notes));
        let (objects, selected) = fitted.map_err(|failure| failure.located(&sources))?;
        Ok((Self { sources, objects }, selected))
    }

    /// Reports whether an item has a placeholder, whose value must be fetched.
    #[must_use]
    pub fn has_placeholders(&self) -> bool {
        has_placeholders(&self.objects)
    }

    /// Turns each Secret into a SealedSecret.
    ///
    /// # Errors
    /// All objects that are not Secrets or cannot be sealed, with their places.
    pub fn seal(self, plan: CommitPlan<'_>, notes: &mut Vec<Note>) -> Result<SealedApp, Failure> {
        seal_for_commit(self.objects, plan, &self.sources, notes)
    }
}

/// Returns the sealed text of the only item, for `--raw`.
#[must_use]
pub fn only_item(sealed: &SealedApp) -> Option<&str> {
    match sealed.objects().first()?.root().entries_at(&["spec", "encryptedData"]) {
        [item] => item.value.as_str(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
