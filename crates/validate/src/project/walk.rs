//! What is below a directory: apps, and files of manifests.
//!
//! Only what lies in the repository decides, so that every machine sees the same: hidden files and what a `.gitignore`
//! names are left out, nothing else is. Links to files are followed inside the repository, links to directories are not.
//! What has the name of a manifest and cannot be one is always reported: a broken link is kept, so that reading it fails,
//! and of a link that leads out of the repository nothing but its own path is known.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};

use sealwave_core::reach::{Reach, ReachError, repository_root};
use sealwave_secrets::settings::APP_FILE;

/// What is below a directory, in the order of paths.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// Directories with an app file, whatever is in it.
    pub(super) apps: Vec<PathBuf>,
    /// Files of manifests that are in no app.
    pub(super) files: Vec<PathBuf>,
    /// What is named like a manifest and is neither a file nor a directory.
    pub(super) odd: Vec<PathBuf>,
    /// Links to directories that lead elsewhere in the repository.
    pub(super) links: Vec<PathBuf>,
    /// Links that lead out of the repository, where manifests may be behind them.
    pub(super) outside: Vec<PathBuf>,
}

/// What a name stands for.
enum Kind {
    Directory,
    /// A directory that is not below the one that is walked.
    Elsewhere,
    File,
    /// A pipe, a socket, a device.
    Odd,
    /// Something out of reach: nothing more is known of it.
    Outside,
}

impl Walked {
    /// Looks at everything below a directory.
    ///
    /// # Errors
    /// A directory that cannot be read.
    pub(super) fn new(top: &Path, reach: &Reach) -> Result<Self, ignore::Error> {
        let mut walked = Self::default();
        let real = fs_err::canonicalize(top).unwrap_or_else(|_| top.to_owned());
        for entry in walk(top, &real) {
            walked.take(&entry?, &real, reach);
        }
        let Self { apps, files, odd, links, outside } = &mut walked;
        let apps: HashSet<&Path> = apps.iter().map(PathBuf::as_path).collect();
        for paths in [files, odd, links, outside] {
            paths.retain(|path| !path.ancestors().any(|directory| apps.contains(directory)));
        }
        Ok(walked)
    }

    fn take(&mut self, entry: &DirEntry, top: &Path, reach: &Reach) {
        let path = entry.path();
        let is_link = entry.path_is_symlink() && entry.depth() > 0;
        let is_app_file = path.file_name().is_some_and(|name| name == APP_FILE);
        let kind = if is_link { kind_behind(path, top, reach) } else { kind(path) };
        match kind {
            Kind::Elsewhere => self.links.push(path.to_owned()),
            Kind::Directory => {}
            _ if is_app_file => self.apps.extend(path.parent().map(Path::to_owned)),
            // What has an extension of its own is hardly a directory.
            Kind::Outside if is_manifest(path) || path.extension().is_none() => {
                self.outside.push(path.to_owned());
            }
            Kind::Outside => {}
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

/// As Git looks for `.gitignore`: up to the top of the repository, and no farther; all the way up where there is none.
fn walk(top: &Path, real: &Path) -> ignore::Walk {
    let in_repository = repository_root(real).is_some();
    files(top).require_git(in_repository).build()
}

/// A walk in the order of names, without hidden files and what `.gitignore` names.
pub(super) fn files(top: &Path) -> WalkBuilder {
    let mut walk = WalkBuilder::new(top);
    walk.ignore(false).git_global(false).git_exclude(false).sort_by_file_name(std::ffi::OsStr::cmp);
    walk
}

/// What is behind a link counts; a link that leads nowhere is a file that cannot be read.
fn kind_behind(link: &Path, top: &Path, reach: &Reach) -> Kind {
    match reach.resolve(link) {
        Ok(real) => match kind(&real) {
            Kind::Directory if !real.starts_with(top) => Kind::Elsewhere,
            kind => kind,
        },
        Err(ReachError::Outside) => Kind::Outside,
        Err(_) => Kind::File,
    }
}

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
