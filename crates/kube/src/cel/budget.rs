//! The work that expressions may take, and the reasons why an evaluation ends without a value.

use std::collections::BTreeMap;
use std::sync::Arc;

use sealwave_core::pattern::GoPattern;

/// Maximum number of steps of one expression at one value. A step takes about ten nanoseconds.
const RULE_STEPS: u64 = 1_000_000;
/// Maximum number of steps of all expressions of one object.
const OBJECT_STEPS: u64 = 4_000_000;
/// Steps that each object adds to the total, so that the work grows at most linearly with the input.
const STEPS_PER_OBJECT: u64 = 50_000;
/// Bytes that are read or created per step.
const BYTES_PER_STEP: usize = 16;
/// Steps to compile a pattern of the smallest class.
const COMPILE: usize = 20_000;
/// Maximum number of cached patterns.
const MAX_PATTERNS: usize = 64;

/// The reason why an evaluation ended without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvalStop {
    /// The API server's evaluation fails, too.
    Fault(EvalError),
    /// The evaluation would take too long.
    TooMuch,
    /// The result depends on something unknown or not implemented.
    Unknown,
}

/// An error of the evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvalError {
    Conversion,
    DivisionByZero,
    IndexOutOfBounds,
    NoSuchKey,
    Overflow,
}

impl EvalError {
    /// Describes the error, in the API server's words if it has any.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Conversion => "value cannot be converted",
            Self::DivisionByZero => "division by zero",
            Self::IndexOutOfBounds => "index out of bounds",
            Self::NoSuchKey => "no such key",
            Self::Overflow => "integer overflow",
        }
    }
}

/// The steps left for an evaluation, an object and the run.
#[derive(Debug)]
pub struct CelBudget {
    rule: u64,
    object: u64,
    run: u64,
    /// The compiled patterns; `None` for invalid ones.
    patterns: BTreeMap<Box<str>, Option<Arc<GoPattern>>>,
}

impl Default for CelBudget {
    fn default() -> Self {
        Self { rule: 0, object: 0, run: OBJECT_STEPS, patterns: BTreeMap::new() }
    }
}

impl CelBudget {
    /// Creates a budget for this many objects, each of which may be checked more than once.
    #[must_use]
    pub fn for_objects(count: usize) -> Self {
        let run = OBJECT_STEPS.saturating_add(STEPS_PER_OBJECT.saturating_mul(count as u64));
        Self { run, ..Self::default() }
    }

    /// Starts the next object and adds its steps to those of the run.
    pub(crate) fn start_object(&mut self) {
        self.run = self.run.saturating_add(STEPS_PER_OBJECT);
        self.restart_object();
    }

    /// Starts another check of an object that was already counted.
    pub fn restart_object(&mut self) {
        self.object = self.run.min(OBJECT_STEPS);
    }

    /// Runs one evaluation and charges it to the object and the run.
    pub(super) fn run<T>(&mut self, evaluate: impl FnOnce(&mut Self) -> T) -> T {
        let most = self.object.min(RULE_STEPS);
        self.rule = most;
        let result = evaluate(self);
        let used = most.saturating_sub(self.rule);
        self.object = self.object.saturating_sub(used);
        self.run = self.run.saturating_sub(used);
        result
    }

    pub(super) fn spend(&mut self, steps: usize) -> Result<(), EvalStop> {
        self.rule = self.rule.saturating_sub(steps as u64);
        if self.rule > 0 { Ok(()) } else { Err(EvalStop::TooMuch) }
    }

    /// Spends the steps for reading or creating this many bytes.
    pub(super) fn spend_bytes(&mut self, bytes: usize) -> Result<(), EvalStop> {
        self.spend(1 + bytes / BYTES_PER_STEP)
    }

    /// Compiles a pattern for a text and charges for both. The result of an invalid pattern is unknown.
    pub(super) fn pattern(&mut self, text: &str, subject: &str) -> Result<Arc<GoPattern>, EvalStop> {
        let pattern = if let Some(known) = self.patterns.get(text) {
            known.clone()
        } else {
            self.spend(COMPILE)?;
            let pattern = GoPattern::new(text).map(Arc::new);
            let cost = pattern.as_ref().map_or(GoPattern::REFUSED, |pattern| pattern.cost());
            if self.patterns.len() >= MAX_PATTERNS {
                self.patterns.clear();
            }
            self.patterns.insert(text.into(), pattern.clone());
            self.spend(COMPILE * (cost - 1))?;
            pattern
        };
        let pattern = pattern.ok_or(EvalStop::Unknown)?;
        let steps = usize::try_from(pattern.steps).unwrap_or(usize::MAX);
        self.spend(1 + subject.len().saturating_mul(steps) / 8)?;
        Ok(pattern)
    }
}
