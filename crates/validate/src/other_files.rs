//! Reads other files in an app's directory that may be committed: files with names typical of credentials, and values
//! files.
//!
//! Only the app's directory is searched, without apps below it. Symbolic links are not followed, and files that a
//! `.gitignore` lists are skipped. The number of files and the bytes of each are limited. Contents are zeroed on drop,
//! and only rules see them.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::Path;

use ignore::{DirEntry, WalkBuilder};
use zeroize::Zeroizing;

use super::examine::ExaminedApp;
use crate::facts::credential::files::{CredentialFileFormat, credential_file_format};
use crate::facts::scene::TrackedFile;
use sealwave_core::reach::{PathReach, repository_root};
use sealwave_pipeline::Discovery;
use sealwave_secrets::crypto::{CHECKSUM_KEY_PREFIX, KEY_PREFIX, MIN_KEY_BYTES};
use sealwave_secrets::settings::APP_FILE;

/// The most files and directories visited.
const MAX_ENTRIES: usize = 20_000;
/// The maximum directory depth.
const MAX_DEPTH: usize = 16;
/// The most files read.
const MAX_FILES: usize = 200;
/// The most bytes of a file.
const MAX_BYTES: u64 = 256 << 10;

impl ExaminedApp {
    /// Reads the other files of the app that may hold credentials; unreadable files are skipped.
    pub fn read_other_files(&mut self, discovery: &Discovery) {
        let reach = discovery.reach();
        let root = discovery.root();
        for entry in walk(root).flatten().take(MAX_ENTRIES) {
            if self.other_files.len() >= MAX_FILES {
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
            self.other_files.push(TrackedFile { source, form, content, is_own_key });
        }
    }
}

/// Walks the directory in the order of names, with hidden files.
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

fn form_of(relative: &Path) -> Option<CredentialFileFormat> {
    let parts: Vec<&str> = relative.iter().map(OsStr::to_str).collect::<Option<_>>()?;
    match parts.as_slice() {
        ["values.yaml"] | ["envs", _, "values.yaml"] => Some(CredentialFileFormat::Values),
        [.., name] if is_own_key_name(name) => Some(CredentialFileFormat::Pem),
        _ => credential_file_format(&parts.join("/")),
    }
}

fn read(path: &Path, reach: &PathReach) -> Option<Zeroizing<Vec<u8>>> {
    let file = reach.open(path).ok()?;
    let length = file.metadata().ok()?.len().min(MAX_BYTES);
    // Allocated once: a growing buffer would leave copies behind.
    let mut content = Zeroizing::new(Vec::with_capacity(usize::try_from(length).ok()?));
    file.take(length).read_to_end(&mut content).ok()?;
    Some(content)
}

/// Reports whether a file is named like a key from `key generate` or the documentation.
fn is_own_key_name(name: &str) -> bool {
    let stem = ["seal-key", "checksum-key"].iter().find_map(|stem| name.strip_prefix(stem));
    let extension = |rest: &str| rest.rsplit_once('.').map(|(_, extension)| extension.to_owned());
    stem.is_some_and(|rest| extension(rest).is_none_or(|extension| matches!(&*extension, "key" | "txt")))
}

/// Reports whether a file is a sealwave key: a generated one, or enough bytes in a file named like one.
fn is_own_key(name: &str, content: &[u8]) -> bool {
    let trimmed = content.trim_ascii_start();
    [KEY_PREFIX, CHECKSUM_KEY_PREFIX].iter().any(|prefix| trimmed.starts_with(prefix.as_bytes()))
        || is_own_key_name(name) && content.len() >= MIN_KEY_BYTES
}
