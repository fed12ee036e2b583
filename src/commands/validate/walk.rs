//! What is below a directory: apps, and files of manifests.
//!
//! Only what lies in the repository decides, so that every machine sees the same: hidden files and what a `.gitignore`
//! names are left out, nothing else is. Links to files are followed, links to directories are not. What has the name of
//! a manifest and cannot be one is never passed over without a word: a broken link is kept, so that reading it fails.

use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};

use crate::model::APP_FILE;

/// What is below a directory, in the order of paths.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// Directories with an app file, whatever is in it.
    pub(super) apps: Vec<PathBuf>,
    /// Files of manifests that are in no app.
    pub(super) files: Vec<PathBuf>,
    /// What is named like a manifest and is neither a file nor a directory.
    pub(super) odd: Vec<PathBuf>,
    /// Links to directories that lead elsewhere.
    pub(super) links: Vec<PathBuf>,
}

/// What a name stands for.
enum Kind {
    Directory,
    File,
    /// A pipe, a socket, a device.
    Odd,
}

impl Walked {
    /// Looks at everything below a directory.
    ///
    /// # Errors
    /// A directory that cannot be read.
    pub(super) fn new(top: &Path) -> Result<Self, ignore::Error> {
        let mut walked = Self::default();
        let real = fs_err::canonicalize(top).unwrap_or_else(|_| top.to_owned());
        for entry in walk(top, &real) {
            walked.take(&entry?, &real);
        }
        let Self { apps, files, odd, links } = &mut walked;
        for paths in [files, odd, links] {
            paths.retain(|path| !apps.iter().any(|app| path.starts_with(app)));
        }
        Ok(walked)
    }

    fn take(&mut self, entry: &DirEntry, top: &Path) {
        let path = entry.path();
        let is_link = entry.path_is_symlink() && entry.depth() > 0;
        let is_app_file = path.file_name().is_some_and(|name| name == APP_FILE);
        match kind(path) {
            Kind::Directory if is_link => {
                let inside = fs_err::canonicalize(path).is_ok_and(|real| real.starts_with(top));
                self.links.extend((!inside).then(|| path.to_owned()));
            }
            Kind::Directory => {}
            _ if is_app_file => self.apps.extend(path.parent().map(Path::to_owned)),
            _ if !is_manifest(path) => {}
            Kind::File => self.files.push(path.to_owned()),
            Kind::Odd => self.odd.push(path.to_owned()),
        }
    }
}

/// Whether a directory has an app file, whatever is in it.
pub(super) fn is_app(directory: &Path) -> bool {
    let file = directory.join(APP_FILE);
    file.symlink_metadata().is_ok() && !file.is_dir()
}

/// Whether a directory looks like the top of a Git repository.
pub(super) fn is_repository(directory: &Path) -> bool {
    // In a worktree and in a submodule it is a file.
    directory.join(".git").symlink_metadata().is_ok()
}

/// As Git looks for `.gitignore`: up to the top of the repository, and no farther; all the way up where there is none.
fn walk(top: &Path, real: &Path) -> ignore::Walk {
    let in_repository = real.ancestors().any(is_repository);
    files(top).require_git(in_repository).build()
}

/// A walk in the order of names, without hidden files and what `.gitignore` names.
pub(super) fn files(top: &Path) -> WalkBuilder {
    let mut walk = WalkBuilder::new(top);
    walk.ignore(false).git_global(false).git_exclude(false).sort_by_file_name(std::ffi::OsStr::cmp);
    walk
}

/// What is behind a link counts; a link that leads nowhere is a file that cannot be read.
fn kind(path: &Path) -> Kind {
    match fs_err::metadata(path) {
        Ok(about) if about.is_dir() => Kind::Directory,
        Ok(about) if !about.is_file() => Kind::Odd,
        Ok(_) | Err(_) => Kind::File,
    }
}

pub(super) fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known))
}
