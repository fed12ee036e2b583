//! YAML exactly as Kubernetes reads it: a reader and two writers.
//!
//! Kubernetes reads manifests with Go's `sigs.k8s.io/yaml`: a port of libyaml, the scalar rules of YAML 1.1 and a trip
//! through JSON. [`read`] gives the same trees, with the position of every node, and refuses what Kubernetes refuses.
//! It is stricter where Kubernetes loses or multiplies data without a word: keys given twice, text after the end of a
//! document, binary that is no text, aliases and nesting without end.
//!
//! Two parsers stand behind one kind of event. `saphyr-parser` is fast, but follows YAML 1.2; `libyaml-safer` is a port
//! of libyaml and as near to Kubernetes as it gets, at up to three times the cost on long texts. So each document goes
//! to the first, unless it holds one of the few constructs that the two read differently (`survey`), and to the second
//! when the first refuses it; the second's verdict is final. Documents are cut apart before either of them, as
//! Kubernetes does it, so one odd document does not slow down the others.
//!
//! Nothing here does I/O, and no message quotes what was read; keys are named, values never.

mod budget;
mod core_scalar;
mod error;
mod events;
mod json_stream;
mod json_text;
mod limits;
mod lists;
mod scalar;
mod stream;
mod survey;
mod tabs;
mod tree;
mod verbatim;
mod write_json;
mod write_yaml;

pub use budget::Budget;
pub use core_scalar::{CoreScalar, resolve_core};
pub use error::{Syntax, YamlError};
pub use limits::{DuplicateKeys, Limits};
pub use lists::{each_item, flatten_lists, is_list};
pub use stream::{Documents, is_utf16};
pub use verbatim::{
    MergeKeys, NotVerbatim, PlainScalars, Verbatim, is_json_literal, read_verbatim, read_verbatim_json,
};
pub use write_json::{OutputFull, write_json, write_json_within};
pub use write_yaml::{write_documents, write_yaml, write_yaml_as_written, write_yaml_within};

use crate::diagnostic::{Failure, Problem};
use crate::document::{Node, SourceId, WrittenScalars};

/// Bounds for whoever looks for all that is wrong: a key that is given twice is said, and its document is read all the same.
#[must_use]
pub fn searching() -> Limits {
    Limits { duplicate_keys: DuplicateKeys::Report, ..Limits::default() }
}

/// Problems after which a stream is given up.
const MAX_PROBLEMS: usize = 200;

/// Reads all documents of a stream; those that are empty or null are left out.
///
/// # Errors
/// All that is wrong, with line and column.
pub fn read(bytes: &[u8], source: SourceId, limits: &Limits) -> Result<Vec<Node>, Failure> {
    read_within(bytes, source, limits, &Budget::default())
}

/// Reads all documents of a stream that shares a budget with others.
///
/// # Errors
/// All that is wrong, with line and column; and the place at which the budget is exhausted.
pub fn read_within(
    bytes: &[u8],
    source: SourceId,
    limits: &Limits,
    budget: &Budget,
) -> Result<Vec<Node>, Failure> {
    collected(read_each(bytes, source, limits, budget))
}

/// Does the same, and gives the texts of those scalars that are not written in their usual form. They are part of what the
/// budget pays for.
///
/// # Errors
/// As [`read_within`].
pub fn read_written(
    bytes: &[u8],
    source: SourceId,
    limits: &Limits,
    budget: &Budget,
) -> Result<(Vec<Node>, WrittenScalars), Failure> {
    let (all, written) = Documents::new(bytes, source, limits).within(budget).into_all_written();
    collected(all).map(|nodes| (nodes, written))
}

fn collected(documents: Vec<Result<Node, Problem>>) -> Result<Vec<Node>, Failure> {
    let mut nodes = Vec::new();
    let mut problems = Vec::new();
    for document in documents {
        match document {
            Ok(node) => nodes.push(node),
            Err(problem) => problems.push(problem),
        }
    }
    problems.truncate(MAX_PROBLEMS);
    Failure::unless_empty(problems).map(|()| nodes)
}

/// Reads every document of a stream, or what is wrong with it, in order; empty ones are left out. After too many problems,
/// and where the budget is exhausted, the rest is left out too.
#[must_use]
pub fn read_each(
    bytes: &[u8],
    source: SourceId,
    limits: &Limits,
    budget: &Budget,
) -> Vec<Result<Node, Problem>> {
    Documents::new(bytes, source, limits).within(budget).into_all()
}

/// The documents of a part of a stream that starts at a separator, one at a time; `lines_before` lines come before it.
#[must_use]
pub fn documents_part<'a>(
    bytes: &'a [u8],
    source: SourceId,
    limits: &Limits,
    lines_before: u32,
) -> Documents<'a> {
    Documents::part(bytes, source, limits, lines_before)
}

/// The documents of a stream, one at a time.
#[must_use]
pub fn documents<'a>(bytes: &'a [u8], source: SourceId, limits: &Limits) -> Documents<'a> {
    Documents::new(bytes, source, limits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Sources;

    #[test]
    fn texts_of_scalars_are_part_of_what_a_reading_may_take() {
        let source = Sources::default().add("values.yaml");
        let read = |text: &str, budget: &Budget| {
            let read = read_written(text.as_bytes(), source, &Limits::default(), budget);
            read.map_err(|failure| failure.problems()[0].message.clone())
        };
        // Each alias has the text of the scalar that it names.
        let long = format!("a: &a 1.{}\nb: [{}]\n", "0".repeat(1 << 20), "*a,".repeat(20));
        let message = read(&long, &Budget::default()).unwrap_err();
        assert!(message.contains("alias"), "{message}");
        let many = format!("- {}\n", "[0x1, 0x1, 0x1, 0x1]\n- ".repeat(5_000));
        let plain = many.replace("0x1", "1");
        assert!(read(&plain, &Budget::new(1, 2 << 20)).is_ok());
        let message = read(&many, &Budget::new(1, 2 << 20)).unwrap_err();
        assert!(message.contains("bytes of memory"), "{message}");
        assert!(read(&many, &Budget::new(1, 8 << 20)).is_ok());
    }
}
