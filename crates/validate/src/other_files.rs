//! Examines the other files in an app's directory that may be committed: reads those with names typical of credentials
//! and values files, and finds names that look like input of the app.
//!
//! Only the app's directory is searched, without apps below it. Symbolic links are not followed, and files that a
//! `.gitignore` lists are skipped. The number of files and the bytes of each are limited. Contents are zeroed on drop,
//! and only rules see them.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};
use zeroize::Zeroizing;

use super::examine::ExaminedApp;
use crate::facts::credential::files::{CredentialFileFormat, credential_file_format};
use crate::facts::scene::TrackedFile;
use crate::facts::unread_names::{UnreadName, unread_name};
use sealwave_core::reach::{PathReach, repository_root};
use sealwave_pipeline::{Discovery, NamedFiles};
use sealwave_secrets::crypto::{CHECKSUM_KEY_PREFIX, KEY_PREFIX, MIN_KEY_BYTES};
use sealwave_secrets::settings::APP_FILE;

/// The most files and directories visited.
const MAX_ENTRIES: usize = 20_000;
/// The maximum directory depth.
const MAX_DEPTH: usize = 16;
/// The most files read.
const MAX_FILES: usize = 200;
/// The most files with names that look like input of the app.
const MAX_UNREAD: usize = 1_000;
/// The most bytes of a file.
const MAX_BYTES: u64 = 256 << 10;

impl ExaminedApp {
    /// Reads the other files of the app that may hold credentials, and finds those that look like input of the app;
    /// unreadable files are skipped.
    pub fn read_other_files(&mut self, discovery: &Discovery) {
        let reach = discovery.reach();
        let root = discovery.root();
        let values = chart_values(discovery);
        let mut unread = UnreadFiles::new(discovery, &self.read_files);
        for entry in walk(root).flatten().take(MAX_ENTRIES) {
            let Ok(relative) = entry.path().strip_prefix(root) else { continue };
            match entry.file_type() {
                Some(kind) if kind.is_file() => {
                    unread.add_file(relative);
                    self.read_other_file(discovery, &reach, relative, &values);
                }
                Some(kind) if kind.is_symlink() => unread.add_link(entry.path(), &reach),
                _ => {}
            }
        }
        let names = unread.into_names();
        self.unread = names
            .into_iter()
            .map(|name| (self.sources.add(discovery.name_of(Path::new(&name.path))), name))
            .collect();
    }

    fn read_other_file(
        &mut self,
        discovery: &Discovery,
        reach: &PathReach,
        relative: &Path,
        values: &BTreeSet<PathBuf>,
    ) {
        let is_values = values.contains(relative);
        let form = if is_values { Some(CredentialFileFormat::Values) } else { form_of(relative) };
        let form = form.filter(|_| self.other_files.len() < MAX_FILES);
        let content = form.and_then(|form| Some((form, read(&discovery.root().join(relative), reach)?)));
        let Some((form, content)) = content else { return };
        let name = relative.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let is_own_key = is_own_key(name, &content);
        let source = self.sources.add(discovery.name_of(relative));
        self.other_files.push(TrackedFile { source, form, content, is_own_key });
    }
}

/// Returns the files with values that charts get, relative to the app's directory.
fn chart_values(discovery: &Discovery) -> BTreeSet<PathBuf> {
    discovery.environments().flat_map(|environment| discovery.chart_values(environment)).collect()
}

/// Collects the names that look like input of an app, without those that the app refers to.
struct UnreadFiles<'a> {
    root: &'a Path,
    environments: Vec<&'a str>,
    /// Full paths to which the app file, a source of another tool, a template or a link of the app refers.
    used: Vec<PathBuf>,
    /// Each name with a file to which it belongs.
    found: BTreeSet<(UnreadName, PathBuf)>,
}

impl<'a> UnreadFiles<'a> {
    /// Creates the collection for an app whose templates read the files `read`.
    fn new(discovery: &'a Discovery, read: &BTreeSet<PathBuf>) -> Self {
        let root = discovery.root();
        let files = NamedFiles::of_app(discovery);
        let definitions = discovery.app().validate.crds.iter();
        let named = files.paths().chain(definitions.chain(read).map(PathBuf::as_path));
        let external = discovery.external_paths().collect::<Vec<_>>();
        let named = named.chain(external.iter().map(PathBuf::as_path));
        // Which files beside them charts and overlays use is known to their tools only.
        let all = Path::new(".");
        let named = named.chain((!discovery.has_own_files()).then_some(all));
        let used = named.filter_map(|path| fs_err::canonicalize(root.join(path)).ok()).collect();
        Self { root, environments: discovery.environments().collect(), used, found: BTreeSet::new() }
    }

    fn add_file(&mut self, relative: &Path) {
        let parts: Option<Vec<&str>> = relative.iter().map(OsStr::to_str).collect();
        let name = parts.and_then(|parts| unread_name(&parts.join("/"), &self.environments));
        if self.found.len() < MAX_UNREAD {
            self.found.extend(name.map(|name| (name, self.root.join(relative))));
        }
    }

    fn add_link(&mut self, link: &Path, reach: &PathReach) {
        self.used.extend(reach.resolve(link).ok());
    }

    /// Returns the names with a file to which nothing refers, sorted.
    fn into_names(self) -> BTreeSet<UnreadName> {
        let Self { used, found, .. } = self;
        let is_used = |file: &Path| used.iter().any(|used| file.starts_with(used));
        found.into_iter().filter(|(_, file)| !is_used(file)).map(|(name, _)| name).collect()
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
