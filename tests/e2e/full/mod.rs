//! The full tier: what takes longer, or disturbs other tests. `scripts/e2e --include-ignored` runs it after the fast tier.

mod adoption;
mod caches;
mod faults;
mod health;

use crate::Test;
use crate::fast::breaks;

/// All tests of the tier.
pub const TESTS: &[Test] = &[
    Test::alone("full::breaks::ciphertext_checksum_fails_the_renewal_test", breaks::ciphertext_checksum),
    Test::new("full::breaks::constant_checksum_key_fails_the_checksum_test", breaks::constant_checksum_key),
    Test::new("full::breaks::no_checksum_fails_the_rotation_test", breaks::no_checksum),
    Test::new(
        "full::breaks::no_prune_last_fails_the_test_of_a_failing_wave",
        breaks::no_prune_last_and_a_failing_wave,
    ),
    Test::new("full::breaks::wide_checksum_fails_the_rotation_test", breaks::wide_checksum),
    Test::new("full::faults::all_mistakes", faults::all_mistakes),
    Test::new("full::adoption::annotated_secret_is_taken_over", adoption::annotated_secret_is_taken_over),
    Test::new(
        "full::adoption::forgotten_annotation_has_a_remedy",
        adoption::forgotten_annotation_has_a_remedy,
    ),
    Test::new(
        "full::caches::cached_error_ends_with_a_hard_refresh",
        caches::cached_error_ends_with_a_hard_refresh,
    ),
    Test::new(
        "full::caches::rotation_without_self_heal_waits_for_a_sync",
        caches::rotation_without_self_heal_waits_for_a_sync,
    ),
    Test::new(
        "full::caches::wrong_certificate_is_repaired_by_a_hard_refresh",
        caches::wrong_certificate_is_repaired_by_a_hard_refresh,
    ),
    Test::alone(
        "full::health::argocds_own_check_waits_for_the_controller",
        health::argocds_own_check_waits_for_the_controller,
    ),
    Test::alone(
        "full::health::check_without_generation_restarts_pods_too_early",
        health::check_without_generation_restarts_pods_too_early,
    ),
    Test::alone(
        "full::health::our_check_waits_for_the_controller",
        health::our_check_waits_for_the_controller,
    ),
];
