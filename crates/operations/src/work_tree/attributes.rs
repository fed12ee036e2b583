//! Attributes of files that change what Git stores.
//!
//! Line endings and `$Id$` are harmless: contents are compared as Git stores them. A filter (Git LFS, git-crypt) or another
//! encoding would store something that Argo CD cannot read, or needs a program to be read.

use std::path::Path;

use super::WorkTreeError;
use super::git_paths::{path_bytes, path_from_git};

/// The arguments of Git that ask for the attributes with which it stores something other than text with other line endings.
pub(super) const QUERY: [&str; 5] = ["check-attr", "--stdin", "-z", "filter", "working-tree-encoding"];

/// Returns the input of the query for paths.
pub(super) fn queried(paths: &[&Path]) -> Vec<u8> {
    let mut input = Vec::new();
    for path in paths {
        input.extend_from_slice(&path_bytes(path));
        input.push(0);
    }
    input
}

/// Requires, in the answer to the query, that no attribute has Git store something else.
pub(super) fn require_plain(answer: &[u8]) -> Result<(), WorkTreeError> {
    let fields: Vec<&[u8]> = answer.split(|byte| *byte == 0).collect();
    // A path, an attribute and its value.
    for field in fields.chunks_exact(3) {
        let [path, attribute, value] = field else { continue };
        if !matches!(*value, b"unspecified" | b"unset") && !is_utf8(value) {
            let [attribute, value] = [attribute, value].map(|text| String::from_utf8_lossy(text));
            return Err(WorkTreeError::Transformed {
                path: path_from_git(path),
                attribute: format!("{attribute}={value}"),
            });
        }
    }
    Ok(())
}

/// Reports whether an encoding is the one that Git stores.
fn is_utf8(encoding: &[u8]) -> bool {
    encoding.eq_ignore_ascii_case(b"utf-8") || encoding.eq_ignore_ascii_case(b"utf8")
}
