//! Finds keys of an environment's values that no template reads and no other values file has, which are probably
//! misspelled.

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;

use super::reads::TemplateReads;
use crate::discover::Discovery;
use crate::load::{LayeredValues, defined_values};
use crate::name_tree::{LookupBudget, NameTree, ValuePathStep, has_path, is_index, names_at};
use crate::render::UnusedValue;
use sealwave_core::document::{MappingEntry, Node, NodeValue, Origin, SourceId};
use sealwave_core::text::closest_name;

/// The maximum number of reported keys per environment.
const MAX_UNUSED: usize = 100;
/// The maximum number of unread keys that are compared with other files.
const MAX_FOUND: usize = 5_000;

/// Returns the unused keys of the environment's own file. The result is empty if some reads are unknown.
pub(super) fn find_unused(
    app: &Discovery,
    environment: &str,
    values: &LayeredValues,
    reads: &TemplateReads,
) -> Vec<UnusedValue> {
    let Some(own) = values.own.filter(|_| !reads.is_partial) else { return Vec::new() };
    let text = values.texts.iter().find(|(source, _)| *source == own).map_or("", |(_, text)| text.as_str());
    let tree = ReadTree::new(reads);
    let mut search = UnusedKeySearch::new(own);
    search.value(&values.merged, &[&tree], false);
    let UnusedKeySearch { used, mut found, patience, .. } = search;
    found.retain(|found| !is_used_elsewhere(found.entry, &used));
    if found.is_empty() || patience.is_exhausted() || !defined_values(app).unreadable.is_empty() {
        return Vec::new();
    }
    let others = defined_values(app).except(environment);
    let lines: Vec<&str> = text.lines().collect();
    let mut unused: BTreeMap<Origin, UnusedValue> = BTreeMap::new();
    for found in found {
        if has_path(&others, &found.path, &patience) || is_holder(found.entry, &lines) {
            continue;
        }
        if patience.is_exhausted() || unused.len() == MAX_UNUSED {
            break;
        }
        let at = found.entry.key_origin;
        unused.entry(at).or_insert_with(|| found.unused(&others, &patience));
    }
    unused.into_values().collect()
}

/// The reads as a tree.
#[derive(Default)]
struct ReadTree {
    /// Whether the whole value is read.
    all: bool,
    keys: BTreeMap<CompactString, Self>,
    /// The reads of items by index.
    numbered: BTreeMap<CompactString, Self>,
    item: Option<Box<Self>>,
}

impl ReadTree {
    fn new(reads: &TemplateReads) -> Self {
        let mut tree = Self::default();
        for (path, all) in &reads.paths {
            let end = path.iter().fold(&mut tree, |node, step| match step {
                ValuePathStep::Item => node.item.get_or_insert_default(),
                ValuePathStep::Key(key) => node.named(key).entry(key.clone()).or_default(),
            });
            end.all |= all;
        }
        tree
    }

    fn after<'t>(&'t self, step: &ValuePathStep) -> impl Iterator<Item = &'t Self> + use<'t> {
        let (key, numbered) = match step {
            ValuePathStep::Item => (None, Some(&self.numbered)),
            ValuePathStep::Key(key) if is_index(key) => (self.numbered.get(key), None),
            ValuePathStep::Key(key) => (self.keys.get(key), None),
        };
        let numbered = numbered.into_iter().flat_map(BTreeMap::values);
        key.into_iter().chain(self.item.as_deref()).chain(numbered)
    }

    fn named(&mut self, key: &str) -> &mut BTreeMap<CompactString, Self> {
        if is_index(key) { &mut self.numbered } else { &mut self.keys }
    }
}

/// A key that no template reads.
struct UnusedKey<'v, 't> {
    path: Vec<ValuePathStep>,
    entry: &'v MappingEntry,
    /// The reads of the mapping that has it.
    beside: Vec<&'t ReadTree>,
}

impl UnusedKey<'_, '_> {
    fn unused(&self, others: &[&NameTree], patience: &LookupBudget) -> UnusedValue {
        let parent = self.path.split_last().map_or(&[][..], |(_, parent)| parent);
        let name = self.entry.key.as_str();
        let read = self.beside.iter().flat_map(|read| read.keys.keys().map(CompactString::as_str));
        let known = names_at(others, parent, patience);
        let closest = closest_name(name, read.chain(known.iter().map(String::as_str))).map(str::to_owned);
        UnusedValue { origin: self.entry.key_origin, key: name.to_owned(), closest }
    }
}

