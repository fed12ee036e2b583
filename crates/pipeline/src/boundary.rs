//! The directory that no path of an app may leave.
//!
//! For local runs it is the repository. In the sidecar it is what Argo CD sent for the app: the whole repository, or
//! with `manifest-generate-paths` the common parent of those paths. The app's path is text that editors of the
//! Application control, so it never widens the boundary beyond what is known otherwise.

use std::path::{Component, Path, PathBuf};

use fs_err as fs;

use sealwave_core::reach::repository_root;

/// The directory in which argocd-cmp-server unpacks one directory for each request.
const CMP_SERVER: &str = "_cmp_server";

/// The files that Argo CD sent, as Argo CD describes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkout {
    /// The app's directory in its repository: `ARGOCD_APP_SOURCE_PATH`.
    pub source_path: Option<String>,
    /// The work directory of argocd-cmp-server: `ARGOCD_CMP_WORKDIR`, or the directory for temporary files.
    pub work_directory: Option<PathBuf>,
}

/// The part of the repository that an app can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CheckoutExtent {
    /// Argo CD sent only a part.
    Part,
    /// The whole repository, as far as is known.
    Repository,
}

impl CheckoutExtent {
    /// Returns the hint for a path that leads outside the boundary.
    pub(super) const fn hint(self) -> &'static str {
        match self {
            Self::Part => {
                "Argo CD sent only a part of the repository; name every directory that the app uses in the annotation \
                 `argocd.argoproj.io/manifest-generate-paths` of the Application, for example `.;../_shared`"
            }
            Self::Repository => "keep everything that an app uses in its own repository",
        }
    }
}

/// A boundary directory, and the part of the repository that it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Boundary {
    /// Absolute, without symbolic links.
    pub(super) directory: PathBuf,
    pub(super) extent: CheckoutExtent,
}

impl Boundary {
    /// Finds the boundary of the app in `root`, which is absolute and has no symbolic links.
    pub(crate) fn for_app(root: &Path, checkout: Option<&Checkout>) -> Self {
        let repository =
            |directory: &Path| Self { directory: directory.to_owned(), extent: CheckoutExtent::Repository };
        let Some(checkout) = checkout else {
            return repository(repository_root(root).unwrap_or(root));
        };
        let source = checkout.source_path.as_deref().map_or(Path::new(""), Path::new);
        if let Some(sent) = sent_directory(root, checkout.work_directory.as_deref()) {
            let is_whole =
                is_plain(source) && fs::canonicalize(sent.join(source)).is_ok_and(|app| app == root);
            let extent = if is_whole { CheckoutExtent::Repository } else { CheckoutExtent::Part };
            return Self { directory: sent.to_owned(), extent };
        }
        let (rest, is_whole) = without_common_tail(root, source);
        let extent = if is_whole { CheckoutExtent::Repository } else { CheckoutExtent::Part };
        match repository_root(root) {
            // A checkout by another tool. The app's path must not lead out of it.
            Some(top) if rest == root || top.starts_with(rest) => repository(top),
            _ => Self { directory: rest.to_owned(), extent },
        }
    }
}

/// Returns the directory that argocd-cmp-server created for the request, if `root` is in one.
fn sent_directory<'a>(root: &'a Path, work_directory: Option<&Path>) -> Option<&'a Path> {
    let all = fs::canonicalize(work_directory?).ok()?.join(CMP_SERVER);
    let below = root.strip_prefix(&all).ok()?;
    let depth = below.components().count();
    root.ancestors().nth(depth.checked_sub(1)?)
}

/// Reports whether a path only descends, as Argo CD's app paths do.
fn is_plain(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::CurDir | Component::Normal(_)))
}

