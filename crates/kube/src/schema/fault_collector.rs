//! Collects the faults of a definition.

use super::fault::CrdFault;
use super::path::ValuePath;
use super::violation::{Violation, ViolationKind};
use sealwave_core::document::Origin;

/// Maximum number of faults that are reported for one definition.
pub(super) const MAX_FAULTS: usize = 200;

/// The faults of a definition.
#[derive(Default)]
pub(super) struct FaultCollector<'c> {
    all: Vec<Violation<'c>>,
}

impl<'c> FaultCollector<'c> {
    pub(super) fn add(
        &mut self,
        message: &'static str,
        hint: &'static str,
        at: &ValuePath<'_>,
        origin: Origin,
    ) {
        self.push(CrdFault::Rule { message, hint }, at, origin);
    }

    pub(super) fn push(&mut self, fault: CrdFault<'c>, at: &ValuePath<'_>, origin: Origin) {
        if self.all.len() < MAX_FAULTS {
            self.all.push(Violation {
                kind: ViolationKind::Definition(fault),
                pointer: at.pointer(),
                origin,
            });
        }
    }

    pub(super) fn into_all(self) -> Vec<Violation<'c>> {
        self.all
    }
}
