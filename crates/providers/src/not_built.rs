//! What stands for a provider that this program was built without: it answers each reference with that.
//!
//! An operator file names the sources of many apps. A program without one of them still serves the others.

use std::time::Instant;

use super::{FetchResult, Provider, ProviderError};
use sealwave_secrets::placeholder::Reference;

/// A provider that is not there.
pub(super) struct NotBuilt {
    /// What it would be, or be able to.
    pub(super) what: &'static str,
    /// The Cargo feature that it comes with.
    pub(super) feature: &'static str,
}

impl NotBuilt {
    pub(super) fn error(&self) -> ProviderError {
        ProviderError::unreachable(
            format!("this build of sealwave has no {}", self.what),
            &format!("use a release, or build with `--features {}`", self.feature),
        )
    }
}

impl Provider for NotBuilt {
    fn fetch(&self, references: &[&Reference], _deadline: Instant) -> Vec<FetchResult> {
        vec![Err(self.error()); references.len()]
    }
}
