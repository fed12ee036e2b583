//! The fast tier: what must hold after every change. `.ci/run` runs it.

pub mod faults;
mod narrowed_tree;
mod plaintext;
mod scenarios;

use crate::Test;

/// All tests of the tier.
pub const TESTS: &[Test] = &[
    Test::new("fast::faults::common_mistakes", faults::common_mistakes),
    Test::new("fast::narrowed_tree::common_directory_is_sent", narrowed_tree::common_directory_is_sent),
    Test::new("fast::narrowed_tree::leaving_link_is_refused", narrowed_tree::leaving_link_is_refused),
    Test::new("fast::narrowed_tree::only_own_commits_render", narrowed_tree::only_own_commits_render),
    Test::new("fast::narrowed_tree::team_directory_is_sent", narrowed_tree::team_directory_is_sent),
    Test::new("fast::plaintext::scanner_finds_a_plain_secret", plaintext::scanner_finds_a_plain_secret),
    Test::new("fast::plaintext::scanner_knows_encodings", plaintext::scanner_knows_encodings),
    Test::new("fast::plaintext::values_stay_in_secrets", plaintext::values_stay_in_secrets),
    Test::new("fast::scenarios::catalog", scenarios::catalog),
    Test::new("fast::scenarios::mlops", scenarios::mlops),
    Test::new("fast::scenarios::rotation", scenarios::rotation),
    Test::new("fast::scenarios::spring", scenarios::spring),
    Test::new("fast::scenarios::spring_csi", scenarios::spring_csi),
];
