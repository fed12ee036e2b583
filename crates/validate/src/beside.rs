//! Files beside an app that Git takes: those whose names are known for credentials, and the values files.
//!
//! Only the directory of the app is looked at, without apps below it. Links are not followed, what a `.gitignore` names is
//! passed over, and how many files are read, and how much of each, is bounded. What was read is zeroed when it is dropped,
//! and only rules see it.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::Path;

use ignore::{DirEntry, WalkBuilder};
use zeroize::Zeroizing;

use super::examine::ExaminedApp;
use crate::rules::{FileBeside, FileForm, form_of_file};
use sealwave_core::reach::{Reach, repository_root};
use sealwave_pipeline::Discovery;
use sealwave_secrets::crypto::{CHECKSUM_KEY_PREFIX, KEY_PREFIX, MIN_KEY_BYTES};
use sealwave_secrets::settings::APP_FILE;

/// Files and directories that are looked at.
const MAX_ENTRIES: usize = 20_000;
/// Directories within directories.
const MAX_DEPTH: usize = 16;
/// Files that are read.
const MAX_FILES: usize = 200;
/// Bytes of one file.
const MAX_BYTES: u64 = 256 << 10;

impl ExaminedApp {
    /// Reads the files beside the app that may hold credentials; what cannot be read is passed over.
    pub fn read_beside(&mut self, discovery: &Discovery) {
        let reach = discovery.reach();
        let root = discovery.root();
        for entry in walk(root).flatten().take(MAX_ENTRIES) {
            if self.beside.len() >= MAX_FILES {
                return;
            }
            if !entry.file_type().is_some_and(|kind| kind.is_file()) {
                continue;
            }
            let Ok(relative) = entry.path().strip_prefix(root) else { continue };
            let form = form_of(relative);
            let Some((form, content)) = form.and_then(|form| Some((form, read(entry.path(), &reach)?)))
            else {
                continue;
            };
            let name = relative.file_name().and_then(OsStr::to_str).unwrap_or_default();
            let is_own_key = is_own_key(name, &content);
            let source = self.sources.add(discovery.name_of(relative));
            self.beside.push(FileBeside { source, form, content, is_own_key });
        }
    }
}

/// In the order of names, with hidden files.
fn walk(root: &Path) -> ignore::Walk {
    let mut walk = WalkBuilder::new(root);
    walk.hidden(false)
        .ignore(false)
        .git_global(false)
        .git_exclude(false)
        .require_git(repository_root(root).is_some())
        .max_depth(Some(MAX_DEPTH))
        .follow_links(false)
        .sort_by_file_name(OsStr::cmp)
        .filter_entry(|entry| entry.file_name() != ".git" && !is_other_app(entry));
    walk.build()
}

fn is_other_app(entry: &DirEntry) -> bool {
    entry.depth() > 0
        && entry.file_type().is_some_and(|kind| kind.is_dir())
        && entry.path().join(APP_FILE).symlink_metadata().is_ok()
}

fn form_of(relative: &Path) -> Option<FileForm> {
    let parts: Vec<&str> = relative.iter().map(OsStr::to_str).collect::<Option<_>>()?;
    match parts.as_slice() {
        ["values.yaml"] | ["envs", _, "values.yaml"] => Some(FileForm::Values),
        [.., name] if is_named_as_own_key(name) => Some(FileForm::Pem),
        _ => form_of_file(&parts.join("/")),
    }
}

fn read(path: &Path, reach: &Reach) -> Option<Zeroizing<Vec<u8>>> {
    let file = reach.open(path).ok()?;
    let length = file.metadata().ok()?.len().min(MAX_BYTES);
    // All at once: a buffer that grows leaves copies behind.
    let mut content = Zeroizing::new(Vec::with_capacity(usize::try_from(length).ok()?));
    file.take(length).read_to_end(&mut content).ok()?;
    Some(content)
}

/// Returns whether a file has the name that `key generate` and the documentation give to a key.
fn is_named_as_own_key(name: &str) -> bool {
    let stem = ["seal-key", "checksum-key"].iter().find_map(|stem| name.strip_prefix(stem));
    let extension = |rest: &str| rest.rsplit_once('.').map(|(_, extension)| extension.to_owned());
    stem.is_some_and(|rest| extension(rest).is_none_or(|extension| matches!(&*extension, "key" | "txt")))
}

/// Returns whether a file is a key that sealwave takes: a generated one, or as many bytes under the name of one.
fn is_own_key(name: &str, content: &[u8]) -> bool {
    let trimmed = content.trim_ascii_start();
    [KEY_PREFIX, CHECKSUM_KEY_PREFIX].iter().any(|prefix| trimmed.starts_with(prefix.as_bytes()))
        || is_named_as_own_key(name) && content.len() >= MIN_KEY_BYTES
}
