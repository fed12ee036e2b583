//! A Git repository that Argo CD reads.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A repository with a work tree; Argo CD reads it by its `file://` address.
pub struct Repository {
    directory: PathBuf,
}

impl Repository {
    /// Makes an empty repository.
    ///
    /// # Panics
    /// If the directory exists: two tests would then share an app.
    pub fn create(directory: PathBuf) -> Self {
        assert!(!directory.exists(), "another test has an app with the name of {}", directory.display());
        fs_err::create_dir_all(&directory).expect("a directory");
        let this = Self { directory };
        this.git(&["init", "--quiet", "--initial-branch=main"]);
        this
    }

    /// Returns the directory of the work tree.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the address.
    pub fn url(&self) -> String {
        format!("file://{}", self.directory.display())
    }

    /// Writes a file.
    pub fn write(&self, path: &str, text: &str) {
        let file = self.directory.join(path);
        fs_err::create_dir_all(file.parent().expect("a parent")).expect("a directory");
        fs_err::write(file, text).expect("writable");
    }

    /// Writes a symbolic link.
    pub fn link(&self, path: &str, target: &str) {
        let link = self.directory.join(path);
        fs_err::create_dir_all(link.parent().expect("a parent")).expect("a directory");
        std::os::unix::fs::symlink(target, link).expect("a new link");
    }

    /// Removes a file.
    pub fn remove(&self, path: &str) {
        fs_err::remove_file(self.directory.join(path)).expect("a file");
    }

    /// Commits all changes and returns the commit.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&[
            "-c",
            "user.name=e2e",
            "-c",
            "user.email=e2e@example.com",
            "commit",
            "--quiet",
            "--allow-empty",
            "-m",
            message,
        ]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", &self.directory);
        let output = command.current_dir(&self.directory).args(arguments).output().expect("git starts");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

/// Copies a directory with everything in it.
pub fn copy_tree(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.expect("readable");
        let target = to.join(entry.path().strip_prefix(from).expect("below it"));
        if entry.file_type().is_dir() {
            fs_err::create_dir_all(target).expect("a directory");
        } else {
            fs_err::copy(entry.path(), target).expect("a copy");
        }
    }
}
