//! The files that a command may change.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::{WorkTree, WorkTreeError};

/// The files that may change without a flag: the sealed files of environments, also of an app that is not at the top.
const DEFAULT: [&str; 2] = ["envs/*/sealed-secrets/**", "**/envs/*/sealed-secrets/**"];

/// Patterns of paths below a root that may change. Flags widen them; nothing in a repository can.
#[derive(Clone, Debug)]
pub struct AllowedPaths(GlobSet);

impl AllowedPaths {
    /// Creates the patterns: the default ones, for one environment or for all, and further ones from flags.
    ///
    /// # Errors
    /// A further pattern is not valid.
    pub fn new(environment: Option<&str>, further: &[String]) -> Result<Self, WorkTreeError> {
        let mut all = GlobSetBuilder::new();
        for pattern in DEFAULT {
            let name = environment.map_or_else(|| "*".to_owned(), globset::escape);
            add(&mut all, &pattern.replace("envs/*/", &format!("envs/{name}/")))?;
        }
        for pattern in further {
            add(&mut all, pattern)?;
        }
        all.build().map(Self).map_err(|_| WorkTreeError::Pattern(further.join(" ")))
    }

    /// Requires that all paths, relative to the root, may change.
    ///
    /// # Errors
    /// Returns the paths that may not.
    pub fn require<'a>(&self, paths: impl IntoIterator<Item = &'a Path>) -> Result<(), WorkTreeError> {
        let other: Vec<PathBuf> =
            paths.into_iter().filter(|path| !self.0.is_match(path)).map(Path::to_owned).collect();
        if other.is_empty() { Ok(()) } else { Err(WorkTreeError::NotAllowed(other)) }
    }

    /// Requires that all paths, relative to the root, may change. Outside of a checkout, whole paths count, because nothing says
    /// where a repository would begin.
    ///
    /// # Errors
    /// Returns the paths that may not.
    pub fn require_in<'a>(
        &self,
        root: &Path,
        work_tree: Option<&WorkTree>,
        paths: impl IntoIterator<Item = &'a Path>,
    ) -> Result<(), WorkTreeError> {
        if work_tree.is_some() {
            return self.require(paths);
        }
        let other = paths.into_iter().filter(|path| !self.0.is_match(path));
        let other = other.map(|path| root.join(path)).filter(|path| !self.0.is_match(path));
        let other: Vec<PathBuf> = other.collect();
        if other.is_empty() { Ok(()) } else { Err(WorkTreeError::NotAllowedOutside(other)) }
    }
}

fn add(all: &mut GlobSetBuilder, pattern: &str) -> Result<(), WorkTreeError> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    all.add(glob.map_err(|_| WorkTreeError::Pattern(pattern.to_owned()))?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_allowed(allowed: &AllowedPaths, path: &str) -> bool {
        allowed.require([Path::new(path)]).is_ok()
    }

    #[test]
    fn by_default_only_sealed_files_of_the_environment_may_change() {
        let dev = AllowedPaths::new(Some("dev"), &[]).expect("valid");
        for path in ["envs/dev/sealed-secrets/a.yaml", "apps/x/envs/dev/sealed-secrets/mlflow/a.yaml"] {
            assert!(is_allowed(&dev, path), "{path}");
        }
        for path in [
            "envs/prod/sealed-secrets/a.yaml",
            "envs/dev/a.yaml",
            "envs/dev/x/sealed-secrets/a.yaml",
            "xenvs/dev/sealed-secrets/a.yaml",
            "base/a.yaml",
            "envs/dev/sealed-secrets",
        ] {
            assert!(!is_allowed(&dev, path), "{path}");
        }
        let all = AllowedPaths::new(None, &[]).expect("valid");
        assert!(is_allowed(&all, "envs/prod/sealed-secrets/a.yaml"));
        assert!(!is_allowed(&all, "envs/a/b/sealed-secrets/a.yaml"));
    }

    #[test]
    fn names_of_environments_are_not_patterns() {
        let odd = AllowedPaths::new(Some("*"), &[]).expect("valid");
        assert!(!is_allowed(&odd, "envs/prod/sealed-secrets/a.yaml"));
    }

    #[test]
    fn outside_of_a_checkout_whole_paths_count() {
        let dev = AllowedPaths::new(Some("dev"), &["base/*.yaml".to_owned()]).expect("valid");
        let require = |root: &str, path: &str| dev.require_in(Path::new(root), None, [Path::new(path)]);
        for (root, path) in [
            ("/copy/app", "envs/dev/sealed-secrets/db.yaml"),
            ("/copy/app/envs/dev", "sealed-secrets/db.yaml"),
            ("/copy/app/envs/dev/sealed-secrets", "db.yaml"),
            ("/copy/app", "base/db.yaml"),
        ] {
            require(root, path).expect("allowed");
        }
        let refused = require("/copy/app/envs/prod/sealed-secrets", "db.yaml").expect_err("of another one");
        assert_eq!(
            refused.to_string(),
            "`/copy/app/envs/prod/sealed-secrets/db.yaml` may not be changed, and is not in a Git checkout"
        );
    }

    #[test]
    fn flags_widen_them() {
        let wider = AllowedPaths::new(Some("dev"), &["base/*.yaml".to_owned()]).expect("valid");
        assert!(is_allowed(&wider, "base/a.yaml"));
        assert!(!is_allowed(&wider, "base/x/a.yaml"));
        assert!(matches!(AllowedPaths::new(None, &["[".to_owned()]), Err(WorkTreeError::Pattern(_))));
        let refused = wider.require([Path::new("base/a.yaml"), Path::new("b.yaml")]);
        assert!(matches!(refused, Err(WorkTreeError::NotAllowed(paths)) if paths == [Path::new("b.yaml")]));
    }
}
