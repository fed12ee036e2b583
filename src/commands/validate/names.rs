//! Names of files in reports.

use std::path::Path;

use crate::diagnostic::report::STDIN;
use crate::model::display_path;

/// A path as messages show it; that of a file never reads as standard input.
pub(super) fn shown(path: &Path) -> String {
    let shown = display_path(path);
    if shown == STDIN { format!("./{shown}") } else { shown }
}
