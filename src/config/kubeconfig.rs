//! Which kubeconfigs kubectl would read here.

use std::path::{Path, PathBuf};

use super::Variables;

const KUBECONFIG: &str = "KUBECONFIG";

/// The kubeconfig that a flag names, else those that `KUBECONFIG` lists, else that of the user's home directory.
///
/// Files of a list that are not there are left out, as kubectl does it, unless none is there.
pub(crate) fn kubeconfigs(flag: Option<&Path>, variables: Variables) -> Vec<PathBuf> {
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
