//! The combined limits of all documents of one reading: limits per document do not bound their sum.
//!
//! Several threads spend from one budget. Whether it suffices does not depend on their order; the first document that
//! exceeds it is found by reading again, in order.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::error::YamlError;

/// Combined limits of documents, and the amounts spent.
#[derive(Debug)]
pub struct YamlBudget {
    most: BudgetAmounts<usize>,
    spent: BudgetAmounts<AtomicUsize>,
    exhausted: AtomicBool,
}

/// One number for each limit of a budget.
#[derive(Clone, Copy, Debug, Default)]
struct BudgetAmounts<T> {
    alias_bytes: T,
    documents: T,
    memory: T,
    problems: T,
}

/// The amounts spent at a point in time.
pub(super) struct BudgetSnapshot(BudgetAmounts<usize>);

impl Default for YamlBudget {
    /// Returns the budget of one environment: far more than real apps need, but small enough for a sidecar's memory.
    fn default() -> Self {
        Self::new(50_000, 200 << 20)
    }
}

impl YamlBudget {
    /// Creates a budget of this many documents and bytes of memory; 200 problems end the reading.
    #[must_use]
    pub fn new(documents: usize, memory: usize) -> Self {
        let most = BudgetAmounts { alias_bytes: 32 << 20, documents, memory, problems: super::MAX_PROBLEMS };
        Self { most, spent: BudgetAmounts::default(), exhausted: AtomicBool::new(false) }
    }

    /// Spends bytes of scalars that aliases add.
    pub(super) fn alias_bytes(&self, bytes: usize) -> Result<(), YamlError> {
        let most = self.most.alias_bytes;
        self.spend(&self.spent.alias_bytes, bytes, most)
            .map_err(|BudgetExhausted| YamlError::BudgetExceeded { most, what: "bytes of aliased text" })
    }

    /// Spends one document; empty ones count, too.
    pub(super) fn document(&self) -> Result<(), YamlError> {
        let most = self.most.documents;
        self.spend(&self.spent.documents, 1, most)
            .map_err(|BudgetExhausted| YamlError::BudgetExceeded { most, what: "documents" })
    }

    /// Returns the number of remaining documents.
    pub(super) fn documents_left(&self) -> usize {
        self.most.documents.saturating_sub(self.spent.documents.load(Ordering::Relaxed))
    }

    /// Spends bytes of memory for trees, including expanded aliases.
    pub(super) fn memory(&self, bytes: usize) -> Result<(), YamlError> {
        let most = self.most.memory;
        self.spend(&self.spent.memory, bytes, most)
            .map_err(|BudgetExhausted| YamlError::BudgetExceeded { most, what: "bytes of memory" })
    }

    /// Refunds a document that is read again.
    pub(super) fn refund(&self, memory: usize, alias_bytes: usize) {
        let subtract = |spent: &AtomicUsize, count: usize| {
            spent
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |spent| Some(spent.saturating_sub(count)))
        };
        // Both always succeed: the function never declines.
        let _ = (subtract(&self.spent.memory, memory), subtract(&self.spent.alias_bytes, alias_bytes));
    }

    /// Counts problems; after too many of them, the budget is exhausted.
    pub(super) fn problems(&self, count: usize) {
        // The caller reports the problems themselves.
        let _ = self.spend(&self.spent.problems, count, self.most.problems.saturating_sub(1));
    }

    /// Reports whether reading must stop.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.exhausted.load(Ordering::Relaxed)
    }

    pub(super) fn snapshot(&self) -> BudgetSnapshot {
        let load = |amount: &AtomicUsize| amount.load(Ordering::Relaxed);
        let BudgetAmounts { alias_bytes, documents, memory, problems } = &self.spent;
        BudgetSnapshot(BudgetAmounts {
            alias_bytes: load(alias_bytes),
            documents: load(documents),
            memory: load(memory),
            problems: load(problems),
        })
    }

    pub(super) fn restore(&self, BudgetSnapshot(before): BudgetSnapshot) {
        let BudgetAmounts { alias_bytes, documents, memory, problems } = &self.spent;
        alias_bytes.store(before.alias_bytes, Ordering::Relaxed);
        documents.store(before.documents, Ordering::Relaxed);
        memory.store(before.memory, Ordering::Relaxed);
        problems.store(before.problems, Ordering::Relaxed);
        self.exhausted.store(false, Ordering::Relaxed);
    }

    fn spend(&self, spent: &AtomicUsize, count: usize, most: usize) -> Result<(), BudgetExhausted> {
        let before = spent.fetch_add(count, Ordering::Relaxed);
        if before.saturating_add(count) <= most {
            return Ok(());
        }
        self.exhausted.store(true, Ordering::Relaxed);
        Err(BudgetExhausted)
    }
}

/// The error of an exceeded limit.
struct BudgetExhausted;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_spent_once_and_can_be_restored() {
        let budget = YamlBudget::new(2, 10);
        let before = budget.snapshot();
        assert!(budget.memory(10).is_ok() && budget.document().is_ok() && !budget.is_exhausted());
        assert!(budget.memory(1).is_err() && budget.is_exhausted());
        budget.restore(before);
        assert!(!budget.is_exhausted() && budget.memory(10).is_ok());
        budget.refund(4, 0);
        assert!(budget.memory(4).is_ok());
    }
}
