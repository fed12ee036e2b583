//! Names of files in reports.

use std::path::Path;

use sealwave_core::document::display_path;
use sealwave_core::excerpts::STDIN;

/// Returns a path for messages; the path of a file is never the name of standard input.
#[must_use]
pub fn shown(path: &Path) -> String {
    let shown = display_path(path);
    if shown == STDIN { format!("./{shown}") } else { shown }
}

/// Returns a path as it was given.
pub(super) fn path_text(path: &Path) -> String {
    path.display().to_string()
}
