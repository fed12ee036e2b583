//! Files that flags name, where a commit has made links of parts of their paths: every command refuses to write through them.

use std::path::PathBuf;
use std::process::{Output, Stdio};

use fs_err::os::unix::fs::symlink;

use crate::support::{root, sealwave};

const SECRET: &str =
    "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nstringData: {password: x}\n";
const REFUSED: &str = "of a repository is a symbolic link, or is behind one";

/// A repository with links to another directory and to its own hooks.
struct LinkedCheckout(tempfile::TempDir);

impl LinkedCheckout {
    fn new() -> Self {
        let checkout = Self(tempfile::tempdir().expect("a directory"));
        for name in ["repository/.git/hooks", "outside"] {
            fs_err::create_dir_all(checkout.path(name)).expect("created");
        }
        for (to, name) in [("../outside", "out"), (".git/hooks", "hooks"), ("../outside/new", "link")] {
            symlink(to, checkout.path("repository").join(name)).expect("a link");
        }
        let testdata = |name: &str| root().join("testdata/sealed-secrets").join(name);
        fs_err::copy(testdata("rsa2048.crt"), checkout.path("dev.pem")).expect("copied");
        fs_err::copy(testdata("rsa2048.key"), checkout.path("key.pem")).expect("copied");
        fs_err::write(checkout.path("secret.yaml"), SECRET).expect("written");
        let sealed = checkout.run(&["seal", "secret.yaml", "--cert", "dev.pem", "-w", "sealed.yaml"]);
        assert!(sealed.status.success(), "{}", String::from_utf8_lossy(&sealed.stderr));
        checkout
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = sealwave();
        command.current_dir(self.0.path()).args(args).stdin(Stdio::null()).output().expect("it starts")
    }

    /// Requires that nothing was written where the links lead.
    fn require_untouched(&self, what: &str) {
        for name in ["outside", "repository/.git/hooks"] {
            let written = fs_err::read_dir(self.path(name)).expect("readable").count();
            assert_eq!(written, 0, "{what}: {name}");
        }
    }
}

#[test]
fn no_command_writes_through_a_link_of_a_repository() {
    let checkout = LinkedCheckout::new();
    let commands: [&[&str]; 9] = [
        &["seal", "secret.yaml", "--cert", "dev.pem", "-w", "PATH"],
        &["cert", "fetch", "--cert", "dev.pem", "-w", "PATH"],
        &["unseal", "sealed.yaml", "--key", "key.pem", "-w", "PATH"],
        &["key", "generate", "-o", "PATH"],
        &["key", "generate", "--checksum-output", "PATH"],
        &["key", "generate", "--derivation-output", "PATH"],
        &["validate", "secret.yaml", "-o", "sarif=PATH"],
        &["validate", "secret.yaml", "--write-baseline", "PATH"],
        &["reseal", "sealed.yaml", "--cert", "dev.pem", "--key", "key.pem", "--yes", "--state-dir", "PATH"],
    ];
    for command in commands {
        for path in ["repository/out/new", "repository/hooks/pre-commit", "repository/link"] {
            let args: Vec<String> = command.iter().map(|arg| arg.replace("PATH", path)).collect();
            let output = checkout.run(&args.iter().map(String::as_str).collect::<Vec<_>>());
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
            // A new private file is never a link, in a repository or not.
            let is_taken = path.ends_with("link") && stderr.contains("already exists");
            let is_explained =
                stderr.contains(REFUSED) && stderr.contains("pass the path that the link leads to");
            assert!(is_explained || is_taken, "{args:?}: {stderr}");
            checkout.require_untouched(&format!("{args:?}"));
        }
        // The same command writes to a path without links.
        let args: Vec<String> = command.iter().map(|arg| arg.replace("PATH", "repository/own")).collect();
        let output = checkout.run(&args.iter().map(String::as_str).collect::<Vec<_>>());
        let own = checkout.path("repository/own");
        assert!(own.exists(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        let _ = fs_err::remove_file(&own);
        let _ = fs_err::remove_dir_all(&own);
    }
}

#[test]
fn init_writes_no_app_file_behind_a_link_of_a_repository() {
    let checkout = LinkedCheckout::new();
    for directory in ["repository/out", "repository/hooks"] {
        let output = checkout.run(&["init", directory]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(REFUSED), "{stderr}");
        checkout.require_untouched(directory);
    }
}
