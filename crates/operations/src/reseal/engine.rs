//! The engines that seal items again: the controller of a cluster, or key files.

use std::collections::BTreeMap;

use super::origins::OpenedItems;
pub use crate::controller::SealedItems;
use crate::plan::PlanFact;
use crate::progress::Progress;
use sealwave_core::diagnostic::{Failure, Problem};

/// The result of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResealedItem {
    /// It is sealed for the certificate already.
    Current,
    /// It was sealed again.
    Sealed {
        /// Its new ciphertext, which was verified.
        ciphertext: String,
        /// SHA-256 of the public key that opened the old one, in hexadecimal, if it was opened here.
        opened_by: Option<String>,
    },
}

/// The items of an object after re-sealing, by key.
pub type ResealedItems = BTreeMap<String, ResealedItem>;

/// A failure of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineFailure {
    /// The key of the item that failed, if it was a single one.
    pub key: Option<String>,
    /// The reason, which names the item without its value.
    pub problem: Box<Problem>,
}

impl From<Problem> for EngineFailure {
    fn from(problem: Problem) -> Self {
        Self { key: None, problem: Box::new(problem) }
    }
}

/// Seals items for the newest certificate.
pub trait ResealEngine {
    /// Seals the items of an object again, and verifies each new one.
    ///
    /// # Errors
    /// An item cannot be opened, sealed or verified.
    fn reseal(&self, sealed: &SealedItems) -> Result<ResealedItems, EngineFailure>;

    /// Seals many objects; the results are in their order.
    fn reseal_all(
        &self,
        objects: &[SealedItems],
        progress: &dyn Progress,
    ) -> Vec<Result<ResealedItems, EngineFailure>> {
        let total = objects.len() as u64;
        let numbered = (1..).zip(objects);
        numbered
            .map(|(done, object)| {
                let result = self.reseal(object);
                progress.advance(done, total);
                result
            })
            .collect()
    }

    /// Judges whether the keys that opened the items may have been used for this certificate. Returns warnings, and facts for the plan.
    ///
    /// # Errors
    /// They may belong to another controller.
    fn judge(&self, _opened: &OpenedItems) -> Result<(Vec<Problem>, Vec<PlanFact>), Failure> {
        Ok(Default::default())
    }

    /// Returns the facts for a plan: the controller, or the key files, and how items are verified.
    fn facts(&self) -> Vec<PlanFact>;
}
