//! The full tier: what takes long or changes rarely. `scripts/e2e --include-ignored` runs it.

mod faults;

use crate::Test;

/// All tests of the tier.
pub const TESTS: &[Test] = &[Test::new("full::faults::all_mistakes", faults::all_mistakes)];
