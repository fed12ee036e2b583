//! Custom resources: their kinds and versions, and the nodes of their schemas, which `compile` makes.

use std::collections::BTreeMap;

use super::Scope;
use super::node::{Id, SchemaNode};
use sealwave_core::pattern::Pattern as Compiled;

/// Where the nodes of CRDs start; below are references into the pack.
const BASE: u32 = 0x1_0000;
/// A node that takes anything.
pub(super) const FREE: Id = Id(u32::MAX);
/// Nodes of all definitions.
const MAX_ALL_NODES: usize = 1_000_000;
/// What compiling the patterns of all definitions may cost, see [`Compiled::cost`].
const MAX_PATTERN_COST: usize = 4000;

/// All custom resources.
#[derive(Debug)]
pub(super) struct Crds {
    nodes: Vec<SchemaNode>,
    patterns: Vec<Pattern>,
    by_pattern: BTreeMap<String, usize>,
    /// What compiling more patterns may cost.
    budget: usize,
    /// Whether CEL rules are compiled to report what is wrong with them.
    pub(super) checks_rules: bool,
    /// By group and kind.
    kinds: BTreeMap<String, BTreeMap<String, CrdKind>>,
}

/// A kind of custom resource.
#[derive(Debug)]
pub(super) struct CrdKind {
    pub(super) scope: Scope,
    pub(super) versions: Vec<CrdVersion>,
}

/// A version of it.
#[derive(Debug)]
pub(super) struct CrdVersion {
    pub(super) name: String,
    pub(super) served: bool,
    pub(super) deprecated: bool,
    /// Where its schema starts; a version without one takes anything.
    pub(super) root: Option<Id>,
    /// How many CEL rules it has.
    pub(super) rules: RuleCount,
    /// Whether some check depends on what the API server fills in or drops.
    pub(super) alternatives: bool,
}

/// CEL rules of a version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RuleCount {
    pub(super) all: usize,
    /// Those below `allOf` and its like, which are not evaluated.
    pub(super) in_branches: usize,
}

#[derive(Debug)]
struct Pattern {
    text: String,
    compiled: Option<Compiled>,
}

impl CrdKind {
    /// The version of this name, where the API server serves it.
    pub(super) fn served(&self, name: &str) -> Option<&CrdVersion> {
        self.versions.iter().find(|version| version.served && version.name == name)
    }
}

impl Id {
    /// Whether it is of a custom resource.
    pub(super) const fn is_custom(self) -> bool {
        self.0 >= BASE
    }
}

impl Default for Crds {
    fn default() -> Self {
        Self { budget: MAX_PATTERN_COST, checks_rules: false, ..Self::to_be_judged() }
    }
}

impl Crds {
    /// For judging a definition alone: no pattern is compiled, and rules are checked.
    pub(super) const fn to_be_judged() -> Self {
        Self {
            nodes: Vec::new(),
            patterns: Vec::new(),
            by_pattern: BTreeMap::new(),
            budget: 0,
            checks_rules: true,
            kinds: BTreeMap::new(),
        }
    }

    pub(super) fn node(&self, id: Id) -> &SchemaNode {
        let node = id.0.checked_sub(BASE).and_then(|index| self.nodes.get(index as usize));
        node.unwrap_or(const { &SchemaNode::ANY })
    }

    /// The pattern's text and itself; `None` where it was refused.
    pub(super) fn pattern(&self, index: usize) -> Option<(&str, &Compiled)> {
        let pattern = self.patterns.get(index)?;
        Some((&pattern.text, pattern.compiled.as_ref()?))
    }

    pub(super) fn kind(&self, group: &str, kind: &str) -> Option<&CrdKind> {
        self.kinds.get(group)?.get(kind)
    }

    /// The kinds of a group, in their order.
    pub(super) fn kinds_of(&self, group: &str) -> impl Iterator<Item = &str> {
        self.kinds.get(group).into_iter().flat_map(|kinds| kinds.keys().map(String::as_str))
    }

    /// Groups and kinds, in their order.
    pub fn kinds(&self) -> impl Iterator<Item = (&str, &str)> {
        self.kinds.iter().flat_map(|(group, kinds)| kinds.keys().map(|kind| (group.as_str(), kind.as_str())))
    }

    pub(super) fn insert(&mut self, group: &str, kind: &str, definition: CrdKind) {
        self.kinds.entry(group.to_owned()).or_default().insert(kind.to_owned(), definition);
    }

    /// Where a new node is; [`FREE`] where there are too many.
    pub(super) fn push(&mut self, node: SchemaNode) -> Id {
        match u32::try_from(self.nodes.len()) {
            Ok(index) if self.nodes.len() < MAX_ALL_NODES => {
                self.nodes.push(node);
                Id(BASE + index)
            }
            _ => FREE,
        }
    }

    pub(super) const fn is_full(&self) -> bool {
        self.nodes.len() >= MAX_ALL_NODES
    }

    /// The number of a pattern; `None` where it is refused.
    pub(super) fn pattern_of(&mut self, text: &str) -> Option<usize> {
        if let Some(index) = self.by_pattern.get(text) {
            return self.patterns[*index].compiled.is_some().then_some(*index);
        }
        if self.budget == 0 {
            return None;
        }
        let compiled = Compiled::new(text);
        self.budget = self.budget.saturating_sub(compiled.as_ref().map_or(Compiled::REFUSED, Compiled::cost));
        let index = self.patterns.len();
        let is_valid = compiled.is_some();
        self.patterns.push(Pattern { text: text.to_owned(), compiled });
        self.by_pattern.insert(text.to_owned(), index);
        is_valid.then_some(index)
    }
}
