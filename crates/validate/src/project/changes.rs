//! What differs from a Git revision: committed since the work tree's branch left it, staged, changed, or new.
//!
//! Git itself is asked, and made to run nothing that a repository's settings name: no hook, no monitor, no filter, no
//! remote. So files are compared by what Git noted of them (size, time), and where that does not settle it without the
//! filters. What is in doubt has changed: a file too many costs a moment, one too few hides a fault.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use sealwave_core::diagnostic::{Explain, Failure, Problem, io_reason};
use sealwave_core::reach::is_repository;

/// What would have Git look elsewhere than in the directory at hand, as it does in a hook, or run a program.
const VARIABLES: [&str; 6] =
    ["GIT_COMMON_DIR", "GIT_DIR", "GIT_EXTERNAL_DIFF", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_WORK_TREE"];

/// How a submodule is marked in an index.
const GITLINK: &[u8] = b"160000 ";

/// Why Git does not say.
#[derive(Debug, thiserror::Error)]
enum GitError {
    #[error("name of a Git filter cannot be overridden: `{0}`")]
    Filter(String),
    #[error("`git {0}` failed: {1}")]
    Git(&'static str, String),
    #[error("revision starts with `-`")]
    Revision,
}

impl Explain for GitError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Filter(_) => Some("a filter is run by no check; rename it in Git's settings".to_owned()),
            Self::Git(..) => Some(
                "`--changed-since` needs a Git checkout that has the revision; a shallow clone may lack it"
                    .to_owned(),
            ),
            Self::Revision => None,
        }
    }
}

/// The files that differ, and the directories of which everything counts; by their full paths, without links.
#[derive(Debug, Default)]
pub(super) struct Changes(BTreeSet<PathBuf>);

impl Changes {
    /// Asks the repositories of the `given` directories, those that they are submodules of, and those that are between
    /// them and what was `found` in them. One that does not have the revision counts as changed if it is inside of one
    /// that has.
    pub(super) fn since<'a>(
        revision: &str,
        given: &BTreeSet<PathBuf>,
        found: impl Iterator<Item = &'a Path>,
    ) -> Result<Self, Failure> {
        if revision.starts_with('-') {
            return Err(Problem::new(&GitError::Revision).into());
        }
        let failed = |error: GitError| Failure::from(Problem::new(&error));
        let mut asked = Asked { revision, knows: BTreeMap::new(), changed: BTreeSet::new() };
        for directory in given {
            asked.outwards(directory).map_err(failed)?;
        }
        for directory in found {
            asked.inwards(directory).map_err(failed)?;
        }
        Ok(Self(asked.changed))
    }

    /// Whether a file changed, or a link on the way to it.
    pub(super) fn hold(&self, file: &Path) -> bool {
        let real = fs_err::canonicalize(file).ok();
        let link = file.file_name().and_then(|name| Some(real_directory(file)?.join(name)));
        real.iter().chain(&link).any(|path| self.cover(path))
    }

    /// Whether something changed in a directory, or in what its links lead to.
    pub(super) fn touch(&self, directory: &Path) -> bool {
        let links = walkdir::WalkDir::new(directory).into_iter().flatten();
        let links = links.filter(walkdir::DirEntry::path_is_symlink).map(walkdir::DirEntry::into_path);
        let roots = std::iter::once(directory.to_owned()).chain(links);
        roots.filter_map(|root| fs_err::canonicalize(root).ok()).any(|root| {
            let below = self.0.range(root.clone()..).next().is_some_and(|path| path.starts_with(&root));
            below || self.cover(&root)
        })
    }

    fn cover(&self, path: &Path) -> bool {
        path.ancestors().any(|path| self.0.contains(path))
    }
}

/// What was asked of which repository.
struct Asked<'a> {
    revision: &'a str,
    /// Which repositories have the revision.
    knows: BTreeMap<PathBuf, bool>,
    changed: BTreeSet<PathBuf>,
}

impl Asked<'_> {
    /// The repository of a directory, and those that it is a submodule of: one of them has the revision.
    fn outwards(&mut self, directory: &Path) -> Result<(), GitError> {
        let mut without = Vec::new();
        let mut refused = None;
        let mut is_known = false;
        let mut next = Some(top_level(directory)?);
        while let Some(top) = next {
            match self.ask(&top) {
                Ok(()) => is_known = true,
                // Of those outside, it is not the revision.
                Err(_) if is_known => {}
                Err(error) => {
                    refused.get_or_insert(error);
                    without.push(top.clone());
                }
            }
            next = superproject(&top)?;
        }
        match refused {
            Some(error) if !is_known => Err(error),
            _ => {
                self.changed.extend(without);
                Ok(())
            }
        }
    }

    /// The repositories between a directory and one that was asked.
    fn inwards(&mut self, directory: &Path) -> Result<(), GitError> {
        let Ok(real) = fs_err::canonicalize(directory) else { return Ok(()) };
        for root in real.ancestors().filter(|directory| is_repository(directory)) {
            if self.knows.contains_key(root) {
                return Ok(());
            }
            // A directory that only looks like a repository belongs to the next one outside.
            let is_own = top_level(root)? == root;
            if is_own && self.ask(root).is_err() {
                self.changed.insert(root.to_owned());
            }
        }
        Ok(())
    }

    fn ask(&mut self, top: &Path) -> Result<(), GitError> {
        if self.knows.get(top) == Some(&true) {
            return Ok(());
        }
        let changed = changed_in(top, self.revision);
        self.knows.insert(top.to_owned(), changed.is_ok());
        self.changed.extend(changed?);
        Ok(())
    }
}

/// The directory that holds a file, without links.
fn real_directory(file: &Path) -> Option<PathBuf> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    fs_err::canonicalize(parent.unwrap_or(Path::new("."))).ok()
}

