//! A stand-in for a provider that is not part of this build: it returns an error for each reference.
//!
//! An operator file configures the sources of many apps. A build without one of them still serves the others.

use std::time::Instant;

use super::{FetchResult, Provider, ProviderError};
use sealwave_secrets::placeholder::SecretReference;

/// A provider that is not part of this build.
pub(super) struct NotBuilt {
    /// The missing functionality.
    pub(super) what: &'static str,
    /// The Cargo feature that enables it.
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
    fn fetch(&self, references: &[&SecretReference], _deadline: Instant) -> Vec<FetchResult> {
        vec![Err(self.error()); references.len()]
    }
}
