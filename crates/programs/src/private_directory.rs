//! The private directory of a run, and its removal whatever the program left in it.

use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;
use tempfile::Builder;

use crate::environment::DIRECTORIES;

/// The file with the standard input of the program, in the private directory.
pub(crate) const INPUT_FILE: &str = "input";

/// A directory that only this user can access; removed when dropped.
pub(crate) struct PrivateDirectory {
    path: PathBuf,
}

impl PrivateDirectory {
    /// Creates the directory with its empty directories.
    ///
    /// # Errors
    /// The system refuses.
    pub(crate) fn new(parent: &Path) -> io::Result<Self> {
        // Programs get the full path, as their working directory is another one.
        let parent = fs::canonicalize(parent)?;
        let path = private(Builder::new().prefix("sealwave-run-")).tempdir_in(parent)?.keep();
        let directory = Self { path };
        for name in DIRECTORIES {
            fs::create_dir(directory.path.join(name))?;
        }
        Ok(directory)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PrivateDirectory {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Removes a directory to which no process writes any more. Works without access to its subdirectories, and however deep
/// they are: each is first moved to the top, so no path is long and nothing is recursive. Links are removed, not followed.
pub(crate) fn remove(top: &Path) {
    let mut moved = 0_u64;
    let mut waiting = vec![top.to_owned()];
    while let Some(directory) = waiting.pop() {
        make_accessible(&directory);
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                // What cannot be removed stays; the next step reports nothing either, as the run is over.
                let _ = fs::remove_file(&path);
                continue;
            }
            make_accessible(&path);
            moved += 1;
            let flat = top.join(format!(".removed-{moved}"));
            let is_flat = fs::rename(&path, &flat).is_ok();
            waiting.push(if is_flat { flat } else { path });
        }
        if directory != top {
            let _ = fs::remove_dir(&directory);
        }
    }
    let _ = fs::remove_dir(top);
}

/// Creates the directory with its final mode from the beginning.
#[cfg(unix)]
fn private<'a, 'b, 'c>(builder: &'a mut Builder<'b, 'c>) -> &'a mut Builder<'b, 'c> {
    use std::os::unix::fs::PermissionsExt as _;

    builder.permissions(std::fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn private<'a, 'b, 'c>(builder: &'a mut Builder<'b, 'c>) -> &'a mut Builder<'b, 'c> {
    builder
}

#[cfg(unix)]
fn make_accessible(directory: &Path) {
    use std::os::unix::fs::PermissionsExt as _;

    let _ = fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700));
}

#[cfg(not(unix))]
fn make_accessible(_directory: &Path) {}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn everything_is_removed_and_nothing_outside() {
        let parent = tempfile::tempdir().unwrap();
        let outside = parent.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("kept"), "").unwrap();
        let directory = PrivateDirectory::new(parent.path()).unwrap();
        assert_eq!(fs::metadata(directory.path()).unwrap().permissions().mode() & 0o777, 0o700);
        let home = directory.path().join("home");
        symlink(&outside, home.join("link")).unwrap();
        fs::write(home.join(".removed-1"), "").unwrap();
        fs::create_dir_all(home.join("a/b/.removed-2/c")).unwrap();
        fs::write(home.join("a/b/file"), "").unwrap();
        fs::set_permissions(home.join("a/b"), std::fs::Permissions::from_mode(0o000)).unwrap();
        drop(directory);
        let left: Vec<_> = fs::read_dir(parent.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(left, std::slice::from_ref(&outside));
        assert!(outside.join("kept").exists());
    }

    #[test]
    fn depth_does_not_matter() {
        let parent = tempfile::tempdir().unwrap();
        let directory = PrivateDirectory::new(parent.path()).unwrap();
        // Longer than any path: built from the inside out.
        let mut inner = directory.path().join("tmp/0");
        fs::create_dir(&inner).unwrap();
        for level in 1..2100 {
            let outer = directory.path().join(format!("tmp/{level}"));
            fs::create_dir(&outer).unwrap();
            fs::rename(&inner, outer.join("d")).unwrap();
            inner = outer;
        }
        drop(directory);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }
}
