//! The surroundings of a provider's settings: the directory of the operator file, and environment variables.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use crate::ProtectedFiles;

/// Looks up environment variables, as passed on by `config`.
pub type EnvLookup = Arc<dyn Fn(&str) -> Option<OsString> + Send + Sync>;

/// The surroundings of settings that are checked without a run.
pub(crate) struct LocalContext<'a> {
    /// The directory that relative paths are relative to.
    pub(crate) operator_dir: &'a Path,
    /// The files that no provider may hand out.
    pub(crate) protected: &'a ProtectedFiles,
    #[cfg_attr(
        not(any(feature = "aws", feature = "k8s")),
        expect(dead_code, reason = "only these logins start programs")
    )]
    pub(crate) environment: &'a EnvLookup,
}
