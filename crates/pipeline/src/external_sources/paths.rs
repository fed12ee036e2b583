//! The paths of sources: within the repository, by their names and by the targets of their links.

use std::path::{Path, PathBuf};

use sealwave_core::document::display_path;
use sealwave_core::reach::ReachError;
use sealwave_secrets::settings::EnvironmentPath;

use super::error::Error;
use super::input::SourceInput;

/// A file or directory of a source that exists within the repository.
pub(super) struct SourcePath {
    /// The path relative to the app's directory.
    pub(super) relative: PathBuf,
    /// The full path, without links.
    pub(super) full: PathBuf,
}

impl SourcePath {
    /// Finds the directory that a setting names.
    ///
    /// # Errors
    /// It does not exist, is not a directory, or is outside of the repository.
    pub(super) fn directory(path: &EnvironmentPath, input: &SourceInput<'_>) -> Result<Self, Error> {
        let found = Self::find(path, input)?;
        if found.full.is_dir() { Ok(found) } else { Err(Error::NotADirectory(found.name(input))) }
    }

    /// Finds the file that a setting names; `None` if it does not exist.
    ///
    /// # Errors
    /// It is not a regular file, or is outside of the repository.
    pub(super) fn file(path: &EnvironmentPath, input: &SourceInput<'_>) -> Result<Option<Self>, Error> {
        match Self::find(path, input) {
            Ok(found) if found.full.is_file() => Ok(Some(found)),
            Ok(found) => Err(Error::NotAFile(found.name(input))),
            Err(Error::Io { reason: std::io::ErrorKind::NotFound, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn find(path: &EnvironmentPath, input: &SourceInput<'_>) -> Result<Self, Error> {
        let relative = path.in_environment(&input.context.environment);
        if relative.is_absolute() {
            return Err(Error::AbsolutePath(display_path(&relative)));
        }
        let outside = || Error::Outside { path: display_path(&relative), extent: input.app.extent() };
        let reach = input.app.reach();
        if !reach.contains_names(input.app.root(), &relative) {
            return Err(outside());
        }
        let relative = crate::load::normalize_lexically(&relative);
        let io_error = |reason| Error::Io { path: input.name_of(&relative), reason };
        let resolved = if relative.as_os_str().is_empty() {
            Ok(input.app.root().to_owned())
        } else if relative.file_name().is_some() {
            reach.resolve(&input.app.root().join(&relative))
        } else {
            // Only `..`: the app's directory has no links.
            Ok(parent(input.app.root(), relative.components().count()))
        };
        let full = resolved.map_err(|error| match error {
            ReachError::Outside => {
                Error::Outside { path: display_path(&relative), extent: input.app.extent() }
            }
            ReachError::Missing | ReachError::Loop => io_error(std::io::ErrorKind::NotFound),
            ReachError::Special => Error::NotAFile(input.name_of(&relative)),
            ReachError::Io(reason) => io_error(reason),
        })?;
        Ok(Self { relative, full })
    }

    /// Returns the path as messages name it.
    pub(super) fn name(&self, input: &SourceInput<'_>) -> String {
        input.name_of(&self.relative)
    }
}

/// Returns the directory some levels above another one.
fn parent(directory: &Path, levels: usize) -> PathBuf {
    directory.ancestors().nth(levels).unwrap_or(directory).to_owned()
}
