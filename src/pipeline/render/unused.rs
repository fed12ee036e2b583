//! Keys of an environment's values that no template reads and no other file of values has: probably misspelt.

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;

use super::reads::Reads;
use crate::model::{Entry, Node, Origin, SourceId, UnusedValue, Value, closest};
use crate::pipeline::Discovery;
use crate::pipeline::load::Values;
use crate::pipeline::shape::{PathStep, has, is_index, names_at};

/// Keys of one environment that are reported.
const MAX_UNUSED: usize = 100;

/// The keys of the environment's own file that nothing uses. None is known where more may be read than can be told.
pub(super) fn unused(app: &Discovery, environment: &str, values: &Values, reads: &Reads) -> Vec<UnusedValue> {
    let Some(own) = values.own.filter(|_| !reads.is_partial) else { return Vec::new() };
    let text = values.texts.iter().find(|(source, _)| *source == own).map_or("", |(_, text)| text.as_str());
    let tree = Tree::new(reads);
    let mut search = Search { own, path: Vec::new(), used: BTreeSet::new(), found: Vec::new() };
    search.value(&values.merged, &[&tree]);
    let used = std::mem::take(&mut search.used);
    search.found.retain(|found| !is_used_elsewhere(found.entry, &used));
    if search.found.is_empty() || !app.defined_values().unreadable.is_empty() {
        return Vec::new();
    }
    let others = app.defined_values().without(environment);
    let mut unused: BTreeMap<Origin, UnusedValue> = BTreeMap::new();
    for found in search.found {
        if has(&others, &found.path) || is_holder(found.entry, text) {
            continue;
        }
        let parent = found.path.split_last().map_or(&[][..], |(_, parent)| parent);
        let mut known: BTreeSet<String> = found.read_beside;
        known.extend(names_at(&others, parent));
        let name = found.entry.key.as_str();
        let closest = closest(name, known.iter().map(String::as_str)).map(str::to_owned);
        let at = found.entry.key_origin;
        unused.entry(at).or_insert_with(|| UnusedValue { at, key: name.to_owned(), closest });
    }
    unused.into_values().take(MAX_UNUSED).collect()
}

/// What is read, as a tree.
#[derive(Default)]
struct Tree {
    /// Whether all that is here is read.
    all: bool,
    keys: BTreeMap<CompactString, Self>,
    item: Option<Box<Self>>,
}

impl Tree {
    fn new(reads: &Reads) -> Self {
        let mut tree = Self::default();
        for (path, all) in &reads.paths {
            let end = path.iter().fold(&mut tree, |node, step| match step {
                PathStep::Item => node.item.get_or_insert_default(),
                PathStep::Key(key) => node.keys.entry(key.clone()).or_default(),
            });
            end.all |= all;
        }
        tree
    }

    fn after<'t>(&'t self, step: &PathStep) -> impl Iterator<Item = &'t Self> + use<'t> {
        let (key, takes_any) = match step {
            PathStep::Item => (None, true),
            PathStep::Key(key) => (self.keys.get(key), false),
        };
        let numbered =
            self.keys.iter().filter(move |(key, _)| takes_any && is_index(key)).map(|(_, node)| node);
        key.into_iter().chain(self.item.as_deref()).chain(numbered)
    }
}

/// A key that no template reads.
struct Found<'v> {
    path: Vec<PathStep>,
    entry: &'v Entry,
    /// Names beside it that are read.
    read_beside: BTreeSet<String>,
}

struct Search<'v> {
    /// The environment's own file.
    own: SourceId,
    path: Vec<PathStep>,
    /// Where keys and values stand that are read; what an alias or a merge key puts in several places may be read in one of them.
    used: BTreeSet<Origin>,
    found: Vec<Found<'v>>,
}

impl<'v> Search<'v> {
    /// Looks at a value of which these parts are read. The reader bounds how deep that is.
    fn value(&mut self, value: &'v Node, reads: &[&Tree]) {
        let all = reads.iter().any(|read| read.all);
        match &value.value {
            Value::Mapping(mapping) => {
                for entry in mapping.entries() {
                    let step = PathStep::Key(entry.key.clone());
                    let below: Vec<&Tree> = reads.iter().flat_map(|read| read.after(&step)).collect();
                    self.path.push(step);
                    self.entry(entry, reads, &below, all);
                    self.path.pop();
                }
            }
            Value::Sequence(items) => {
                let below: Vec<&Tree> = reads.iter().flat_map(|read| read.after(&PathStep::Item)).collect();
                let everything = Tree { all, ..Tree::default() };
                let below = if all { vec![&everything] } else { below };
                self.path.push(PathStep::Item);
                for item in items {
                    self.value(item, &below);
                }
                self.path.pop();
            }
            _ => {}
        }
    }

    fn entry(&mut self, entry: &'v Entry, beside: &[&Tree], below: &[&Tree], all: bool) {
        let everything = Tree { all, ..Tree::default() };
        let below = if all { &[&everything][..] } else { below };
        if all || !below.is_empty() {
            self.used.extend([entry.key_origin, entry.value.origin]);
        } else if is_for_people(&entry.key) {
            return;
        } else if entry.key_origin.source == self.own {
            let read_beside = beside.iter().flat_map(|read| read.keys.keys());
            let read_beside = read_beside.map(CompactString::to_string).collect();
            self.found.push(Found { path: self.path.clone(), entry, read_beside });
            return;
        }
        self.value(&entry.value, below);
    }
}

/// Whether a key says by its name that no program reads it: a note, or a holder of anchors.
fn is_for_people(key: &str) -> bool {
    key.starts_with(['_', '.']) || key.starts_with("x-")
}

/// Whether an entry, or what is in it, is read where an alias or a merge key puts it.
fn is_used_elsewhere(entry: &Entry, used: &BTreeSet<Origin>) -> bool {
    used.contains(&entry.key_origin) || used.contains(&entry.value.origin) || holds_used(&entry.value, used)
}

fn holds_used(value: &Node, used: &BTreeSet<Origin>) -> bool {
    match &value.value {
        Value::Mapping(mapping) => mapping.entries().iter().any(|entry| is_used_elsewhere(entry, used)),
        Value::Sequence(items) => items.iter().any(|item| holds_used(item, used)),
        _ => false,
    }
}

/// Whether the value has an anchor, so that it may be there for its aliases.
fn is_holder(entry: &Entry, text: &str) -> bool {
    let line = text.lines().nth((entry.key_origin.line as usize).saturating_sub(1)).unwrap_or_default();
    let after = line
        .chars()
        .skip((entry.key_origin.column as usize).saturating_sub(1) + entry.key_origin.width as usize);
    let rest: String = after.take(200).collect();
    rest.trim_start_matches(['"', '\''])
        .trim_start()
        .strip_prefix(':')
        .is_some_and(|rest| rest.trim_start().starts_with('&'))
}
