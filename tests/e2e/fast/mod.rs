//! The fast tier: what must hold after every change. `.ci/run` runs it.

mod scenarios;

use crate::Test;

/// All tests of the tier.
pub const TESTS: &[Test] = &[Test::new("fast::scenarios::mlops", scenarios::mlops)];
