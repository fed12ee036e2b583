//! Names of files in reports.

use std::path::Path;

use crate::report::STDIN;
use sealwave_core::document::display_path;

/// A path as messages show it; that of a file never reads as standard input.
pub fn shown(path: &Path) -> String {
    let shown = display_path(path);
    if shown == STDIN { format!("./{shown}") } else { shown }
}
