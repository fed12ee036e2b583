//! Names of resources that containers request.

use crate::facts::name_syntax::is_qualified_name;

/// Resources that need no domain.
pub(crate) const NAMES: &[&str] = &["cpu", "ephemeral-storage", "memory"];
/// Prefix of huge page resources.
pub(crate) const HUGE_PAGES: &str = "hugepages-";

/// Returns whether a container can request a resource with this name.
pub(crate) fn is_resource_name(key: &str) -> bool {
    match key.split_once('/') {
        Some(_) => is_qualified_name(key) && !key.starts_with("requests."),
        None => NAMES.contains(&key) || key.starts_with(HUGE_PAGES),
    }
}

/// Returns whether a resource cannot be overcommitted and is allocated in whole units.
pub(crate) fn is_exclusive(key: &str) -> bool {
    key.starts_with(HUGE_PAGES) || key.contains('/') && !key.contains("kubernetes.io/")
}
