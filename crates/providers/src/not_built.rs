//! A stand-in for a provider that is not part of this build: it returns an error for each reference.
//!
//! An operator file configures the sources of many apps. A build without one of them still serves the others.

#![allow(dead_code, reason = "a build with all features has every provider")]

use std::time::Instant;

use crate::{FetchResult, Login, Provider, ProviderError};
use sealwave_secrets::placeholder::SecretReference;

/// A provider that is not part of this build.
pub(crate) struct NotBuilt {
    /// The missing functionality.
    pub(crate) what: &'static str,
    /// The Cargo feature that enables it.
    pub(crate) feature: &'static str,
}

impl NotBuilt {
    pub(crate) fn boxed(self) -> Box<dyn Provider> {
        Box::new(self)
    }

    pub(crate) fn error(&self) -> ProviderError {
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

    fn try_login(&self, _deadline: Instant) -> Result<Option<Login>, ProviderError> {
        Err(self.error())
    }
}
