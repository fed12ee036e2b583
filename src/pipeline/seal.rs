//! Fourth verb: every Secret becomes an object that is safe to store.
//!
//! [`Sealed`] is the only type that [`super::emit()`] prints. Its fields are private to this file.

use std::collections::BTreeMap;

use compact_str::CompactString;

use crate::crypto::Digest;
use crate::model::Manifest;

/// Objects that are safe to print, and the keyed digests of the values that went into them.
///
/// ```compile_fail
/// let forged = sealwave::pipeline::Sealed { objects: Vec::new(), secrets: Default::default() };
/// ```
pub struct Sealed {
    objects: Vec<Manifest>,
    secrets: SecretDigests,
}

/// Digest of each item of each Secret that was sealed: (namespace, name) → item key → digest.
pub(crate) type SecretDigests = BTreeMap<(CompactString, CompactString), BTreeMap<CompactString, Digest>>;

impl Sealed {
    /// The objects.
    #[must_use]
    pub fn objects(&self) -> &[Manifest] {
        &self.objects
    }

    pub(crate) const fn secrets(&self) -> &SecretDigests {
        &self.secrets
    }

    /// Lets `annotate` add to the metadata of objects; nothing secret is within its reach.
    pub(in crate::pipeline) fn objects_mut(&mut self) -> &mut [Manifest] {
        &mut self.objects
    }
}
