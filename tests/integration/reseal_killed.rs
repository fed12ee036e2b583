//! `reseal` that is killed while it changes files: the next run finishes the change, whatever was done until then.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fs_err as fs;
use sealwave_secrets::SealingScope;
use sealwave_secrets::crypto::Certificate;
use sealwave_secrets::values::SecretValue;
use sealwave_testkit::{DangerPrivateKey, danger_unseal, git};

use crate::support::{private, root, sealwave};

/// So many that a kill in the middle of them comes in time.
const FILES: usize = 200;

const KEYS: [&str; 2] = ["rsa2048", "rsa3072"];

/// The progress of a run at which it is killed.
#[derive(Clone, Copy, Debug)]
enum KillPoint {
    /// The new contents of this file are beside it.
    Staged(usize),
    /// This file is replaced.
    Replaced(usize),
}

struct Checkout(tempfile::TempDir);

impl Checkout {
    fn new() -> Self {
        let checkout = Self(tempfile::tempdir().expect("a directory"));
        fs::create_dir_all(checkout.path("repository/envs/dev/sealed-secrets")).expect("created");
        for name in KEYS {
            for extension in ["key", "crt"] {
                let to = checkout.path(&format!("{name}.{extension}"));
                fs::copy(root().join(format!("testdata/sealed-secrets/{name}.{extension}")), &to)
                    .expect("copied");
                private(&to);
            }
        }
        let pem = fs::read(checkout.path("rsa2048.crt")).expect("readable");
        let certificate = Certificate::from_pem(&pem).expect("a certificate");
        for number in 0..FILES {
            let label = SealingScope::Strict.label("shop", &format!("s{number}"));
            let value = SecretValue::new(format!("value {number}").into_bytes());
            let item = certificate.seal_randomly(&label, &value).expect("sealed");
            let text = format!(
                "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {{name: s{number}, namespace: shop}}\n\
                 spec:\n  encryptedData:\n    k: {item}\n"
            );
            fs::write(checkout.file(number), text).expect("written");
        }
        let repository = checkout.path("repository");
        git(&repository, &["init", "--quiet"]);
        git(&repository, &["config", "user.name", "test"]);
        git(&repository, &["config", "user.email", "test@example.com"]);
        checkout.commit();
        checkout
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, number: usize) -> PathBuf {
        self.path(&format!("repository/envs/dev/sealed-secrets/s{number:03}.yaml"))
    }

    fn commit(&self) {
        git(&self.path("repository"), &["add", "."]);
        git(&self.path("repository"), &["commit", "--quiet", "--allow-empty", "-m", "files"]);
    }

    /// Returns the command that seals all files for one key with the other one.
    fn reseal(&self, to: usize) -> Command {
        let mut command = sealwave();
        command.current_dir(self.path("repository")).env("HOME", self.path("home"));
        command.args(["reseal", "--env", "dev", "--yes", "--commit", "--key"]);
        command.arg(self.path(&format!("{}.key", KEYS[1 - to])));
        command.arg("--cert").arg(self.path(&format!("{}.crt", KEYS[to])));
        command
    }

    /// Kills a run as soon as it has reached a point. Returns whether it had not ended before.
    fn kill(&self, to: usize, point: KillPoint) -> bool {
        let inode = |path: &Path| fs::symlink_metadata(path).map(|metadata| metadata.ino()).ok();
        let (path, before) = match point {
            KillPoint::Staged(number) => {
                let file = self.file(number);
                let name = format!(".{}.sealwave-new", file.file_name().expect("a name").display());
                (file.with_file_name(name), None)
            }
            KillPoint::Replaced(number) => (self.file(number), inode(&self.file(number))),
        };
        let mut run =
            self.reseal(to).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
        while inode(&path) == before {
            if run.try_wait().expect("a state").is_some() {
                return false;
            }
        }
        run.kill().expect("killed");
        !run.wait().expect("a state").success()
    }

    /// Requires that the next run seals everything for the key, commits it, and leaves nothing else behind.
    fn check_next_run(&self, to: usize, point: KillPoint) {
        let output = self.reseal(to).output().expect("the binary starts");
        assert!(output.status.success(), "{point:?}: {}", String::from_utf8_lossy(&output.stderr));
        let status = git(&self.path("repository"), &["status", "--porcelain", "--untracked-files=all"]);
        assert_eq!(status, "", "{point:?}");
        let pem = fs::read_to_string(self.path(&format!("{}.key", KEYS[to]))).expect("readable");
        let key = DangerPrivateKey::from_pem(&pem).expect("a key");
        for number in [0, 1, FILES / 2, FILES - 1] {
            let text = fs::read_to_string(self.file(number)).expect("readable");
            let item = text.lines().find_map(|line| line.trim().strip_prefix("k: ")).expect("an item");
            let label = SealingScope::Strict.label("shop", &format!("s{number}"));
            let value = danger_unseal(&key, &label, item).expect("sealed for the key");
            assert_eq!(value.expose_str(), Some(format!("value {number}").as_str()), "{point:?}");
        }
        let journals = fs::read_dir(self.path("home/.local/state/sealwave")).expect("a directory");
        let left: Vec<PathBuf> = journals.map(|entry| entry.expect("readable").path()).collect();
        assert!(
            left.iter().all(|path| path.extension().is_none_or(|end| end != "json")),
            "{point:?}: {left:?}"
        );
    }
}

#[test]
fn a_run_that_is_killed_is_finished_by_the_next_one() {
    let checkout = Checkout::new();
    let points = [
        KillPoint::Staged(0),
        KillPoint::Staged(FILES - 1),
        KillPoint::Replaced(0),
        KillPoint::Replaced(FILES / 2),
        KillPoint::Replaced(FILES - 1),
    ];
    let mut killed = 0;
    for (turn, point) in points.into_iter().enumerate() {
        let to = (turn + 1) % 2;
        killed += usize::from(checkout.kill(to, point));
        checkout.check_next_run(to, point);
    }
    assert!(killed > 0, "each run had ended before it was killed");
}
