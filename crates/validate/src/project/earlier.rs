//! The app at the merge base with the revision of `--changed-since`, as far as rules need it.
//!
//! Only Git's objects are read, without filters; what cannot be read counts as new.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::changes::{path_from_git, top_level};
use super::git::{GitError, git, merge_base};
use crate::facts::rule_context::{BackendPair, EarlierBackends};
use sealwave_programs::git_line;
use sealwave_secrets::settings::{APP_FILE, App, EnvironmentBackends, read_config};

/// The largest app file that is read from Git; the app file itself has the same limit.
const MAX_APP_FILE: usize = 1 << 20;

/// The directory of an app at the merge base.
pub struct EarlierApp {
    app: App,
    /// The files that existed, below the directory.
    files: BTreeSet<PathBuf>,
    directory: PathBuf,
}

impl EarlierApp {
    /// Reads an app at the merge base of the checked-out commit with a revision; `None` if it did not exist or was not valid.
    #[must_use]
    pub fn read(directory: &Path, revision: &str) -> Option<Self> {
        let directory = fs_err::canonicalize(directory).ok()?;
        Self::try_read(&directory, revision).ok().flatten()
    }

    fn try_read(directory: &Path, revision: &str) -> Result<Option<Self>, GitError> {
        let top = top_level(directory)?;
        let base = merge_base(&top, revision)?;
        // Paths are relative to the directory in which Git runs.
        let file = format!("{base}:./{APP_FILE}");
        let size = git(directory, "cat-file", &["cat-file", "-s", &file], &[])?;
        let size = std::str::from_utf8(git_line(&size)).ok().and_then(|size| size.parse::<usize>().ok());
        if size.is_none_or(|size| size > MAX_APP_FILE) {
            return Ok(None);
        }
        let text = git(directory, "cat-file", &["cat-file", "blob", &file], &[])?;
        let Ok(app) = read_config::<App>(&text, APP_FILE) else { return Ok(None) };
        let list = ["ls-tree", "-r", "-z", "--name-only", &base, "--", "."];
        let list = git(directory, "ls-tree", &list, &[])?;
        let names = list.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        let files = names.map(path_from_git).collect();
        Ok(Some(Self { app, files, directory: directory.to_owned() }))
    }

    /// Pairs the backends of before with those of now, for the environments that existed. `names` are the files of the app as
    /// messages name them.
    #[must_use]
    pub fn backends<'a>(
        &self,
        now: impl IntoIterator<Item = (String, EnvironmentBackends)>,
        names: impl IntoIterator<Item = &'a str>,
    ) -> EarlierBackends {
        let pairs = now.into_iter().filter_map(|(name, now)| {
            let settings = self.app.environments.get(&name).cloned();
            let directory = Path::new("envs").join(&name);
            let existed = settings.is_some() || self.files.iter().any(|file| file.starts_with(&directory));
            let before = EnvironmentBackends::decide(&self.app, &settings.unwrap_or_default()).ok()?;
            existed.then_some((name, BackendPair { before, now }))
        });
        let existed = |name: &&str| {
            let path = fs_err::canonicalize(name).ok();
            path.and_then(|path| Some(self.files.contains(path.strip_prefix(&self.directory).ok()?)))
                .unwrap_or_default()
        };
        EarlierBackends {
            environments: pairs.collect::<BTreeMap<_, _>>(),
            files: names.into_iter().filter(existed).map(str::to_owned).collect(),
        }
    }
}
