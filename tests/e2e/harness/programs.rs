//! The paths of the programs: those that `scripts/e2e` built, and those of Debian.

use std::path::PathBuf;

use super::availability::state_directory;

/// The names of the programs that `scripts/e2e` builds or copies.
const BUILT: [&str; 10] = [
    "argocd",
    "external-secrets",
    "git-verify-wrapper.sh",
    "gpg-wrapper.sh",
    "helm",
    "kube-apiserver",
    "kube-controller-manager",
    "kubeseal",
    "kustomize",
    "sealed-secrets-controller",
];

/// The programs of the stack; each is known to exist.
#[derive(Clone)]
pub struct Programs {
    built: PathBuf,
}

impl Programs {
    /// Finds the programs.
    ///
    /// # Errors
    /// Names a program that is missing, and how to get it.
    pub fn find() -> Result<Self, String> {
        let built = state_directory().join("bin");
        for name in BUILT {
            if !built.join(name).is_file() {
                return Err(format!("`{name}` is not built; scripts/e2e builds it (it needs Go)"));
            }
        }
        for (name, package) in [("etcd", "etcd-server"), ("redis-server", "redis-server"), ("git", "git")] {
            if in_path(name).is_none() {
                return Err(format!("`{name}` is not installed; on Debian, install the package {package}"));
            }
        }
        Ok(Self { built })
    }

    /// Returns the path of a program that is built.
    pub fn built(&self, name: &str) -> PathBuf {
        assert!(BUILT.contains(&name), "{name} is not a program of the stack");
        self.built.join(name)
    }

    /// Returns the path of a program of the system.
    pub fn system(name: &str) -> PathBuf {
        in_path(name).unwrap_or_else(|| panic!("{name} was there at the start"))
    }

    /// Returns the directory of files that come with the programs: custom resource definitions.
    pub fn share(&self) -> PathBuf {
        self.built.with_file_name("share")
    }

    /// Returns the program under test: that of this build, or for benchmarks another one.
    pub fn sealwave() -> PathBuf {
        std::env::var_os("SEALWAVE_E2E_PROGRAM")
            .map_or_else(|| env!("CARGO_BIN_EXE_sealwave").into(), PathBuf::from)
    }
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file())
}
