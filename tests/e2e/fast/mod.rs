//! The fast tier: what must hold after every change. `.ci/run` runs it.

pub mod breaks;
mod checksums;
mod cluster_commands;
mod difference;
pub mod external_secrets;
pub mod faults;
mod narrowed_tree;
mod order;
pub mod plaintext;
mod pruning;
mod rotation;
pub mod scenarios;
mod secret_writers;

use crate::Test;

/// All tests of the tier.
pub const TESTS: &[Test] = &[
    Test::new("fast::breaks::hashed_checksum_fails_the_checksum_test", breaks::hashed_checksum),
    Test::new("fast::breaks::leaked_value_fails_the_plaintext_test", breaks::leaked_value),
    Test::new("fast::breaks::no_prune_last_fails_the_pruning_test", breaks::no_prune_last),
    Test::new("fast::breaks::no_waves_fails_the_order_test", breaks::no_waves),
    Test::new("fast::breaks::plaintext_secret_fails_the_test_of_writers", breaks::plaintext_secret),
    Test::new("fast::breaks::random_sealing_fails_the_difference_test", breaks::random_sealing),
    Test::new(
        "fast::checksums::depend_on_the_operators_key_alone",
        checksums::depend_on_the_operators_key_alone,
    ),
    Test::new(
        "fast::cluster_commands::certificates_of_the_controller",
        cluster_commands::certificates_of_the_controller,
    ),
    Test::alone(
        "fast::cluster_commands::controller_key_is_rotated",
        cluster_commands::controller_key_is_rotated,
    ),
    Test::new(
        "fast::cluster_commands::verify_finds_what_is_right_and_wrong",
        cluster_commands::verify_finds_what_is_right_and_wrong,
    ),
    Test::new("fast::difference::refreshes_change_nothing", difference::refreshes_change_nothing),
    Test::new(
        "fast::external_secrets::failing_one_blocks_the_workloads",
        external_secrets::failing_one_blocks_the_workloads,
    ),
    Test::new("fast::faults::common_mistakes", faults::common_mistakes),
    Test::new("fast::narrowed_tree::common_directory_is_sent", narrowed_tree::common_directory_is_sent),
    Test::new("fast::narrowed_tree::leaving_link_is_refused", narrowed_tree::leaving_link_is_refused),
    Test::new("fast::narrowed_tree::only_own_commits_render", narrowed_tree::only_own_commits_render),
    Test::new("fast::narrowed_tree::team_directory_is_sent", narrowed_tree::team_directory_is_sent),
    Test::new(
        "fast::order::configuration_comes_before_its_users",
        order::configuration_comes_before_its_users,
    ),
    Test::new("fast::plaintext::scanner_finds_a_plain_secret", plaintext::scanner_finds_a_plain_secret),
    Test::new("fast::plaintext::scanner_knows_encodings", plaintext::scanner_knows_encodings),
    Test::new("fast::plaintext::values_stay_in_secrets", plaintext::values_stay_in_secrets),
    Test::new("fast::pruning::failing_wave_keeps_the_old_secret", pruning::failing_wave_keeps_the_old_secret),
    Test::new(
        "fast::pruning::renamed_objects_stay_until_their_users_moved",
        pruning::renamed_objects_stay_until_their_users_moved,
    ),
    Test::alone("fast::rotation::renewed_key_restarts_no_pod", rotation::renewed_key_restarts_no_pod),
    Test::new("fast::rotation::rotated_value_restarts_its_users", rotation::rotated_value_restarts_its_users),
    Test::new("fast::scenarios::catalog", scenarios::catalog),
    Test::new("fast::scenarios::mlops", scenarios::mlops),
    Test::new("fast::scenarios::mlops_helm", scenarios::mlops_helm),
    Test::new("fast::scenarios::rotation", scenarios::rotation),
    Test::new("fast::scenarios::spring", scenarios::spring),
    Test::new("fast::scenarios::spring_csi", scenarios::spring_csi),
    Test::new(
        "fast::secret_writers::only_the_controller_writes_secrets",
        secret_writers::only_the_controller_writes_secrets,
    ),
];
