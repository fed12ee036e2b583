//! A repository with sealed files, for tests of this module.

use std::path::PathBuf;

use fs_err as fs;

use super::plan::{PlanInput, ResealPlan};
use super::{OfflineEngine, ResealEngine, SealedTree};
use crate::key_files::UnsealKeys;
use crate::progress::HiddenProgress;
use crate::work_tree::WorkTree;
use sealwave_core::diagnostic::Failure;
use sealwave_secrets::SealingScope;
use sealwave_secrets::crypto::Certificate;
use sealwave_secrets::values::SecretValue;
use sealwave_testkit::git;

/// A value that no message, plan or journal may contain.
pub(super) const CANARY: &str = "CANARY-reseal";

pub(super) struct Repository {
    directory: tempfile::TempDir,
}

pub(super) fn certificate(name: &str) -> Certificate {
    Certificate::from_pem(&fs::read(testdata(name)).expect("a certificate")).expect("valid")
}

pub(super) fn keys(names: &[&str]) -> UnsealKeys {
    let files: Vec<PathBuf> = names.iter().map(|name| testdata(name)).collect();
    UnsealKeys::read(&files, &[], &mut Vec::new()).unwrap_or_else(|failure| panic!("{failure}"))
}

pub(super) fn testdata(name: &str) -> PathBuf {
    sealwave_testkit::repository_root().join("testdata/sealed-secrets").join(name)
}

/// Returns a ciphertext of an item of the object `shop/<name>`.
pub(super) fn ciphertext(certificate: &Certificate, name: &str, value: &str) -> String {
    let label = SealingScope::Strict.label("shop", name);
    certificate.seal_randomly(&label, &SecretValue::new(value.as_bytes().to_vec())).expect("sealed")
}

/// Returns a SealedSecret `shop/<name>` with the item `password`.
pub(super) fn sealed(certificate: &Certificate, name: &str) -> String {
    let item = ciphertext(certificate, name, &format!("{CANARY} {name}"));
    format!(
        "# of {name}\napiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  name: {name}\n  namespace: shop\nspec:\n  encryptedData:\n    password: {item} # rotated by hand\n"
    )
}

impl Repository {
    /// Creates a checkout whose files are committed.
    pub(super) fn new(files: &[(&str, String)]) -> Self {
        let repository = Self { directory: tempfile::tempdir().expect("a directory") };
        repository.git(&["init", "--quiet", "--initial-branch", "main"]);
        repository.git(&["config", "user.name", "test"]);
        repository.git(&["config", "user.email", "test@example.com"]);
        for (path, text) in files {
            repository.write(path, text);
        }
        repository.commit();
        repository
    }

    /// Creates a checkout with twelve sealed files of the environment `dev`.
    pub(super) fn with_twelve_files() -> Self {
        let old = certificate("rsa2048.crt");
        let files: Vec<(String, String)> =
            (1..=12).map(|number| (path_of(number), sealed(&old, &format!("secret-{number:02}")))).collect();
        let files: Vec<(&str, String)> =
            files.iter().map(|(path, text)| (path.as_str(), text.clone())).collect();
        Self::new(&files)
    }

    pub(super) fn path(&self) -> PathBuf {
        fs::canonicalize(self.directory.path()).expect("a directory")
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let full = self.path().join(path);
        fs::create_dir_all(full.parent().expect("a parent")).expect("created");
        fs::write(full, text).expect("written");
    }

    pub(super) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).expect("readable")
    }

    pub(super) fn commit(&self) {
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", "files"]);
    }

    pub(super) fn git(&self, args: &[&str]) -> String {
        git(&self.path(), args)
    }

    /// Returns the changed and new files.
    pub(super) fn changed(&self) -> Vec<String> {
        self.git(&["status", "--porcelain", "--untracked-files=all"])
            .lines()
            .map(|line| line[3..].to_owned())
            .collect()
    }

    pub(super) fn work_tree(&self) -> WorkTree {
        WorkTree::find(&self.path()).expect("accepted").expect("a checkout")
    }

    pub(super) fn tree(&self) -> SealedTree {
        SealedTree::find(&[self.path()], &[]).unwrap_or_else(|failure| panic!("{failure}"))
    }

    pub(super) fn plan_with(
        &self,
        certificate: &Certificate,
        engine: &dyn ResealEngine,
    ) -> Result<ResealPlan, Failure> {
        let tree = self.tree();
        let input =
            PlanInput { tree: &tree, certificate, engine, namespace: None, progress: &HiddenProgress };
        ResealPlan::new(&input)
    }

    /// Plans the change from the small key to the large one.
    pub(super) fn plan(&self) -> Result<ResealPlan, Failure> {
        let (keys, new) = (keys(&["rsa2048.key", "rsa4096.key"]), certificate("rsa4096.crt"));
        self.plan_with(&new, &OfflineEngine::new(&keys, &new))
    }
}

pub(super) fn path_of(number: usize) -> String {
    format!("envs/dev/sealed-secrets/app-{}/sealed-{number:02}.yaml", number % 3)
}

/// Returns the text of an error and its hints.
pub(super) fn text_of(failure: &Failure) -> String {
    let hint = |problem: &sealwave_core::diagnostic::Problem| problem.hint.clone().unwrap_or_default();
    let texts = failure.problems().iter().map(|problem| format!("{problem}\n{}", hint(problem)));
    texts.collect::<Vec<_>>().join("\n")
}
