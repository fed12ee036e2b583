//! The content of line-based formats: keys and values without nesting.

use zeroize::Zeroizing;

/// Keys and values, in the order of the file.
pub(super) type KeyValuePairs = Vec<(String, Zeroizing<String>)>;

/// An error in a line-based format: the line and the problem, never its content.
pub(super) type LineError = (usize, &'static str);