/// Strips from `root` the longest tail that it shares with the app's path, and reports whether that was the whole path.
/// A path that does not only descend shares nothing with any directory.
fn without_common_tail<'a>(root: &'a Path, source: &Path) -> (&'a Path, bool) {
    if !is_plain(source) {
        return (root, false);
    }
    let mut rest = root;
    for part in source.components().rev() {
        let Component::Normal(name) = part else { continue };
        match rest.parent() {
            Some(parent) if rest.file_name() == Some(name) => rest = parent,
            _ => return (rest, false),
        }
    }
    (rest, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(root: &str, source: &str) -> (String, bool) {
        let (rest, is_whole) = without_common_tail(Path::new(root), Path::new(source));
        (rest.display().to_string(), is_whole)
    }

    #[test]
    fn r21_the_boundary_is_the_directory_without_the_longest_common_tail() {
        for (root, source, rest, is_whole) in [
            // The whole repository.
            ("/w/id/apps/shop", "apps/shop", "/w/id", true),
            ("/w/id/apps/shop", "./apps//shop/", "/w/id", true),
            ("/w/id", ".", "/w/id", true),
            ("/w/id", "", "/w/id", true),
            // Only `k8s/`, only `team-a/`, only the app.
            ("/w/id/apps/shop", "k8s/apps/shop", "/w/id", false),
            ("/w/id/my-app", "team-a/my-app", "/w/id", false),
            ("/w/id", "k8s/apps/shop", "/w/id", false),
            // Repeating names.
            ("/w/id/a/b", "a/b/a/b", "/w/id", false),
            ("/w/id/b", "a/b/a/b", "/w/id", false),
            // Nothing in common, and values that are not app paths.
            ("/w/id/apps/shop", "other", "/w/id/apps/shop", false),
            ("/w/id/apps/shop", "../apps/shop", "/w/id/apps/shop", false),
            ("/w/id/apps/shop", "x/../apps/shop", "/w/id/apps/shop", false),
            ("/w/id/apps/shop", "/apps/shop", "/w/id/apps/shop", false),
            ("/w/id/apps/shop", "..", "/w/id/apps/shop", false),
            // Longer than the directory itself.
            ("/shop", "a/b/c/d/shop", "/", false),
        ] {
            assert_eq!(tail(root, source), (rest.to_owned(), is_whole), "{root} {source}");
        }
    }

    struct TestTree(tempfile::TempDir);

    impl TestTree {
        fn new(directories: &[&str]) -> Self {
            let machine = Self(tempfile::tempdir().unwrap());
            for directory in directories {
                fs::create_dir_all(machine.at(directory)).unwrap();
            }
            machine
        }

        fn at(&self, path: &str) -> PathBuf {
            self.0.path().canonicalize().unwrap().join(path)
        }

        fn boundary(&self, root: &str, source: &str) -> (PathBuf, CheckoutExtent) {
            let checkout =
                Checkout { source_path: Some(source.to_owned()), work_directory: Some(self.at("w")) };
            let root = self.at(root).canonicalize().unwrap();
            let Boundary { directory, extent } = Boundary::for_app(&root, Some(&checkout));
            (directory, extent)
        }
    }

    #[test]
    fn r21_sidecar_boundary_is_the_sent_directory_regardless_of_the_source_path() {
        let machine = TestTree::new(&["w/_cmp_server/id/apps/shop", "w/_cmp_server/other"]);
        let sent = machine.at("w/_cmp_server/id");
        for (source, extent) in [
            ("apps/shop", CheckoutExtent::Repository),
            ("./apps//shop/", CheckoutExtent::Repository),
            ("k8s/apps/shop", CheckoutExtent::Part),
            ("", CheckoutExtent::Part),
            (".", CheckoutExtent::Part),
            ("..", CheckoutExtent::Part),
            ("../../../../../..", CheckoutExtent::Part),
            ("/", CheckoutExtent::Part),
            ("/apps/shop", CheckoutExtent::Part),
            ("_cmp_server/id/apps/shop", CheckoutExtent::Part),
            ("w/_cmp_server/id/apps/shop", CheckoutExtent::Part),
            ("../id/apps/shop", CheckoutExtent::Part),
        ] {
            assert_eq!(
                machine.boundary("w/_cmp_server/id/apps/shop", source),
                (sent.clone(), extent),
                "{source}"
            );
        }
        let top = machine.boundary("w/_cmp_server/id", ".");
        assert_eq!(top, (sent.clone(), CheckoutExtent::Repository));
        assert_eq!(machine.boundary("w/_cmp_server/id", "apps/shop"), (sent, CheckoutExtent::Part));
        // A repository may contain a directory of this name; it widens nothing.
        fs::create_dir_all(machine.at("w/_cmp_server/id/_cmp_server/x/shop")).unwrap();
        let inner = machine.boundary("w/_cmp_server/id/_cmp_server/x/shop", "_cmp_server/x/shop");
        assert_eq!(inner, (machine.at("w/_cmp_server/id"), CheckoutExtent::Repository));
    }

    #[test]
    fn r21_app_behind_a_link_reaches_the_sent_directory() {
        let machine = TestTree::new(&["w/_cmp_server/id/apps/v2"]);
        std::os::unix::fs::symlink("v2", machine.at("w/_cmp_server/id/apps/current")).unwrap();
        let found = machine.boundary("w/_cmp_server/id/apps/current", "apps/current");
        assert_eq!(found, (machine.at("w/_cmp_server/id"), CheckoutExtent::Repository));
    }

    #[test]
    fn r21_boundary_stays_within_a_repository_outside_the_sidecar() {
        let machine = TestTree::new(&["checkouts/team/.git", "checkouts/team/app", "plain/team/app"]);
        let team = machine.at("checkouts/team");
        for source in ["app", "team/app", "checkouts/team/app", "other", "..", ""] {
            assert_eq!(machine.boundary("checkouts/team/app", source).0, team, "{source}");
        }
        assert_eq!(
            machine.boundary("plain/team/app", "app"),
            (machine.at("plain/team"), CheckoutExtent::Repository)
        );
        assert_eq!(
            machine.boundary("plain/team/app", "x/team/app"),
            (machine.at("plain"), CheckoutExtent::Part)
        );
        assert_eq!(
            machine.boundary("plain/team/app", "x"),
            (machine.at("plain/team/app"), CheckoutExtent::Part)
        );
    }
}
