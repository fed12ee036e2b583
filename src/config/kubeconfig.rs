//! Locates kubeconfigs like kubectl.

use std::path::{Path, PathBuf};

use super::VariableReader;

const KUBECONFIG: &str = "KUBECONFIG";

/// Returns the kubeconfig given by a flag, else those listed in `KUBECONFIG`, else that of the user's home directory.
///
/// Like kubectl, skips missing files of a list, unless all are missing.
pub(crate) fn kubeconfigs(flag: Option<&Path>, variables: VariableReader) -> Vec<PathBuf> {
    if let Some(file) = flag {
        return vec![file.to_owned()];
    }
    let named = variables(KUBECONFIG).unwrap_or_default();
    let listed: Vec<PathBuf> =
        std::env::split_paths(&named).filter(|path| !path.as_os_str().is_empty()).collect();
    if listed.is_empty() {
        let home = variables("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
        return home.map(|home| home.join(".kube/config")).filter(|file| file.exists()).into_iter().collect();
    }
    if listed.iter().any(|file| file.exists()) {
        listed.into_iter().filter(|file| file.exists()).collect()
    } else {
        listed
    }
}
