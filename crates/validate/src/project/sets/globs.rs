//! Sets that settings name by globs.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::project::paths::{full_directory, full_path};

/// The globs of one set, relative to the settings file.
#[derive(Clone, Debug)]
pub struct SetGlobs {
    name: String,
    /// The directory of the settings file, without symbolic links.
    directory: PathBuf,
    globs: GlobSet,
}

impl SetGlobs {
    /// Compiles the globs of a set.
    ///
    /// # Errors
    /// Returns the index of a glob that is not valid.
    pub fn new(directory: &Path, name: String, patterns: &[String]) -> Result<Self, usize> {
        let directory = full_directory(directory);
        let mut globs = GlobSetBuilder::new();
        for (index, pattern) in patterns.iter().enumerate() {
            let relative = pattern.trim_start_matches("./").trim_end_matches('/');
            let glob = GlobBuilder::new(relative).literal_separator(true).build().map_err(|_| index)?;
            globs.add(glob);
        }
        Ok(Self { name, directory, globs: globs.build().map_err(|_| 0_usize)? })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Reports whether a glob matches a file or a directory above it.
    pub(super) fn contains(&self, file: &Path) -> bool {
        let Some(full) = full_path(file) else { return false };
        let inside = full.strip_prefix(&self.directory);
        inside.is_ok_and(|inside| inside.ancestors().any(|path| self.globs.is_match(path)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_matches_files_and_directories_below_the_settings() {
        let dir = tempfile::tempdir().unwrap();
        fs_err::create_dir_all(dir.path().join("clusters/a/b")).unwrap();
        let contains = |pattern: &str, file: &str| {
            let globs = SetGlobs::new(dir.path(), "a".to_owned(), &[pattern.to_owned()]).unwrap();
            globs.contains(&dir.path().join(file))
        };
        for (pattern, file, is_match) in [
            ("clusters/a/**", "clusters/a/b/x.yaml", true),
            ("clusters/a", "clusters/a/b/x.yaml", true),
            ("./clusters/a/", "clusters/a/x.yaml", true),
            ("clusters/*/*.yaml", "clusters/a/x.yaml", true),
            ("clusters/*/*.yaml", "clusters/a/b/x.yaml", false),
            ("clusters/b", "clusters/a/x.yaml", false),
            ("a/**", "clusters/a/x.yaml", false),
        ] {
            assert_eq!(contains(pattern, file), is_match, "{pattern} {file}");
        }
        assert_eq!(
            SetGlobs::new(dir.path(), String::new(), &["a".to_owned(), "[".to_owned()]).err(),
            Some(1)
        );
    }
}
