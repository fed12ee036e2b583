//! Limits how far the paths of a repository may lead, and opens files within that limit.
//!
//! A repository is hostile: a link in it may point to any file of the machine. A path is followed only while it stays
//! below a root, by its names and by their targets. Nothing outside is revealed, not even whether it exists. Hard links
//! cannot be detected as foreign, but Git does not store any. This is the only module that decides this, for apps,
//! plain manifests, definitions and excerpts.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use fs_err as fs;

/// Maximum number of links in a chain, as in the kernel.
const MAX_LINKS: usize = 40;

/// The limit within which a path may lead.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathReach {
    /// Anywhere: the user named the path.
    Anywhere,
    /// Only below this directory, which is absolute and contains no links.
    Below(PathBuf),
}

/// The reason why a path is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReachError {
    /// The system refuses access.
    Io(ErrorKind),
    /// Symbolic links form a loop.
    Loop,
    /// The target does not exist.
    Missing,
    /// The path leads out of the root.
    Outside,
    /// The target is neither a file nor a directory.
    Special,
}

impl From<std::io::Error> for ReachError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotADirectory | ErrorKind::NotFound => Self::Missing,
            kind => Self::Io(kind),
        }
    }
}

impl From<ReachError> for std::io::Error {
    fn from(error: ReachError) -> Self {
        match error {
            ReachError::Io(kind) => kind.into(),
            ReachError::Loop | ReachError::Special => ErrorKind::InvalidInput.into(),
            ReachError::Missing => ErrorKind::NotFound.into(),
            ReachError::Outside => ErrorKind::PermissionDenied.into(),
        }
    }
}

/// Returns the nearest directory at or above a full path that contains `.git`, which is a file in worktrees and
/// submodules.
#[must_use]
pub fn repository_root(full: &Path) -> Option<&Path> {
    full.ancestors().find(|directory| is_repository(directory))
}

/// Reports whether a directory looks like the top of a Git repository.
#[must_use]
pub fn is_repository(directory: &Path) -> bool {
    directory.join(".git").symlink_metadata().is_ok()
}

/// Reports whether a link on the way to a path leads out of a repository that its names lie in, or to its `.git`. The last name
/// is not followed.
///
/// A user may name any file. But in a path such as `envs/dev/db.yaml`, a commit can turn `dev` into a link.
#[must_use]
pub fn leaves_repository(path: &Path) -> bool {
    let Ok(full) = std::path::absolute(path) else { return true };
    let mut named = PathBuf::new();
    for part in full.components() {
        if part == Component::ParentDir {
            named.pop();
        } else {
            named.push(part);
        }
    }
    let Ok(real) = fs::canonicalize(directory_of(&full)) else { return false };
    let mut repositories = named.ancestors().skip(1).filter(|directory| is_repository(directory));
    let has_git = |path: &Path| path.components().any(|part| part.as_os_str().eq_ignore_ascii_case(".git"));
    repositories.any(|root| {
        let is_git_named = named.strip_prefix(root).is_ok_and(has_git);
        let real_root = fs::canonicalize(root);
        real_root
            .is_ok_and(|root| real.strip_prefix(root).map_or(true, |real| has_git(real) && !is_git_named))
    })
}

impl PathReach {
    /// Returns the reach of paths below a directory that the user named: its repository, or the directory itself.
    ///
    /// # Errors
    /// The directory does not exist.
    pub fn for_directory(directory: &Path) -> std::io::Result<Self> {
        let full = fs::canonicalize(directory)?;
        Ok(Self::Below(repository_root(&full).unwrap_or(&full).to_owned()))
    }

    /// Reports whether a relative path that starts at the full path `from` stays inside, judging by names only.
    #[must_use]
    pub fn contains_names(&self, from: &Path, relative: &Path) -> bool {
        let end = relative.components().try_fold(from.to_owned(), |mut at, part| {
            match part {
                Component::CurDir => {}
                Component::Normal(name) => at.push(name),
                Component::ParentDir => drop(at.pop()),
                Component::Prefix(_) | Component::RootDir => return None,
            }
            self.holds(&at).then_some(at)
        });
        end.is_some()
    }

