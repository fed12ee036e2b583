//! The parts that the reports of `--check` and `--map` share.

use serde::Serialize;

use super::find::UnseenFile;

/// A file that may hold further items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnseenEntry {
    /// The file.
    pub path: String,
    /// The reason.
    pub reason: String,
}

impl From<&UnseenFile> for UnseenEntry {
    fn from(file: &UnseenFile) -> Self {
        Self { path: file.path.clone(), reason: file.reason.text() }
    }
}
