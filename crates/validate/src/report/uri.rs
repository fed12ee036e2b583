//! Paths in URIs.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The characters that are escaped in the path of a URI.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns a path with all characters escaped that have a meaning in a URI or in Markdown.
pub(super) fn escaped_path(path: &str) -> impl fmt::Display {
    utf8_percent_encode(path, PATH)
}
