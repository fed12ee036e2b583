//! Custom resources: kinds, versions, and the nodes of their schemas, which `compile` creates.

use std::collections::BTreeMap;

use super::node::{NodeId, SchemaNode};
use super::resource_scope::ResourceScope;
use sealwave_core::pattern::GoPattern;

/// First number of the nodes of CRDs; lower numbers are references into the pack.
const BASE: u32 = 0x1_0000;
/// A node that accepts any value.
pub(super) const FREE: NodeId = NodeId(u32::MAX);
/// Maximum number of nodes of all definitions.
const MAX_ALL_NODES: usize = 1_000_000;
/// Maximum cost of compiling the patterns of all definitions, see [`GoPattern::cost`].
const MAX_PATTERN_COST: usize = 4000;

/// All custom resources.
#[derive(Debug)]
pub(super) struct Crds {
    nodes: Vec<SchemaNode>,
    patterns: Vec<CachedPattern>,
    by_pattern: BTreeMap<String, usize>,
    /// The remaining cost for compiling patterns.
    budget: usize,
    /// Whether CEL rules are compiled to report their errors.
    pub(super) checks_rules: bool,
    /// The kinds, by group and name.
    kinds: BTreeMap<String, BTreeMap<String, CrdKind>>,
}

/// A kind of custom resource.
#[derive(Debug)]
pub(super) struct CrdKind {
    pub(super) scope: ResourceScope,
    pub(super) versions: Vec<CrdVersion>,
}

/// A version of a custom resource.
#[derive(Debug)]
pub(super) struct CrdVersion {
    pub(super) name: String,
    pub(super) served: bool,
    pub(super) deprecated: bool,
    /// The root node; a version without a schema accepts any object.
    pub(super) root: Option<NodeId>,
    /// The number of CEL rules.
    pub(super) rules: RuleCount,
    /// Whether a check depends on what the API server fills in or drops.
    pub(super) alternatives: bool,
}

/// The number of CEL rules of a version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RuleCount {
    pub(super) all: usize,
    /// Rules below `allOf`, `anyOf`, `oneOf` and `not`, which are not evaluated.
    pub(super) in_branches: usize,
}

#[derive(Debug)]
struct CachedPattern {
    text: String,
    compiled: Option<GoPattern>,
}

impl CrdKind {
    /// Returns the version of this name if the API server serves it.
    pub(super) fn served(&self, name: &str) -> Option<&CrdVersion> {
        self.versions.iter().find(|version| version.served && version.name == name)
    }
}

impl NodeId {
    /// Reports whether the node belongs to a custom resource.
    pub(super) const fn is_custom(self) -> bool {
        self.0 >= BASE
    }
}

impl Default for Crds {
    fn default() -> Self {
        Self { budget: MAX_PATTERN_COST, checks_rules: false, ..Self::for_definition_check() }
    }
}

impl Crds {
    /// Creates an empty set for checking a single definition: patterns are not compiled, rules are checked.
    pub(super) const fn for_definition_check() -> Self {
        Self {
            nodes: Vec::new(),
            patterns: Vec::new(),
            by_pattern: BTreeMap::new(),
            budget: 0,
            checks_rules: true,
            kinds: BTreeMap::new(),
        }
    }

    pub(super) fn node(&self, id: NodeId) -> &SchemaNode {
        let node = id.0.checked_sub(BASE).and_then(|index| self.nodes.get(index as usize));
        node.unwrap_or(const { &SchemaNode::ANY })
    }

    /// Returns a pattern's text and its compiled form, or `None` if it was refused.
    pub(super) fn pattern(&self, index: usize) -> Option<(&str, &GoPattern)> {
        let pattern = self.patterns.get(index)?;
        Some((&pattern.text, pattern.compiled.as_ref()?))
    }

    pub(super) fn kind(&self, group: &str, kind: &str) -> Option<&CrdKind> {
        self.kinds.get(group)?.get(kind)
    }

    /// Returns the kinds of a group, in order.
    pub(super) fn kinds_in_group(&self, group: &str) -> impl Iterator<Item = &str> {
        self.kinds.get(group).into_iter().flat_map(|kinds| kinds.keys().map(String::as_str))
    }

    /// Returns groups and kinds, in order.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = (&str, &str)> {
        self.kinds.iter().flat_map(|(group, kinds)| kinds.keys().map(|kind| (group.as_str(), kind.as_str())))
    }

    pub(super) fn insert(&mut self, group: &str, kind: &str, definition: CrdKind) {
        self.kinds.entry(group.to_owned()).or_default().insert(kind.to_owned(), definition);
    }

    /// Adds a node and returns its ID, or [`FREE`] if there are too many nodes.
    pub(super) fn push(&mut self, node: SchemaNode) -> NodeId {
        match u32::try_from(self.nodes.len()) {
            Ok(index) if self.nodes.len() < MAX_ALL_NODES => {
                self.nodes.push(node);
                NodeId(BASE + index)
            }
            _ => FREE,
        }
    }

    pub(super) const fn is_full(&self) -> bool {
        self.nodes.len() >= MAX_ALL_NODES
    }

    /// Returns the index of a pattern, or `None` if it is refused.
    pub(super) fn intern_pattern(&mut self, text: &str) -> Option<usize> {
        if let Some(index) = self.by_pattern.get(text) {
            return self.patterns[*index].compiled.is_some().then_some(*index);
        }
        if self.budget == 0 {
            return None;
        }
        let compiled = GoPattern::new(text);
        self.budget =
            self.budget.saturating_sub(compiled.as_ref().map_or(GoPattern::REFUSED, GoPattern::cost));
        let index = self.patterns.len();
        let is_valid = compiled.is_some();
        self.patterns.push(CachedPattern { text: text.to_owned(), compiled });
        self.by_pattern.insert(text.to_owned(), index);
        is_valid.then_some(index)
    }
}