    fn holds(&self, full: &Path) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Below(root) => is_inside(root, full),
        }
    }

    /// Returns the full path of a path's target, without links.
    ///
    /// # Errors
    /// The path leads outside, or does not exist.
    pub fn resolve(&self, path: &Path) -> Result<PathBuf, ReachError> {
        let Self::Below(root) = self else { return Ok(fs::canonicalize(path)?) };
        if let Ok(inside) = path.strip_prefix(root) {
            return follow(root, root.clone(), inside);
        }
        let parent = fs::canonicalize(directory_of(path))?;
        match path.file_name() {
            _ if !parent.starts_with(root) => Err(ReachError::Outside),
            Some(name) => follow(root, parent, Path::new(name)),
            // `.` and paths that end with `..` are not entries of a directory.
            None => {
                Some(fs::canonicalize(path)?).filter(|real| real.starts_with(root)).ok_or(ReachError::Outside)
            }
        }
    }

    /// Opens a regular file. The opened file is checked again, as the path may have changed in between.
    ///
    /// # Errors
    /// The path leads outside, or its target is not a readable file.
    pub fn open(&self, path: &Path) -> Result<fs::File, ReachError> {
        let real = self.resolve(path)?;
        // Checked before opening: opening a pipe would wait for a writer.
        if !fs::metadata(&real)?.is_file() {
            return Err(ReachError::Special);
        }
        let file = fs::File::open(&real)?;
        if !file.metadata()?.is_file() {
            return Err(ReachError::Special);
        }
        match opened_path(&file) {
            Some(opened) if !self.holds(&opened) => Err(ReachError::Outside),
            _ => Ok(file),
        }
    }
}

/// Returns whether a full path is below a root. Git's own directory is excluded: its `config` may contain credentials
/// that are in no commit.
fn is_inside(root: &Path, full: &Path) -> bool {
    let is_git = |part: Component<'_>| part.as_os_str().eq_ignore_ascii_case(".git");
    full.strip_prefix(root).is_ok_and(|inside| !inside.components().any(is_git))
}

/// A component to follow.
enum FollowStep {
    Into(OsString),
    Up,
}

/// Follows a path like the system, step by step, and never accesses anything outside the root.
fn follow(root: &Path, start: PathBuf, path: &Path) -> Result<PathBuf, ReachError> {
    let mut at = start;
    let mut links = 0;
    let mut steps = steps(path);
    while let Some(step) = steps.pop() {
        match step {
            FollowStep::Into(name) => at.push(name),
            FollowStep::Up => drop(at.pop()),
        }
        if !is_inside(root, &at) {
            return Err(ReachError::Outside);
        }
        if !at.symlink_metadata()?.is_symlink() {
            continue;
        }
        links += 1;
        if links > MAX_LINKS {
            return Err(ReachError::Loop);
        }
        let target = fs::read_link(&at)?;
        if target.is_absolute() {
            steps.extend(self::steps(target.strip_prefix(root).map_err(|_| ReachError::Outside)?));
            root.clone_into(&mut at);
        } else {
            at.pop();
            steps.extend(self::steps(&target));
        }
    }
    Ok(at)
}

/// Returns the steps of a path in reverse order.
fn steps(path: &Path) -> Vec<FollowStep> {
    let step = |part: Component<'_>| match part {
        Component::Normal(name) => Some(FollowStep::Into(name.to_owned())),
        Component::ParentDir => Some(FollowStep::Up),
        Component::CurDir | Component::Prefix(_) | Component::RootDir => None,
    };
    path.components().rev().filter_map(step).collect()
}

/// Returns the full path of an open file, if the system provides it.
fn opened_path(file: &fs::File) -> Option<PathBuf> {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd as _;
        fs::read_link(format!("/proc/self/fd/{}", file.file().as_raw_fd())).ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = file;
        None
    }
}

