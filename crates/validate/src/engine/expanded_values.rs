//! Locates entries within a value that a template printed as a whole, as with `toYaml`.
//!
//! The printed text is parsed again. If it equals the value entry by entry, its positions map to the entries.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use sealwave_core::document::{Node, NodeValue, Origin, SourceId, SourceText};
use sealwave_core::yaml;

/// The values that templates printed as a whole, with parsed results.
pub(super) struct ExpandedValues<'a> {
    values: Vec<&'a Node>,
    /// The values with entries, by position; `None` if two share a position, such as an alias and its anchor.
    nested: OnceCell<HashMap<Origin, Option<&'a Node>>>,
    read: RefCell<HashMap<(SourceId, usize), Rc<EntryPlaces>>>,
}

/// Maps positions in printed text to entries of the values.
type EntryPlaces = HashMap<(u32, u32, u32), Origin>;

impl<'a> ExpandedValues<'a> {
    /// Creates an index of all given values.
    pub(super) fn new(values: Vec<&'a Node>) -> Self {
        Self { values, nested: OnceCell::new(), read: RefCell::new(HashMap::new()) }
    }

    /// Returns the entry at a position of printed text, given the position of the printed value.
    pub(super) fn entry(
        &self,
        text: &SourceText,
        stretch: usize,
        written: &Range<usize>,
        value: Origin,
        at: Origin,
    ) -> Option<Origin> {
        let known = self.read.borrow().get(&(at.source, stretch)).cloned();
        let places = known.unwrap_or_else(|| {
            let node = self.node(value);
            let places = node.and_then(|node| places(text, written, node, at.source)).unwrap_or_default();
            let places = Rc::new(places);
            self.read.borrow_mut().insert((at.source, stretch), Rc::clone(&places));
            places
        });
        places.get(&(at.line, at.column, at.width)).copied()
    }

    fn node(&self, at: Origin) -> Option<&'a Node> {
        let nested = self.nested.get_or_init(|| {
            let mut nested = HashMap::new();
            self.values.iter().for_each(|values| add(values, &mut nested));
            nested
        });
        nested.get(&at).copied().flatten()
    }
}

fn add<'a>(node: &'a Node, nested: &mut HashMap<Origin, Option<&'a Node>>) {
    match &node.value {
        NodeValue::Mapping(mapping) => mapping.entries().iter().for_each(|entry| add(&entry.value, nested)),
        NodeValue::Sequence(items) => items.iter().for_each(|item| add(item, nested)),
        _ => return,
    }
    nested.entry(node.origin).and_modify(|found| *found = None).or_insert(Some(node));
}

/// Parses printed text and matches it with the value.
fn places(text: &SourceText, written: &Range<usize>, value: &Node, source: SourceId) -> Option<EntryPlaces> {
    let (line, column) = text.position(written.start)?;
    let before = (column as usize).checked_sub(1)?;
    let printed_text = " ".repeat(before) + text.content().get(written.clone())?;
    let mut read = yaml::read(printed_text.as_bytes(), source, &yaml::Limits::default()).ok()?;
    let tree = read.pop().filter(|_| read.is_empty())?;
    let mut places = EntryPlaces::new();
    let lines_before = line.checked_sub(1)?;
    match_entries(&tree, value, lines_before, &mut places).then_some(places)
}

/// Maps the positions of equal entries; returns false if printed text and value differ.
fn match_entries(printed: &Node, value: &Node, lines_before: u32, places: &mut EntryPlaces) -> bool {
    let mut add = |printed: Origin, value: Origin| {
        places.insert((printed.line.saturating_add(lines_before), printed.column, printed.width), value);
    };
    add(printed.origin, value.origin);
    match (&printed.value, &value.value) {
        (NodeValue::Mapping(printed), NodeValue::Mapping(value)) => {
            let pairs = || printed.entries().iter().zip(value.entries());
            pairs().for_each(|(printed, value)| add(printed.key_origin, value.key_origin));
            printed.len() == value.len()
                && pairs().all(|(printed, value)| {
                    printed.key == value.key
                        && match_entries(&printed.value, &value.value, lines_before, places)
                })
        }
        (NodeValue::Sequence(printed), NodeValue::Sequence(value)) => {
            printed.len() == value.len()
                && printed
                    .iter()
                    .zip(value)
                    .all(|(printed, value)| match_entries(printed, value, lines_before, places))
        }
        (printed, value) => printed == value,
    }
}
