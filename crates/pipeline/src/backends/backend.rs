//! The interface of backends, and the parts of a Secret that each kind of backend sees. None of them contains a value.

use compact_str::CompactString;

use sealwave_core::diagnostic::{Note, Problem};
use sealwave_core::document::{Manifest, Origin};
use sealwave_kube::pods::WorkloadKind;
use sealwave_secrets::placeholder::{KeySource, PlaceholderText};
use sealwave_secrets::settings::{BackendKind, EnvironmentBackends};

/// A backend: builds the object that replaces a Secret.
///
/// Its settings are decided before the pipeline starts, in `sealwave_secrets::settings`.
pub(crate) trait Backend {
    /// The part of a Secret that the backend sees.
    type Secret;

    /// The object, or the Secret as checked if values must be sealed first.
    type Object;

    /// Builds the object that replaces a Secret.
    ///
    /// # Errors
    /// Returns everything that the object cannot express.
    fn build(
        &self,
        secret: Self::Secret,
        settings: &EnvironmentBackends,
        notes: &mut Vec<Note>,
    ) -> Result<Self::Object, Vec<Problem>>;

    /// Changes the other objects of the output for the Secrets that the backend replaced. Does nothing by default.
    ///
    /// # Errors
    /// Returns all Secrets for which this is not possible.
    fn after(
        &self,
        secrets: &[ReplacedSecret],
        objects: &mut [Manifest],
        workloads: &[WorkloadKind],
    ) -> Result<(), Vec<Problem>> {
        let _ = (secrets, objects, workloads);
        Ok(())
    }
}

/// A Secret for a backend that stores references: its items as committed.
#[derive(Clone)]
pub(crate) struct UnresolvedSecret {
    /// The Secret without `data` and `stringData`.
    pub(crate) manifest: Manifest,
    /// Its items in the order of their keys.
    pub(crate) items: Vec<UnresolvedItem>,
    /// Secrets whose keys all become items.
    pub(crate) sources: Vec<KeySource>,
    /// The backend that the Secret is released to, if the supplier is being changed.
    pub(crate) release_to: Option<BackendKind>,
}

/// An item of a Secret for a backend that stores references.
#[derive(Clone)]
pub(crate) struct UnresolvedItem {
    /// The item's key.
    pub(crate) key: CompactString,
    /// The location of its value.
    pub(crate) origin: Origin,
    /// Its text; `None` for literal bytes.
    pub(crate) text: Option<PlaceholderText>,
}

/// A Secret for a backend that stores sealed values: the sizes of its items.
pub(crate) struct MeasuredSecret {
    /// The Secret without `data` and `stringData`.
    pub(crate) manifest: Manifest,
    /// Its items in the order of their keys.
    pub(crate) items: Vec<MeasuredItem>,
    /// The backend that the Secret is released to, if the supplier is being changed.
    pub(crate) release_to: Option<BackendKind>,
}

/// An item of a Secret for a backend that stores sealed values.
pub(crate) struct MeasuredItem {
    /// The item's key.
    pub(crate) key: CompactString,
    /// The location of its value.
    pub(crate) origin: Origin,
    /// The size of its value in bytes, if it is known.
    pub(crate) size: Option<usize>,
}

/// The name of a Secret that a backend replaces.
pub(crate) struct ReplacedSecret {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) origin: Origin,
}

impl ReplacedSecret {
    pub(crate) fn new(secret: &Manifest) -> Self {
        Self {
            namespace: secret.namespace().to_owned(),
            name: secret.name().to_owned(),
            origin: secret.origin(),
        }
    }
}
