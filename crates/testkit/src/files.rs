//! Files of the repository that tests read, and expected outputs.

use std::path::{Path, PathBuf};

/// Returns the root of the repository, where `testdata` is.
///
/// # Panics
/// If this crate is not in the repository.
#[must_use]
pub fn repository_root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    root.expect("the crate is in `crates/`").to_owned()
}

/// Reports whether to rewrite the expected files, as with `SEALWAVE_UPDATE_GOLDEN=1 cargo test --test integration cli::`.
#[must_use]
pub fn is_update_requested() -> bool {
    #[expect(clippy::disallowed_methods, reason = "a switch of the test suite")]
    std::env::var_os("SEALWAVE_UPDATE_GOLDEN").is_some()
}

/// Compares an output with an expected file, or rewrites the file if that is requested.
///
/// # Panics
/// If they differ, or the output is empty.
pub fn check_file(path: &Path, found: &str) {
    if is_update_requested() {
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
