//! The files that templates read with the helper `file`: texts in the app's directory, within what is left of the limits of
//! the environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::access::{FileAccess, FileError};
use crate::discover::misnamed_file;
use sealwave_core::document::display_path;

/// The files that templates can read. Each is read once.
pub(crate) struct TemplateFiles(Mutex<ReadFiles>);

struct ReadFiles {
    access: FileAccess,
    texts: BTreeMap<PathBuf, String>,
}

impl TemplateFiles {
    pub(super) const fn new(access: FileAccess) -> Self {
        Self(Mutex::new(ReadFiles { access, texts: BTreeMap::new() }))
    }

    /// Returns the text of a file, whose path is relative to the app's directory. A missing file is described by `what`.
    pub(crate) fn text(&self, path: &str, what: impl FnOnce() -> String) -> Result<String, FileError> {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let relative = files.access.named_path(Path::new(path))?;
        if let Some(text) = files.texts.get(&relative) {
            return Ok(text.clone());
        }
        if files.access.is_missing(&relative) {
            let name = misnamed_file(&files.access.full(&relative), files.access.reach());
            let meant = name.map(|name| display_path(&relative.with_file_name(name)));
            return Err(FileError::MissingNamed { what: what(), meant });
        }
        files.access.count_entry()?;
        let text = files.access.read_text(&relative)?;
        files.texts.insert(relative, text.clone());
        Ok(text)
    }

    /// Returns the paths of the files that were read.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        let files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.texts.keys().cloned().collect()
    }
}