struct UnusedKeySearch<'v, 't> {
    /// The environment's own file.
    own: SourceId,
    path: Vec<ValuePathStep>,
    /// The origins of keys and values that are read. With aliases and merge keys, a value in several places may be read
    /// in only one of them.
    used: BTreeSet<Origin>,
    found: Vec<UnusedKey<'v, 't>>,
    patience: LookupBudget,
}

impl<'v, 't> UnusedKeySearch<'v, 't> {
    const fn new(own: SourceId) -> Self {
        Self {
            own,
            path: Vec::new(),
            used: BTreeSet::new(),
            found: Vec::new(),
            patience: LookupBudget::new(),
        }
    }

    /// Visits a value with the reads of its parts. The reader bounds the depth.
    fn value(&mut self, value: &'v Node, reads: &[&'t ReadTree], all: bool) {
        let all = all || reads.iter().any(|read| read.all);
        match &value.value {
            NodeValue::Mapping(mapping) => {
                for entry in mapping.entries() {
                    let step = ValuePathStep::Key(entry.key.clone());
                    let below = self.below(reads, &step);
                    self.path.push(step);
                    self.entry(entry, reads, &below, all);
                    self.path.pop();
                }
            }
            NodeValue::Sequence(items) => {
                let below = self.below(reads, &ValuePathStep::Item);
                self.path.push(ValuePathStep::Item);
                for item in items {
                    self.value(item, &below, all);
                }
                self.path.pop();
            }
            _ => {}
        }
    }

    fn below(&self, reads: &[&'t ReadTree], step: &ValuePathStep) -> Vec<&'t ReadTree> {
        if self.patience.is_exhausted() {
            return Vec::new();
        }
        let below: Vec<&ReadTree> = reads.iter().flat_map(|read| read.after(step)).collect();
        self.patience.spend(1 + reads.len() + below.len());
        below
    }

    fn entry(&mut self, entry: &'v MappingEntry, beside: &[&'t ReadTree], below: &[&'t ReadTree], all: bool) {
        if all || !below.is_empty() {
            self.used.extend([entry.key_origin, entry.value.origin]);
        } else if is_for_people(&entry.key) {
            return;
        } else if entry.key_origin.source == self.own {
            if self.found.len() < MAX_FOUND && !self.patience.is_exhausted() {
                self.found.push(UnusedKey { path: self.path.clone(), entry, beside: beside.to_vec() });
            }
            return;
        }
        self.value(&entry.value, below, all);
    }
}

/// Reports whether a key's name marks it as a comment or a holder of anchors, which programs do not read.
fn is_for_people(key: &str) -> bool {
    key.starts_with(['_', '.']) || key.starts_with("x-")
}

/// Reports whether an entry or its content is read through an alias or a merge key.
fn is_used_elsewhere(entry: &MappingEntry, used: &BTreeSet<Origin>) -> bool {
    used.contains(&entry.key_origin) || used.contains(&entry.value.origin) || holds_used(&entry.value, used)
}

fn holds_used(value: &Node, used: &BTreeSet<Origin>) -> bool {
    match &value.value {
        NodeValue::Mapping(mapping) => mapping.entries().iter().any(|entry| is_used_elsewhere(entry, used)),
        NodeValue::Sequence(items) => items.iter().any(|item| holds_used(item, used)),
        _ => false,
    }
}

/// Reports whether the value has an anchor, so that it may exist for its aliases.
fn is_holder(entry: &MappingEntry, lines: &[&str]) -> bool {
    let at = entry.key_origin;
    let Some(line) = (at.line as usize).checked_sub(1).and_then(|line| lines.get(line)) else { return false };
    let skipped = (at.column as usize).saturating_sub(1).saturating_add(at.width as usize);
    let rest: String = line.chars().skip(skipped).take(200).collect();
    let value = rest.trim_start_matches(['"', '\'']).trim_start().strip_prefix(':');
    value.is_some_and(|value| value.trim_start().starts_with('&'))
}
