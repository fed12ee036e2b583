//! The source text of scalars, if it differs from how their values print.
//!
//! The tree contains parsed values: `1.10` is the number 1.1, `NO` is false. A value must be printed as it was written,
//! so the text is kept beside the tree, by position. Most scalars print as written and are not stored.

use std::collections::BTreeMap;
use std::fmt;

use compact_str::CompactString;

use super::node::{Node, NodeValue};
use super::source::Origin;

/// Texts of booleans and numbers in an unusual form, by the positions of their nodes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct WrittenScalars(BTreeMap<Origin, CompactString>);

impl WrittenScalars {
    /// Stores the text of a scalar, unless its value prints the same; returns the memory used, in bytes.
    pub fn record(&mut self, node: &Node, text: &str) -> usize {
        if !matches!(node.value, NodeValue::Bool(_) | NodeValue::Number(_)) {
            return 0;
        }
        let usual = node.to_json().to_string();
        if usual == text {
            return 0;
        }
        let text = CompactString::from(text);
        let heap = if text.is_heap_allocated() { text.len() } else { 0 };
        self.0.insert(node.origin, text);
        // The nodes of the map may be half full.
        heap.saturating_add(2 * size_of::<(Origin, CompactString)>())
    }

    /// Records that the scalar at `to` is an alias of the one at `from`.
    pub(crate) fn record_alias(&mut self, from: Origin, to: Origin) {
        if let Some(text) = self.0.get(&from).cloned() {
            self.0.insert(to, text);
        }
    }

    /// Returns the text of a scalar; `None` if its value prints as written.
    #[must_use]
    pub fn text(&self, node: &Node) -> Option<&str> {
        let is_scalar = matches!(node.value, NodeValue::Bool(_) | NodeValue::Number(_));
        is_scalar.then(|| self.0.get(&node.origin).map(CompactString::as_str)).flatten()
    }

    /// Adds the texts of another source.
    pub fn extend(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }
}

impl fmt::Debug for WrittenScalars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} written scalars", self.0.len())
    }
}
