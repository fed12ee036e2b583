//! The settings file that `--config` names.

use std::path::Path;

use super::error::{ValidationError, problem};
use sealwave_core::bounded_file::{BoundedReadError, read_file};
use sealwave_core::diagnostic::Failure;
use sealwave_core::document::Origin;
use sealwave_core::yaml;
use sealwave_secrets::settings::{
    API_VERSION, IgnoreEntry, SettingsFile, ValidationFile, ValidationSettings, ignore_origins,
};
use sealwave_validate::Span;

/// Maximum size of a settings file, which is written by hand.
const MAX_FILE: u64 = 1 << 20;

/// A settings file of `--config`.
pub(super) struct ConfigFile {
    pub(super) settings: ValidationSettings,
    pub(super) content: SettingsFile<'static>,
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
        Ok(Self { settings: file.validate, content })
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
