//! Attributes of files that change what Git stores.
//!
//! Line endings and `$Id$` are harmless: contents are compared as Git stores them. A filter (Git LFS, git-crypt) or another
//! encoding would store something that Argo CD cannot read, or needs a program to be read.

use std::ffi::OsStr;
use std::path::Path;

use sealwave_programs::GitAccess;

use super::WorkTreeError;
use super::checkout::{WorkTree, path_bytes, path_from_git};

/// The attributes with which Git stores something other than text with other line endings.
const TRANSFORMING: [&str; 2] = ["filter", "working-tree-encoding"];

/// Requires that no attribute has Git store something other than the files, given relative to the top.
pub(super) fn require_plain(tree: &WorkTree, paths: &[&Path]) -> Result<(), WorkTreeError> {
    let mut input = Vec::new();
    for path in paths {
        input.extend_from_slice(&path_bytes(path));
        input.push(0);
    }
    let mut args = vec!["check-attr", "--stdin", "-z"];
    args.extend(TRANSFORMING);
    let args: Vec<&OsStr> = args.into_iter().map(OsStr::new).collect();
    let answer = tree.git_with_input(GitAccess::Read, "check-attr", &args, &input)?;
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
