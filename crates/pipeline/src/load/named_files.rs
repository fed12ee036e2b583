//! The files that the app file names, for any environment.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::access::normalize_lexically;
use crate::discover::Discovery;
use sealwave_secrets::settings::{EnvironmentPath, FileEntry, GeneratedEntry};

/// The most paths that are collected: a path with `{{env}}` stands for one of each environment.
const MAX_PATHS: usize = 100_000;

/// The files and directories that the app file names: patches, and files of ConfigMaps and Secrets. They are not
/// manifests, wherever they are.
pub struct NamedFiles(BTreeSet<PathBuf>);

impl NamedFiles {
    /// Collects what any environment names.
    #[must_use]
    pub fn of_app(discovery: &Discovery) -> Self {
        let app = discovery.app();
        let patches = app.environments.values().flat_map(|settings| &settings.patches);
        let patches = patches.filter_map(|entry| entry.file.clone());
        let shared = generated_paths(app.config_maps.values(), app.secrets.values()).flat_map(|path| {
            // Unless it has a mark, a path is the same in all environments.
            let count = if path.around_environment().is_some() { usize::MAX } else { 1 };
            discovery.environments().take(count).map(move |name| path.in_environment(name))
        });
        let own = app.environments.iter().flat_map(|(name, settings)| {
            let paths = generated_paths(settings.config_maps.values(), settings.secrets.values());
            paths.map(move |path| path.in_environment(name))
        });
        let all = patches.chain(own).chain(shared);
        Self(all.take(MAX_PATHS).map(|path| normalize_lexically(&path)).collect())
    }

    /// Reports whether a path below the app's directory is named, or is a file directly in a directory that is.
    #[must_use]
    pub fn contains(&self, relative: &Path) -> bool {
        self.0.contains(relative) || relative.parent().is_some_and(|directory| self.0.contains(directory))
    }

    /// Returns the paths, relative to the app's directory.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(PathBuf::as_path)
    }
}

/// Returns the paths from which entries make objects.
fn generated_paths<'a, C: 'a, S: 'a>(
    config_maps: impl Iterator<Item = &'a C>,
    secrets: impl Iterator<Item = &'a S>,
) -> impl Iterator<Item = EnvironmentPath>
where
    GeneratedEntry<'a>: From<&'a C> + From<&'a S>,
{
    let entries = config_maps.map(GeneratedEntry::from).chain(secrets.map(GeneratedEntry::from));
    entries.flat_map(|GeneratedEntry { files, env_files, .. }| {
        let files = files.iter().filter_map(|text| Some(FileEntry::parse(text)?.path));
        files.chain(env_files.iter().cloned())
    })
}
