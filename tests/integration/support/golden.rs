//! Expected outputs of the scenarios, and which of them need secrets that a test must provide first.

use std::path::Path;

pub use sealwave_testkit::check_file;

/// Compares an output with a scenario's expected file and returns the file's name.
pub fn check_golden(scenario: &Path, name: &str, found: &str) -> String {
    check_file(&scenario.join("expected").join(name), found);
    name.to_owned()
}

/// Reports whether `generate` works without AWS: the environment does not need it, and this build has the providers of
/// the operator file.
pub fn generates_here(scenario: &Path, environment: &str) -> bool {
    let operator = fs_err::read_to_string(scenario.join("operator/operator.yaml")).expect("an operator file");
    let built = cfg!(feature = "aws") || !operator.contains("kind: aws-");
    built && !needs_aws(scenario).iter().any(|name| name == environment)
}

/// Returns the environments of a scenario whose `generate` needs AWS; `render` never does.
pub fn needs_aws(scenario: &Path) -> Vec<String> {
    let list = scenario.join("needs-aws");
    if !list.exists() {
        return Vec::new();
    }
    fs_err::read_to_string(list).expect("readable").lines().map(str::to_owned).collect()
}
