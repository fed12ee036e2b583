//! The names that templates can use besides the values.

/// The built-in names of templates; the last one holds all values.
pub(super) const BUILT_IN_NAMES: [&str; 6] = ["env", "app", "namespace", "cluster", "revision", VALUES];
/// The built-in name of all values.
pub(super) const VALUES: &str = "values";