/// Returns the directory of a file or link: `.` for a bare name.
#[must_use]
pub fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    struct TestCheckout(tempfile::TempDir);

    impl TestCheckout {
        fn new() -> Self {
            let checkout = Self(tempfile::tempdir().unwrap());
            for directory in ["repo/a/b", "outside/c"] {
                fs::create_dir_all(checkout.at(directory)).unwrap();
            }
            fs::write(checkout.at("repo/a/in.yaml"), "in").unwrap();
            fs::write(checkout.at("outside/out.yaml"), "out").unwrap();
            checkout
        }

        fn at(&self, path: &str) -> PathBuf {
            self.0.path().canonicalize().unwrap().join(path)
        }

        fn reach(&self) -> PathReach {
            PathReach::Below(self.at("repo"))
        }

        fn link(&self, target: &str, path: &str) -> Result<PathBuf, ReachError> {
            let path = self.at(path);
            let _ = fs::remove_file(&path);
            symlink(target, &path).unwrap();
            self.reach().resolve(&path)
        }
    }

    #[test]
    fn links_on_the_way_out_of_a_repository_are_found() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        for name in ["own/.git", "own/envs/prod", "other/.git", "plain"] {
            fs::create_dir_all(path(name)).expect("created");
        }
        for (to, name) in [("other", "own/envs/dev"), ("plain", "own/envs/test")] {
            symlink(path(to), path(name)).expect("a link");
        }
        symlink("prod", path("own/envs/live")).expect("a link");
        symlink(path("own"), path("checkout")).expect("a link");
        for (name, leaves) in [
            ("own/envs/dev/a.yaml", true),
            ("own/envs/test/a.yaml", true),
            ("own/envs/live/a.yaml", false),
            ("own/a.yaml", false),
            ("checkout/envs/prod/a.yaml", false),
            ("checkout/envs/test/a.yaml", true),
            ("own/../plain/a.yaml", false),
            ("plain/a.yaml", false),
        ] {
            assert_eq!(leaves_repository(&path(name)), leaves, "{name}");
        }
    }

    #[test]
    fn links_are_followed_inside() {
        let checkout = TestCheckout::new();
        let real = Ok(checkout.at("repo/a/in.yaml"));
        assert_eq!(checkout.link("in.yaml", "repo/a/link"), real);
        assert_eq!(checkout.link("link", "repo/a/second"), real);
        assert_eq!(checkout.link("../in.yaml", "repo/a/b/up"), real);
        assert_eq!(checkout.link("../../a/./b/../in.yaml", "repo/a/b/dots"), real);
        assert_eq!(checkout.link(checkout.at("repo/a/in.yaml").to_str().unwrap(), "repo/absolute"), real);
        assert_eq!(checkout.link("b", "repo/a/directory"), Ok(checkout.at("repo/a/b")));
        assert_eq!(checkout.reach().resolve(&checkout.at("repo/a/directory/../in.yaml")), real);
        assert_eq!(checkout.link("nothing", "repo/a/broken"), Err(ReachError::Missing));
    }

    #[test]
    fn nothing_outside_is_reached_or_revealed() {
        let checkout = TestCheckout::new();
        let absolute = checkout.at("outside/out.yaml");
        let _ = checkout.link("../../outside", "repo/a/directory");
        let _ = checkout.link("../../outside/out.yaml", "repo/a/first");
        for (target, path) in [
            ("../../outside/out.yaml", "repo/a/link"),
            ("../../outside/nothing.yaml", "repo/a/link"),
            ("../../repo/a/in.yaml", "repo/a/link"),
            (absolute.to_str().unwrap(), "repo/a/link"),
            ("first", "repo/a/second"),
            ("directory/out.yaml", "repo/a/through"),
            ("directory/nothing.yaml", "repo/a/through"),
            ("directory/c/../../repo/a/in.yaml", "repo/a/through"),
            ("/proc/self/environ", "repo/a/link"),
            ("/proc/self/cwd/x", "repo/a/link"),
            ("/dev/zero", "repo/a/link"),
            ("/nonexistent", "repo/a/link"),
        ] {
            let reached = checkout.link(target, path);
            assert_eq!(reached, Err(ReachError::Outside), "{target}");
            assert!(checkout.reach().open(&checkout.at(path)).is_err(), "{target}");
        }
        let through = checkout.at("repo/a/directory/out.yaml");
        assert_eq!(checkout.reach().resolve(&through), Err(ReachError::Outside));
        assert_eq!(PathReach::Anywhere.resolve(&through), Ok(absolute));
    }

    #[test]
    fn the_directory_of_git_is_outside() {
        let checkout = TestCheckout::new();
        fs::create_dir_all(checkout.at("repo/.git/refs")).unwrap();
        fs::create_dir_all(checkout.at("repo/a/sub/.GIT")).unwrap();
        for file in ["repo/.git/config", "repo/.git/refs/a.yaml", "repo/a/sub/.GIT/config"] {
            fs::write(checkout.at(file), "CANARY").unwrap();
        }
        fs::write(checkout.at("repo/a/.gitignore"), "in").unwrap();
        let absolute = checkout.at("repo/.git/config");
        let _ = checkout.link("../.git", "repo/a/git");
        for target in [
            "../.git/config",
            "../.git/nothing",
            "../.git/refs/a.yaml",
            "../.git/refs/../config",
            "../.git/../a/in.yaml",
            "sub/.GIT/config",
            "git/config",
            absolute.to_str().unwrap(),
        ] {
            assert_eq!(checkout.link(target, "repo/a/link"), Err(ReachError::Outside), "{target}");
            assert!(checkout.reach().open(&checkout.at("repo/a/link")).is_err(), "{target}");
        }
        assert_eq!(checkout.reach().resolve(&absolute), Err(ReachError::Outside));
        assert!(!checkout.reach().contains_names(&checkout.at("repo/a"), Path::new("../.git/config")));
        assert_eq!(checkout.link(".gitignore", "repo/a/link"), Ok(checkout.at("repo/a/.gitignore")));
        // A worktree below such a directory is a normal repository.
        fs::create_dir_all(checkout.at("repo/.git/wt")).unwrap();
        fs::write(checkout.at("repo/.git/wt/in.yaml"), "in").unwrap();
        let worktree = PathReach::Below(checkout.at("repo/.git/wt"));
        assert!(worktree.open(&checkout.at("repo/.git/wt/in.yaml")).is_ok());
    }

    #[test]
    fn only_regular_files_are_opened() {
        let checkout = TestCheckout::new();
        let pipe = checkout.at("repo/pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert_eq!(checkout.reach().open(&pipe).map(|_| ()), Err(ReachError::Special));
        assert_eq!(checkout.reach().open(&checkout.at("repo/a")).map(|_| ()), Err(ReachError::Special));
        let _ = checkout.link("self", "repo/self");
        assert_eq!(checkout.reach().open(&checkout.at("repo/self")).map(|_| ()), Err(ReachError::Loop));
        assert!(checkout.reach().open(&checkout.at("repo/a/in.yaml")).is_ok());
    }

    #[test]
    fn a_repository_is_the_nearest_one() {
        let checkout = TestCheckout::new();
        assert_eq!(
            PathReach::for_directory(&checkout.at("repo/a")).unwrap(),
            PathReach::Below(checkout.at("repo/a"))
        );
        fs::write(checkout.at("repo/.git"), "gitdir: elsewhere\n").unwrap();
        assert_eq!(PathReach::for_directory(&checkout.at("repo/a")).unwrap(), checkout.reach());
        assert!(checkout.reach().contains_names(&checkout.at("repo/a"), Path::new("../b")));
        assert!(!checkout.reach().contains_names(&checkout.at("repo/a"), Path::new("../../repo/a")));
    }
}
