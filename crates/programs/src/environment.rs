//! The environment of a program: fixed variables that lead into its private directory. Nothing of sealwave's own
//! environment is in it.

use std::ffi::OsString;
use std::path::Path;

use crate::{NetworkAccess, RunLimits};

/// The directory with the files that arguments name.
pub(crate) const FILES: &str = "files";

/// Directories in the private directory, which exist and are empty when the program starts.
pub(crate) const DIRECTORIES: &[&str] =
    &["bin", "cache", "config", "data", FILES, "home", "plugins", "run", "state", "tmp"];

/// Variables that lead into the private directory, and their paths in it.
const PATHS: &[(&str, &str)] = &[
    ("HELM_CACHE_HOME", "cache/helm"),
    ("HELM_CONFIG_HOME", "config/helm"),
    ("HELM_DATA_HOME", "data/helm"),
    ("HELM_PLUGINS", "plugins"),
    ("HELM_REGISTRY_CONFIG", "config/helm/registry.json"),
    ("HELM_REPOSITORY_CACHE", "cache/helm/repository"),
    ("HELM_REPOSITORY_CONFIG", "config/helm/repositories.yaml"),
    ("HOME", "home"),
    ("KUSTOMIZE_PLUGIN_HOME", "plugins"),
    // An empty directory: a program that looks for another one does not find it.
    ("PATH", "bin"),
    ("TMPDIR", "tmp"),
    ("XDG_CACHE_HOME", "cache"),
    ("XDG_CONFIG_HOME", "config"),
    ("XDG_DATA_HOME", "data"),
    ("XDG_RUNTIME_DIR", "run"),
    ("XDG_STATE_HOME", "state"),
];

const VALUES: &[(&str, &str)] = &[("KUBECONFIG", "/dev/null"), ("LANG", "C"), ("LC_ALL", "C"), ("TZ", "UTC")];

/// A port on which no server listens, for programs that report an unreachable proxy better than a denied socket.
const CLOSED_PROXY: &str = "http://127.0.0.1:9";

/// Returns the variables of a program.
pub(crate) fn variables(
    private: &Path,
    limits: &RunLimits,
    network: &NetworkAccess,
) -> Vec<(&'static str, OsString)> {
    let paths = PATHS.iter().map(|(name, path)| (*name, private.join(path).into_os_string()));
    let mut all: Vec<_> = paths.chain(VALUES.iter().map(|(name, value)| (*name, (*value).into()))).collect();
    // Programs in Go collect garbage before they reach the limit of the kernel, which ends them.
    all.push(("GOMEMLIMIT", format!("{}B", limits.memory / 4 * 3).into()));
    if *network == NetworkAccess::None {
        let names = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"];
        all.extend(names.map(|name| (name, CLOSED_PROXY.into())));
    }
    all
}
