//! Reads and writes YAML exactly as Kubernetes does.
//!
//! Kubernetes reads manifests with Go's `sigs.k8s.io/yaml`: a port of libyaml, with the scalar rules of YAML 1.1 and a
//! conversion to JSON. [`read`] returns the same trees, with the position of every node, and refuses what Kubernetes
//! refuses. It is stricter where Kubernetes silently loses or multiplies data: duplicate keys, text after the end of a
//! document, binary data that is not text, and unbounded aliases and nesting.
//!
//! Two parsers produce the same events. `saphyr-parser` is fast, but follows YAML 1.2; `libyaml-safer` is a port of
//! libyaml and closest to Kubernetes, but up to three times slower on long texts. Each document is read by the first
//! one, unless it contains one of the few constructs that the two read differently (`survey`), and by the second one if
//! the first fails; the second one's result is final. Streams are split into documents before parsing, as in
//! Kubernetes, so that one unusual document does not slow down the others.
//!
//! This module does no I/O. Messages never quote values; keys are named.

mod budget;
mod core_scalar;
mod diagnosis;
mod error;
mod events;
mod indentation;
mod json_stream;
mod json_text;
mod layout;
mod limits;
mod lists;
mod pieces;
mod plain;
mod position;
mod scalar;
mod stream;
mod survey;
mod tabs;
mod timestamp;
mod tree;
mod verbatim;
mod write_json;
mod write_yaml;

pub use budget::YamlBudget;
pub use core_scalar::{CoreScalar, resolve_core};
pub use diagnosis::is_invisible;
pub use error::{SyntaxProblem, YamlError};
pub use layout::{DocumentLayout, LayoutContent, LayoutNode, LayoutStyle, read_layout};
pub use limits::{DuplicateKeys, Limits};
pub use lists::{flatten_lists, for_each_item, is_list};
pub use plain::{MergeKeys, PlainScalars};
pub use stream::{DocumentStream, is_utf16};
pub use verbatim::{VerbatimDocument, VerbatimError, is_json_literal, read_verbatim, read_verbatim_json};
pub use write_json::{OutputFull, write_json, write_json_within};
pub use write_yaml::{write_documents, write_yaml, write_yaml_as_written, write_yaml_within, yaml_string};

use crate::diagnostic::{Failure, Problem};
use crate::document::{Node, SourceId, WrittenScalars};

/// Maximum number of problems, after which reading a stream ends.
const MAX_PROBLEMS: usize = 200;

/// Reads all documents of a stream, except those that are empty or null.
///
/// # Errors
/// All problems, with line and column.
pub fn read(bytes: &[u8], source: SourceId, limits: &Limits) -> Result<Vec<Node>, Failure> {
    read_with_budget(bytes, source, limits, &YamlBudget::default())
}

/// Reads all documents of a stream that shares a budget with others.
///
/// # Errors
/// All problems, with line and column, and the position where the budget is exhausted.
pub fn read_with_budget(
    bytes: &[u8],
    source: SourceId,
    limits: &Limits,
    budget: &YamlBudget,
) -> Result<Vec<Node>, Failure> {
    collect_nodes(read_each(bytes, source, limits, budget))
}

/// Like [`read_with_budget`], but also returns the texts of scalars that are not in canonical form. These count towards the
/// budget.
///
/// # Errors
/// See [`read_with_budget`].
pub fn read_with_texts(
    bytes: &[u8],
    source: SourceId,
    limits: &Limits,
    budget: &YamlBudget,
) -> Result<(Vec<Node>, WrittenScalars), Failure> {
    let (all, written) = DocumentStream::new(bytes, source, limits).with_budget(budget).into_all_with_texts();
    collect_nodes(all).map(|nodes| (nodes, written))
}

fn collect_nodes(documents: Vec<Result<Node, Problem>>) -> Result<Vec<Node>, Failure> {
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

/// Reads every document of a stream, or its problems, in order; empty ones are skipped. After too many problems, or
/// when the budget is exhausted, the rest is skipped, too.
#[must_use]
pub fn read_each(
    bytes: &[u8],
    source: SourceId,
    limits: &Limits,
    budget: &YamlBudget,
) -> Vec<Result<Node, Problem>> {
    DocumentStream::new(bytes, source, limits).with_budget(budget).into_all()
}

/// Reads the documents of a part of a stream that starts at a separator, one at a time, after `lines_before` lines.
#[must_use]
pub fn documents_part<'a>(
    bytes: &'a [u8],
    source: SourceId,
    limits: &Limits,
    lines_before: u32,
) -> DocumentStream<'a> {
    DocumentStream::part(bytes, source, limits, lines_before)
}

/// Reads the documents of a stream, one at a time.
#[must_use]
pub fn documents<'a>(bytes: &'a [u8], source: SourceId, limits: &Limits) -> DocumentStream<'a> {
    DocumentStream::new(bytes, source, limits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Sources;

    #[test]
    fn scalar_texts_count_towards_the_budget() {
        let source = Sources::default().add("values.yaml");
        let read = |text: &str, budget: &YamlBudget| {
            let read = read_with_texts(text.as_bytes(), source, &Limits::default(), budget);
            read.map_err(|failure| failure.problems()[0].message.clone())
        };
        // Each alias has the text of the scalar that it refers to.
        let long = format!("a: &a 1.{}\nb: [{}]\n", "0".repeat(1 << 20), "*a,".repeat(20));
        let message = read(&long, &YamlBudget::default()).unwrap_err();
        assert!(message.contains("alias"), "{message}");
        let many = format!("- {}\n", "[0x1, 0x1, 0x1, 0x1]\n- ".repeat(5_000));
        let plain = many.replace("0x1", "1");
        assert!(read(&plain, &YamlBudget::new(1, 2 << 20)).is_ok());
        let message = read(&many, &YamlBudget::new(1, 2 << 20)).unwrap_err();
        assert!(message.contains("bytes of memory"), "{message}");
        assert!(read(&many, &YamlBudget::new(1, 8 << 20)).is_ok());
    }
}
