//! Expected outputs of the scenarios, and which of them need secrets that a test must provide first.

use std::path::Path;

/// Reports whether to rewrite the expected files: `SEALWAVE_UPDATE_GOLDEN=1 cargo test --test integration cli::`.
fn update_golden() -> bool {
    #[expect(clippy::disallowed_methods, reason = "a switch of the test suite")]
    std::env::var_os("SEALWAVE_UPDATE_GOLDEN").is_some()
}

/// Compares an output with a scenario's expected file and returns the file's name.
pub fn check_golden(scenario: &Path, name: &str, found: &str) -> String {
    check_file(&scenario.join("expected").join(name), found);
    name.to_owned()
}

/// Compares an output with an expected file.
pub fn check_file(path: &Path, found: &str) {
    if update_golden() {
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs_err::write(path, found).expect("written");
    }
    assert!(!found.is_empty(), "{} is empty", path.display());
    assert!(
        fs_err::read_to_string(path).expect("an expected file") == found,
        "{} differs; rewrite it with SEALWAVE_UPDATE_GOLDEN=1 and read the difference",
        path.display()
    );
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
