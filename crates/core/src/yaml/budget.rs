//! What all documents of one reading may hold together: bounds per document do not bound a sum.
//!
//! Several threads spend from one budget. Whether it suffices does not depend on their order; which document is the one
//! too many is found out by reading once more, in order.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::error::YamlError;

/// What documents may hold together, and what they have spent of it.
#[derive(Debug)]
pub struct Budget {
    most: Amounts<usize>,
    spent: Amounts<AtomicUsize>,
    exhausted: AtomicBool,
}

/// One number for each part of a budget.
#[derive(Clone, Copy, Debug, Default)]
struct Amounts<T> {
    alias_bytes: T,
    documents: T,
    memory: T,
    problems: T,
}

/// What a budget held at some time.
pub(super) struct Snapshot(Amounts<usize>);

impl Default for Budget {
    /// The budget of one environment: far more than real apps need, and little enough for the memory of a sidecar.
    fn default() -> Self {
        Self::new(50_000, 200 << 20)
    }
}

impl Budget {
    /// A budget of this many documents and bytes of memory; 200 problems end the reading.
    #[must_use]
    pub fn new(documents: usize, memory: usize) -> Self {
        let most = Amounts { alias_bytes: 32 << 20, documents, memory, problems: super::MAX_PROBLEMS };
        Self { most, spent: Amounts::default(), exhausted: AtomicBool::new(false) }
    }

    /// Spends bytes of scalars that aliases add.
    pub(super) fn alias_bytes(&self, bytes: usize) -> Result<(), YamlError> {
        let most = self.most.alias_bytes;
        self.spend(&self.spent.alias_bytes, bytes, most)
            .map_err(|Exhausted| YamlError::Together { most, what: "bytes of aliased text" })
    }

    /// Spends one document, an empty one too.
    pub(super) fn document(&self) -> Result<(), YamlError> {
        let most = self.most.documents;
        self.spend(&self.spent.documents, 1, most)
            .map_err(|Exhausted| YamlError::Together { most, what: "documents" })
    }

    /// How many more documents there may be.
    pub(super) fn documents_left(&self) -> usize {
        self.most.documents.saturating_sub(self.spent.documents.load(Ordering::Relaxed))
    }

    /// Spends bytes of memory that trees take, what aliases add included.
    pub(super) fn memory(&self, bytes: usize) -> Result<(), YamlError> {
        let most = self.most.memory;
        self.spend(&self.spent.memory, bytes, most)
            .map_err(|Exhausted| YamlError::Together { most, what: "bytes of memory" })
    }

    /// Gives back what was spent on a document that is read once more.
    pub(super) fn refund(&self, memory: usize, alias_bytes: usize) {
        let give_back = |spent: &AtomicUsize, count: usize| {
            spent
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |spent| Some(spent.saturating_sub(count)))
        };
        // Both always succeed: the function never declines.
        let _ = (give_back(&self.spent.memory, memory), give_back(&self.spent.alias_bytes, alias_bytes));
    }

    /// Counts problems; nothing more is read after too many of them.
    pub(super) fn problems(&self, count: usize) {
        // The caller reports the problems themselves.
        let _ = self.spend(&self.spent.problems, count, self.most.problems.saturating_sub(1));
    }

    /// Whether nothing more is to be read.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.exhausted.load(Ordering::Relaxed)
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let of = |amount: &AtomicUsize| amount.load(Ordering::Relaxed);
        let Amounts { alias_bytes, documents, memory, problems } = &self.spent;
        Snapshot(Amounts {
            alias_bytes: of(alias_bytes),
            documents: of(documents),
            memory: of(memory),
            problems: of(problems),
        })
    }

    pub(super) fn restore(&self, Snapshot(before): Snapshot) {
        let Amounts { alias_bytes, documents, memory, problems } = &self.spent;
        alias_bytes.store(before.alias_bytes, Ordering::Relaxed);
        documents.store(before.documents, Ordering::Relaxed);
        memory.store(before.memory, Ordering::Relaxed);
        problems.store(before.problems, Ordering::Relaxed);
        self.exhausted.store(false, Ordering::Relaxed);
    }

    fn spend(&self, spent: &AtomicUsize, count: usize, most: usize) -> Result<(), Exhausted> {
        let before = spent.fetch_add(count, Ordering::Relaxed);
        if before.saturating_add(count) <= most {
            return Ok(());
        }
        self.exhausted.store(true, Ordering::Relaxed);
        Err(Exhausted)
    }
}

/// A part of the budget does not suffice.
struct Exhausted;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_spent_once_and_can_be_set_back() {
        let budget = Budget::new(2, 10);
        let before = budget.snapshot();
        assert!(budget.memory(10).is_ok() && budget.document().is_ok() && !budget.is_exhausted());
        assert!(budget.memory(1).is_err() && budget.is_exhausted());
        budget.restore(before);
        assert!(!budget.is_exhausted() && budget.memory(10).is_ok());
        budget.refund(4, 0);
        assert!(budget.memory(4).is_ok());
    }
}
