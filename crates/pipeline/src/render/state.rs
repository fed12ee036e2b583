//! The state of a running template: its work, its depth, its copies and its current line.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use handlebars::{Context, RenderContext as Run};
use serde_json::Value as Json;

use super::fault::RenderFault;
use super::price::{CopyCounts, CopyLedger, CopyPrice, ValueLocation, ValueWeight, work_of};
use super::scope::with_blocks;
use super::tracer::OutputTracer;
use crate::load::TemplateFiles;

/// The maximum number of work units for all templates of an environment: one per rendered element, one per 64 bytes that a
/// helper handles, one per 512 bytes of memory that the engine copies. Real environments need some ten thousand.
const MAX_WORK: u64 = 4_000_000;
/// The maximum nesting of partials and blocks while rendering.
const MAX_DEPTH: usize = 100;

/// The state shared by the running template and its helpers. Only one thread uses it; it is atomic because helpers must
/// be `Sync`.
pub(super) struct RenderState {
    work: AtomicU64,
    depth: AtomicUsize,
    source: AtomicUsize,
    line: AtomicUsize,
    counts: AtomicBool,
    /// Whether the current line of the output has a character.
    is_in_line: AtomicBool,
    ledger: Mutex<CopyLedger>,
    /// The copies that the elements of the current templates make, by index; the first one stands for elements that
    /// copy nothing.
    prices: Mutex<Vec<CopyPrice>>,
    /// The files that templates can read.
    pub(super) files: OnceLock<TemplateFiles>,
    /// The origin of the output, if it is traced.
    pub(super) tracer: Option<OutputTracer>,
}

impl RenderState {
    pub(super) fn new(tracer: Option<OutputTracer>) -> Self {
        Self {
            work: AtomicU64::new(MAX_WORK),
            depth: AtomicUsize::new(0),
            source: AtomicUsize::new(0),
            line: AtomicUsize::new(0),
            counts: AtomicBool::new(false),
            is_in_line: AtomicBool::new(false),
            ledger: Mutex::default(),
            prices: Mutex::new(vec![CopyPrice::default()]),
            files: OnceLock::new(),
            tracer,
        }
    }

    /// Starts a template. A failed template may have left state behind.
    pub(super) fn reset(&self) {
        self.depth.store(0, Ordering::Relaxed);
        self.is_in_line.store(false, Ordering::Relaxed);
        self.ledger().reset();
        self.tracer.as_ref().map(OutputTracer::take);
    }

    /// Returns the ledger of live copies.
    pub(super) fn ledger(&self) -> MutexGuard<'_, CopyLedger> {
        lock(&self.ledger)
    }

    /// Stores what an element copies, and returns its index.
    pub(super) fn add_price(&self, price: CopyPrice) -> usize {
        if price.is_plain() {
            return 0;
        }
        let mut prices = lock(&self.prices);
        prices.push(price);
        prices.len() - 1
    }

    /// Returns the number of stored prices.
    pub(super) fn price_count(&self) -> usize {
        lock(&self.prices).len()
    }

    /// Forgets all prices but the first ones.
    pub(super) fn truncate_prices(&self, count: usize) {
        lock(&self.prices).truncate(count);
    }

    /// Charges for what the next element copies, before it does.
    pub(super) fn pay_for_element(
        &self,
        price: usize,
        context: &Context,
        run: &mut Run<'_, '_>,
    ) -> Result<(), RenderFault> {
        let prices = lock(&self.prices);
        let Some(price) = prices.get(price) else { return Err(RenderFault::Work) };
        let mut ledger = self.ledger();
        ledger.next();
        if price.is_plain() {
            return Ok(());
        }
        let (memory, work) = with_blocks(run, |blocks| ledger.weigh(price, blocks, context.data()));
        self.charge(work)?;
        ledger.take(memory)
    }

    /// Deducts work units.
    pub(super) fn charge(&self, units: u64) -> Result<(), RenderFault> {
        self.work
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(units))
            .map(drop)
            .map_err(|_| RenderFault::Work)
    }

    /// Charges for a copy of a value before it is made.
    pub(super) fn pay_for_copy(&self, value: &Json) -> Result<(), RenderFault> {
        let weight = ValueWeight::from_json(value);
        self.charge(work_of(weight.memory))?;
        self.ledger().take(weight.memory)
    }

    /// Charges for the copies that the engine makes of the argument of a block or partial, before it does.
    pub(super) fn pay_for_argument(
        &self,
        value: &Json,
        stands: ValueLocation,
        times: &CopyCounts,
    ) -> Result<(), RenderFault> {
        let work = self.ledger().take_argument(value, stands, times)?;
        self.charge(work)
    }

    /// Sets the line of the following output. If `counts` is set, each line break in it is a line break of the
    /// template.
    pub(super) fn mark(&self, source: usize, line: usize, counts: bool) {
        self.source.store(source, Ordering::Relaxed);
        self.line.store(line, Ordering::Relaxed);
        self.counts.store(counts, Ordering::Relaxed);
    }

    /// Returns the source and the line that were marked, after the line breaks since.
    pub(super) fn position(&self) -> (usize, usize) {
        (self.source.load(Ordering::Relaxed), self.line.load(Ordering::Relaxed))
    }

    /// Records whether the last character of the output is within a line.
    pub(super) fn set_in_line(&self, is_in_line: bool) {
        self.is_in_line.store(is_in_line, Ordering::Relaxed);
    }

    /// Reports whether the next output continues a line.
    pub(super) fn is_in_line(&self) -> bool {
        self.is_in_line.load(Ordering::Relaxed)
    }

    /// Counts a line break of the output, if it is one of the template.
    pub(super) fn count_line_break(&self) {
        if self.counts.load(Ordering::Relaxed) {
            self.line.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns the work units used.
    #[cfg(test)]
    pub(super) fn used_work(&self) -> u64 {
        MAX_WORK - self.work.load(Ordering::Relaxed)
    }

    pub(super) fn enter(&self) -> Result<(), RenderFault> {
        self.ledger().enter();
        let depth = self.depth.fetch_add(1, Ordering::Relaxed);
        if depth < MAX_DEPTH { Ok(()) } else { Err(RenderFault::Depth) }
    }

    pub(super) fn leave(&self) {
        // The block or partial that was to be entered last was not.
        self.tracer.as_ref().map(OutputTracer::take_scope_source);
        self.ledger().leave();
        self.depth.fetch_sub(1, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
