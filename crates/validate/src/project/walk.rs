//! Finds apps and manifest files below a directory.
//!
//! The result depends on the repository only, so it is the same on every machine: hidden files and files that a
//! `.gitignore` lists are skipped, nothing else is. Symbolic links to files are followed inside the repository, links
//! to directories are not. An entry that is named like a manifest but cannot be one is always reported: a broken link
//! is kept, so that reading it fails; a link that leaves the repository is reported by its own path only.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};

use sealwave_core::reach::{PathReach, ReachError, repository_root};
use sealwave_secrets::settings::APP_FILE;

/// The apps and manifest files below a directory, in the order of paths.
#[derive(Debug, Default)]
pub(super) struct FoundFiles {
    /// Directories with an app file, whatever it contains.
    pub(super) apps: Vec<PathBuf>,
    /// Manifest files that do not belong to an app.
    pub(super) files: Vec<PathBuf>,
    /// Entries named like a manifest that are neither files nor directories.
    pub(super) not_regular: Vec<PathBuf>,
    /// Symbolic links to directories elsewhere in the repository.
    pub(super) links: Vec<PathBuf>,
    /// Symbolic links that leave the repository and may lead to manifests.
    pub(super) outside: Vec<PathBuf>,
}

/// The type of a directory entry.
enum EntryType {
    Directory,
    /// A directory outside the one that is searched.
    Elsewhere,
    File,
    /// A pipe, a socket or a device.
    Odd,
    /// A link that leaves the repository; its target is not examined.
    Outside,
}

impl FoundFiles {
    /// Searches everything below a directory.
    ///
    /// # Errors
    /// Returns an error if a directory cannot be read.
    pub(super) fn new(top: &Path, reach: &PathReach) -> Result<Self, ignore::Error> {
        let mut walked = Self::default();
        let real = fs_err::canonicalize(top).unwrap_or_else(|_| top.to_owned());
        for entry in walk(top, &real) {
            walked.add(&entry?, &real, reach);
        }
        let Self { apps, files, not_regular: odd, links, outside } = &mut walked;
        let apps: HashSet<&Path> = apps.iter().map(PathBuf::as_path).collect();
        for paths in [files, odd, links, outside] {
            paths.retain(|path| !path.ancestors().any(|directory| apps.contains(directory)));
        }
        Ok(walked)
    }

    fn add(&mut self, entry: &DirEntry, top: &Path, reach: &PathReach) {
        let path = entry.path();
        let is_link = entry.path_is_symlink() && entry.depth() > 0;
        let is_app_file = path.file_name().is_some_and(|name| name == APP_FILE);
        let entry_type = if is_link { target_type(path, top, reach) } else { entry_type(path) };
        match entry_type {
            EntryType::Elsewhere => self.links.push(path.to_owned()),
            EntryType::Directory => {}
            _ if is_app_file => self.apps.extend(path.parent().map(Path::to_owned)),
            // A name with another extension is unlikely to be a directory.
            EntryType::Outside if is_manifest(path) || path.extension().is_none() => {
                self.outside.push(path.to_owned());
            }
            EntryType::Outside => {}
            _ if !is_manifest(path) => {}
            EntryType::File => self.files.push(path.to_owned()),
            EntryType::Odd => self.not_regular.push(path.to_owned()),
        }
    }
}

/// Reports whether a directory has an app file, whatever it contains.
pub(super) fn is_app(directory: &Path) -> bool {
    let file = directory.join(APP_FILE);
    file.symlink_metadata().is_ok() && !file.is_dir()
}

/// Walks a directory, reading `.gitignore` files up to the root of the repository, as Git does; outside a repository,
/// in all parent directories.
fn walk(top: &Path, real: &Path) -> ignore::Walk {
    let in_repository = repository_root(real).is_some();
    manifest_walk(top).require_git(in_repository).build()
}

/// Returns a walk in the order of names, without hidden files and files that a `.gitignore` lists.
pub(super) fn manifest_walk(top: &Path) -> WalkBuilder {
    let mut walk = WalkBuilder::new(top);
    walk.ignore(false).git_global(false).git_exclude(false).sort_by_file_name(std::ffi::OsStr::cmp);
    walk
}

/// Returns the type of a link's target; a broken link is a file that cannot be read.
fn target_type(link: &Path, top: &Path, reach: &PathReach) -> EntryType {
    match reach.resolve(link) {
        Ok(real) => match entry_type(&real) {
            EntryType::Directory if !real.starts_with(top) => EntryType::Elsewhere,
            entry_type => entry_type,
        },
        Err(ReachError::Outside) => EntryType::Outside,
        Err(_) => EntryType::File,
    }
}

fn entry_type(path: &Path) -> EntryType {
    match fs_err::metadata(path) {
        Ok(about) if about.is_dir() => EntryType::Directory,
        Ok(about) if !about.is_file() => EntryType::Odd,
        Ok(_) | Err(_) => EntryType::File,
    }
}

pub(super) fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known))
}
