//! Finds apps and manifest files below a directory.
//!
//! The result depends on the repository only, so it is the same on every machine: hidden files and files that a
//! `.gitignore` or the run excludes are skipped, and Helm charts are. Symbolic links to files are followed inside the repository, links
//! to directories are not. An entry that is named like a manifest but cannot be one is always reported: a broken link
//! or a pipe is kept, so that reading it fails; a link that leaves the repository is reported by its own path only.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};

use super::charts::{CHART_FILE, is_chart, is_part_of_chart, outermost};
use super::excludes::Excludes;
use crate::engine::is_kustomization;
use sealwave_core::reach::{PathReach, ReachError, repository_root};
use sealwave_secrets::settings::APP_FILE;

/// The apps and manifest files below a directory, in the order of paths.
#[derive(Debug, Default)]
pub(super) struct FoundFiles {
    /// Directories with an app file, whatever it contains.
    pub(super) apps: Vec<PathBuf>,
    /// Directories of Helm charts, without those within another chart or an app.
    pub(super) charts: Vec<PathBuf>,
    /// Manifest files that belong neither to an app nor to a chart.
    pub(super) files: Vec<PathBuf>,
    /// Directories that cannot be read, with the reasons.
    pub(super) unreadable: Vec<(PathBuf, ErrorKind)>,
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
    /// Returns an error if the directory itself cannot be read.
    pub(super) fn new(top: &Path, reach: &PathReach, excludes: &Excludes) -> Result<Self, ErrorKind> {
        let mut walked = Self::default();
        let real = fs_err::canonicalize(top).unwrap_or_else(|_| top.to_owned());
        for entry in walk(top, &real, excludes) {
            match entry {
                Ok(entry) => walked.add(&entry, &real, reach),
                Err(error) => walked.add_unreadable(&error, top)?,
            }
        }
        walked.drop_parts(top);
        Ok(walked)
    }

    /// Drops what belongs to an app or a chart.
    fn drop_parts(&mut self, top: &Path) {
        let Self { apps, charts, files, unreadable, links, outside } = self;
        let apps: HashSet<&Path> = apps.iter().map(PathBuf::as_path).collect();
        let is_app = |directory: &Path| apps.contains(directory);
        outermost(charts, is_app);
        let is_in_chart = |path: &Path| {
            charts.iter().any(|chart| {
                path.strip_prefix(chart).is_ok_and(|inside| is_part_of_chart(inside, chart == top))
            })
        };
        let is_part = |path: &Path| path.ancestors().any(is_app) || is_in_chart(path);
        for paths in [files, links, outside] {
            paths.retain(|path| !is_part(path));
        }
        unreadable.retain(|(path, _)| !is_part(path));
    }

    fn add_unreadable(&mut self, error: &ignore::Error, top: &Path) -> Result<(), ErrorKind> {
        let reason = error.io_error().map_or(ErrorKind::Other, std::io::Error::kind);
        match error_path(error).filter(|path| *path != top) {
            Some(path) => self.unreadable.push((path.to_owned(), reason)),
            None => return Err(reason),
        }
        Ok(())
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
            EntryType::File if path.ends_with(CHART_FILE) && is_chart(path, reach) => {
                self.charts.extend(path.parent().map(Path::to_owned));
            }
            // A name with another extension is unlikely to be a directory.
            EntryType::Outside if is_manifest(path) || path.extension().is_none() => {
                self.outside.push(path.to_owned());
            }
            EntryType::File | EntryType::Odd
                if is_manifest(path) || is_kustomization(&path.to_string_lossy()) =>
            {
                self.files.push(path.to_owned());
            }
            EntryType::File | EntryType::Odd | EntryType::Outside => {}
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
fn walk(top: &Path, real: &Path, excludes: &Excludes) -> ignore::Walk {
    let in_repository = repository_root(real).is_some();
    manifest_walk(top, real, excludes).require_git(in_repository).build()
}

/// Returns a walk in the order of names, without hidden files and files that a `.gitignore` or the run excludes.
pub(super) fn manifest_walk(top: &Path, real: &Path, excludes: &Excludes) -> WalkBuilder {
    let mut walk = WalkBuilder::new(top);
    walk.ignore(false).git_global(false).git_exclude(false).sort_by_file_name(std::ffi::OsStr::cmp);
    let (top, real, excludes) = (top.to_owned(), real.to_owned(), excludes.clone());
    walk.filter_entry(move |entry| {
        let is_directory = entry.file_type().is_some_and(|kind| kind.is_dir());
        let inside = entry.path().strip_prefix(&top).unwrap_or(entry.path());
        entry.depth() == 0 || !excludes.excludes(&real.join(inside), is_directory)
    });
    walk
}

/// Returns the path at which a walk failed.
fn error_path(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithDepth { err, .. } => error_path(err),
        ignore::Error::WithPath { path, .. } => Some(path),
        _ => None,
    }
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
