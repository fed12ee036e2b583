//! The full tier: what is slow, what changes settings that all apps share, and what only some installations use.

mod adoption;
mod application_sets;
mod caches;
mod diff;
mod discovery;
mod external_secrets;
mod faults;
mod health;
mod large;
mod multi_source;
mod parameters;
mod plain_supplier;
mod removal;
mod sources;
mod steady;
mod supplier;
mod two_repo_servers;
mod unnamed_plugin;
mod validate_flag;
mod verdicts;

use crate::Test;
use crate::fast::breaks;

/// All tests of the tier.
pub const TESTS: &[Test] = &[
    Test::new("full::adoption::annotated_secret_is_taken_over", adoption::annotated_secret_is_taken_over),
    Test::new(
        "full::adoption::forgotten_annotation_has_a_remedy",
        adoption::forgotten_annotation_has_a_remedy,
    ),
    Test::new("full::application_sets::sixty_apps", application_sets::sixty_apps),
    Test::alone("full::breaks::ciphertext_checksum_fails_the_renewal_test", breaks::ciphertext_checksum),
    Test::new("full::breaks::constant_checksum_key_fails_the_checksum_test", breaks::constant_checksum_key),
    Test::new("full::breaks::leaked_error_fails_the_plaintext_test", breaks::leaked_error),
    Test::new("full::breaks::no_checksum_fails_the_rotation_test", breaks::no_checksum),
    Test::new(
        "full::breaks::no_prune_last_fails_the_test_of_a_failing_wave",
        breaks::no_prune_last_and_a_failing_wave,
    ),
    Test::new("full::breaks::wide_checksum_fails_the_rotation_test", breaks::wide_checksum),
    Test::new(
        "full::caches::cached_error_ends_with_a_hard_refresh",
        caches::cached_error_ends_with_a_hard_refresh,
    ),
    Test::new(
        "full::caches::retry_uses_the_manifests_of_a_hard_refresh",
        caches::retry_uses_the_manifests_of_a_hard_refresh,
    ),
    Test::new(
        "full::caches::rotation_without_self_heal_waits_for_a_sync",
        caches::rotation_without_self_heal_waits_for_a_sync,
    ),
    Test::new(
        "full::caches::wrong_certificate_is_repaired_by_a_hard_refresh",
        caches::wrong_certificate_is_repaired_by_a_hard_refresh,
    ),
    Test::new("full::diff::large_secret", diff::large_secret),
    Test::new("full::diff::server_side_apply", diff::server_side_apply),
    Test::new("full::diff::server_side_apply_and_diff", diff::server_side_apply_and_diff),
    Test::new("full::diff::server_side_diff", diff::server_side_diff),
    Test::alone("full::discovery::empty_plugin", discovery::empty_plugin),
    Test::alone("full::discovery::name_without_parameters", discovery::name_without_parameters),
    Test::alone("full::discovery::no_app_file", discovery::no_app_file),
    Test::alone("full::discovery::no_plugin", discovery::no_plugin),
    Test::alone("full::discovery::plain_directory", discovery::plain_directory),
    Test::alone("full::discovery::several_environments", discovery::several_environments),
    Test::new("full::external_secrets::same_wave_does_not_wait", external_secrets::same_wave_does_not_wait),
    Test::new(
        "full::external_secrets::workloads_alone_can_be_synced",
        external_secrets::workloads_alone_can_be_synced,
    ),
    Test::new("full::faults::all_mistakes", faults::all_mistakes),
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
    Test::new("full::large::two_thousand_objects", large::two_thousand_objects),
    Test::new("full::multi_source::plugin_and_directory", multi_source::plugin_and_directory),
    Test::new("full::parameters::environments_are_announced", parameters::environments_are_announced),
    Test::new("full::plain_supplier::in_one_commit_deletes_it", plain_supplier::in_one_commit_deletes_it),
    Test::new("full::plain_supplier::to_external_secrets", plain_supplier::to_external_secrets),
    Test::new("full::plain_supplier::to_sealed_secrets", plain_supplier::to_sealed_secrets),
    Test::alone("full::plain_supplier::with_tracking_by_label", plain_supplier::with_tracking_by_label),
    Test::new("full::removal::cascade_leaves_nothing", removal::cascade_leaves_nothing),
    Test::alone("full::removal::label_tracking_keeps_the_secret", removal::label_tracking_keeps_the_secret),
    Test::new("full::sources::chart_is_steady", sources::chart_is_steady),
    Test::new("full::sources::mlops_kustomize", sources::mlops_kustomize),
    Test::new("full::sources::overlay_is_steady", sources::overlay_is_steady),
    Test::alone("full::sources::rotation_helm", sources::rotation_helm),
    Test::new("full::supplier::changes_without_a_gap", supplier::changes_without_a_gap),
    Test::new("full::supplier::in_one_commit_stops_the_sync", supplier::in_one_commit_stops_the_sync),
    Test::new(
        "full::supplier::plain_secret_is_taken_over_by_the_operator",
        supplier::plain_secret_is_taken_over_by_the_operator,
    ),
    Test::alone("full::two_repo_servers::same_output", two_repo_servers::same_output),
    Test::new("full::unnamed_plugin::chart_without_discovery", unnamed_plugin::chart_without_discovery),
    Test::alone("full::unnamed_plugin::discovery_fails", unnamed_plugin::discovery_fails),
    Test::alone("full::unnamed_plugin::discovery_matches", unnamed_plugin::discovery_matches),
    Test::new("full::unnamed_plugin::overlay_without_discovery", unnamed_plugin::overlay_without_discovery),
    Test::new("full::validate_flag::refuses_before_anything_is_applied", validate_flag::refuses),
    Test::new("full::validate_flag::without_it_the_sync_fails_halfway", validate_flag::without_it),
    Test::new("full::verdicts::match_the_api_server", verdicts::match_the_api_server),
];