fn top_level(directory: &Path) -> Result<PathBuf, GitError> {
    let top = git(directory, "rev-parse", &["rev-parse", "--show-toplevel"], &[])?;
    let top = path(line(&top));
    Ok(fs_err::canonicalize(&top).unwrap_or(top))
}

/// The repository that one is a submodule of. Git would say so itself, but asks another Git, which obeys other settings.
fn superproject(top: &Path) -> Result<Option<PathBuf>, GitError> {
    let Some(parent) = top.parent().filter(|parent| parent.ancestors().any(is_repository)) else {
        return Ok(None);
    };
    // One that cannot be asked, such as somebody else's, is not what this one belongs to.
    let Ok(outer) = top_level(parent) else { return Ok(None) };
    let entries = git(parent, "ls-files", &["ls-files", "--stage", "-z"], &[])?;
    let mut entries = entries.split(|byte| *byte == 0).filter(|entry| entry.starts_with(GITLINK));
    let is_own = entries.any(|entry| {
        let name = entry.iter().position(|byte| *byte == b'\t').and_then(|tab| entry.get(tab + 1..));
        name.is_some_and(|name| parent.join(path(name)) == top)
    });
    Ok(is_own.then_some(outer))
}

fn changed_in(top: &Path, revision: &str) -> Result<Vec<PathBuf>, GitError> {
    let base = git(top, "merge-base", &["merge-base", revision, "HEAD"], &[])?;
    let base = String::from_utf8_lossy(line(&base)).into_owned();
    let filters = filters(top)?;
    // Submodules: which commit is checked out. What is changed in one, it is asked itself.
    let how = [
        "-z",
        "--no-renames",
        "--no-relative",
        "--no-ext-diff",
        "--no-textconv",
        "--ignore-submodules=dirty",
    ];
    let staged = [&["diff-index", "--cached", "--name-only"], &how[..], &[&base, "--"]].concat();
    // Of a file that was only touched, Git finds out by counting lines that nothing changed.
    let changed = [&["diff-files", "--numstat"], &how[..], &["--"]].concat();
    let new = ["ls-files", "--others", "--exclude-per-directory=.gitignore", "-z"];
    let mut names = git(top, "diff-index", &staged, &filters)?;
    names.extend(counted(&git(top, "diff-files", &changed, &filters)?));
    names.extend(git(top, "ls-files", &new, &filters)?);
    let names = names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let mut changed: Vec<PathBuf> = names.map(|name| top.join(path(name))).collect();
    changed.extend(unwatched(top)?);
    Ok(changed)
}

/// The names in what Git counts, `1<tab>0<tab>name` and a zero byte each, in the form in which it lists names.
fn counted(counts: &[u8]) -> Vec<u8> {
    let names =
        counts.split_inclusive(|byte| *byte == 0).filter_map(|one| one.splitn(3, |b| *b == b'\t').nth(2));
    names.collect::<Vec<_>>().concat()
}

/// The files that Git was told not to look at, but for those that a sparse checkout leaves out.
fn unwatched(top: &Path) -> Result<Vec<PathBuf>, GitError> {
    let all = git(top, "ls-files", &["ls-files", "-v", "-z"], &[])?;
    let tagged = all.split(|byte| *byte == 0).filter_map(|entry| match entry {
        [tag, b' ', name @ ..] if *tag == b'S' || tag.is_ascii_lowercase() => Some(top.join(path(name))),
        _ => None,
    });
    Ok(tagged.filter(|file| file.symlink_metadata().is_ok()).collect())
}

/// Settings that take every filter its programs. An empty one is none.
fn filters(top: &Path) -> Result<Vec<String>, GitError> {
    let list = git(top, "config", &["config", "--list", "--name-only", "-z"], &[])?;
    let list = String::from_utf8_lossy(&list).into_owned();
    let filters = list.split('\0').filter_map(|key| key.strip_prefix("filter.")?.rsplit_once('.'));
    let names: BTreeSet<&str> = filters.map(|(name, _)| name).collect();
    let mut settings = Vec::new();
    for name in names {
        if name.contains('=') || name.contains(char::REPLACEMENT_CHARACTER) {
            return Err(GitError::Filter(name.to_owned()));
        }
        let off = |key, value| format!("filter.{name}.{key}={value}");
        settings.extend([off("clean", ""), off("process", ""), off("smudge", ""), off("required", "false")]);
    }
    Ok(settings)
}

/// Runs Git, which runs nothing else.
fn git(
    directory: &Path,
    title: &'static str,
    args: &[&str],
    settings: &[String],
) -> Result<Vec<u8>, GitError> {
    let mut command = Command::new("git");
    command.current_dir(directory);
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    // Nothing is written and nothing is fetched, not even what a partial clone lacks.
    command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_NO_LAZY_FETCH", "1").env("GIT_ALLOW_PROTOCOL", "none");
    for setting in ["core.fsmonitor=false", "core.hooksPath=/dev/null"]
        .into_iter()
        .chain(settings.iter().map(String::as_str))
    {
        command.args(["-c", setting]);
    }
    let output = command.args(args).output();
    let output = output.map_err(|error| GitError::Git(title, io_reason(error.kind())))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(GitError::Git(title, said.lines().next().unwrap_or("it said nothing").to_owned()))
}

/// What Git says on one line; a path may end with spaces, or another line break.
fn line(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(b"\n").unwrap_or(bytes)
}

/// A path as Git writes it.
fn path(bytes: &[u8]) -> PathBuf {
    #[cfg(unix)]
    let name: OsString = std::os::unix::ffi::OsStringExt::from_vec(bytes.to_owned());
    #[cfg(not(unix))]
    let name = OsString::from(String::from_utf8_lossy(bytes).into_owned());
    PathBuf::from(name)
}
