//! The settings file that `--config` names.

use std::path::Path;

use super::error::{MAX_ENTRIES, ValidationError, problem};
use super::input_scope::InputScope;
use sealwave_core::bounded_file::{BoundedReadError, read_file};
use sealwave_core::diagnostic::{Failure, Problem, ProblemPlace};
use sealwave_core::document::Origin;
use sealwave_core::yaml;
use sealwave_secrets::settings::{
    API_VERSION, IgnoreEntry, SetEntry, SettingsFile, ValidationFile, ValidationSettings, ignore_origins,
};
use sealwave_validate::Span;
use sealwave_validate::project::SetGlobs;

/// Maximum size of a settings file, which is written by hand.
const MAX_FILE: u64 = 1 << 20;

/// A settings file of `--config`.
pub(super) struct ConfigFile {
    pub(super) settings: ValidationSettings,
    pub(super) content: SettingsFile<'static>,
    exclude: Vec<String>,
    sets: Vec<SetEntry>,
}

impl ConfigFile {
    /// Reads a file.
    ///
    /// # Errors
    /// The file cannot be read, is too large, or does not hold these settings.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display().to_string();
        let file = fs_err::File::open(path).map_err(BoundedReadError::Io);
        let mut bytes = file.and_then(|file| read_file(file, MAX_FILE)).map_err(|error| {
            problem(&ValidationError::Unreadable { path: shown.clone(), reason: error.kind() })
        })?;
        let content = SettingsFile::new(shown.clone(), std::mem::take(&mut *bytes), yaml::Limits::default());
        let file: ValidationFile = content.read()?;
        if file.api_version != API_VERSION || file.kind != "Validation" {
            return Err(problem(&ValidationError::NotValidation(shown)));
        }
        Ok(Self { settings: file.validate, content, exclude: file.exclude, sets: file.sets })
    }

    /// Returns what the file says about the files of the run; its globs are relative to `directory`.
    ///
    /// # Errors
    /// A glob is not valid, or there are too many.
    pub(super) fn scope(&self, directory: &Path) -> Result<InputScope, Failure> {
        let at = |keys: &[&str], item| ProblemPlace::Place(self.content.locate_setting(keys, item));
        for (key, entries) in [("exclude", self.exclude.len()), ("sets", self.sets.len())] {
            if entries > MAX_ENTRIES {
                return Err(problem(&ValidationError::TooMany(key)).or_with_place(&at(&[key], None)));
            }
        }
        let mut scope = InputScope::default();
        scope.excludes.add(directory, &self.exclude).map_err(|error| {
            Failure::from(Problem::new(&error)).or_with_place(&at(&["exclude"], Some(error.index)))
        })?;
        for (item, entry) in self.sets.iter().enumerate() {
            let name = entry.name.clone().unwrap_or_else(|| format!("sets[{item}]"));
            let invalid =
                |glob: usize| ValidationError::SetGlob(entry.paths.get(glob).cloned().unwrap_or_default());
            let set = match &entry.paths[..] {
                [] => Err(ValidationError::EmptySet),
                paths => SetGlobs::new(directory, name, paths).map_err(invalid),
            };
            let set = set.map_err(|error| problem(&error).or_with_place(&at(&["sets"], Some(item))));
            scope.sets.push(set?);
        }
        Ok(scope)
    }

    /// Returns the entries of `validate.ignore`, with their positions.
    pub(super) fn ignored(&self) -> Vec<(IgnoreEntry, Option<Span>)> {
        let span = |at: Origin| Span { place: self.content.location(at), width: at.width };
        let whole = Span { place: self.content.locate_setting(&[], None), width: 0 };
        let documents = self.content.documents().unwrap_or_default();
        let spans = documents.iter().take(1).flat_map(ignore_origins).map(span);
        let entries = self.settings.ignore.iter().cloned();
        entries.zip(spans.chain(std::iter::repeat(whole)).map(Some)).collect()
    }
}
