//! Builds a tree from events: keys, duplicates, merge keys, anchors and aliases, within limits.
//!
//! Does not recurse over the input: open collections are on a stack of limited height. A problem with one key or value
//! is recorded and reading continues, so that all problems are reported at once.

use std::collections::{HashMap, HashSet};

use compact_str::CompactString;

use super::budget::YamlBudget;
use super::error::YamlError;
use super::events::{EventSource, ScalarEvent, YamlEvent};
use super::limits::{DuplicateKeys, Limits};
use super::plain::{MergeKeys, PlainScalars};
use super::position::{EventPosition, EventResult};
use super::scalar::{ResolvedScalar, ScalarTag, resolve};
use crate::document::{
    Mapping, MappingBuilder, MappingEntry, Node, NodeValue, Origin, SourceId, WrittenScalars,
};

/// Maximum number of problems, after which reading a document ends.
const MAX_PROBLEMS: usize = 50;

/// The number of nodes after which their memory is charged to the budget.
const SETTLE_AFTER: usize = 1024;

/// The result of reading one document; without a tree if it is empty.
pub(super) struct ParsedDocument {
    pub(super) root: Option<Node>,
    pub(super) problems: Vec<(YamlError, Origin)>,
    /// The texts of its scalars, if requested.
    pub(super) written: WrittenScalars,
    /// Its plain scalars and keys, if read verbatim.
    pub(super) plain: PlainScalars,
    /// Whether the parser caused the stop, rather than the content.
    pub(super) syntax_error: bool,
}

impl ParsedDocument {
    /// Creates a result without a tree, for this reason.
    pub(super) fn from_error(error: YamlError, origin: Origin) -> Self {
        Self {
            root: None,
            problems: vec![(error, origin)],
            written: WrittenScalars::default(),
            plain: PlainScalars::default(),
            syntax_error: false,
        }
    }
}

/// Builds the tree of one document.
pub(super) struct TreeBuilder<'l> {
    limits: &'l Limits,
    budget: Option<&'l YamlBudget>,
    source: SourceId,
    open: Vec<OpenCollection>,
    root: Option<Node>,
    nodes: usize,
    /// The memory of the tree, in bytes.
    memory: usize,
    /// The part of it that was charged to the budget.
    settled: usize,
    aliases: AliasState,
    problems: Vec<(YamlError, Origin)>,
    /// `None` if texts of scalars are not requested.
    written: Option<WrittenScalars>,
    /// The meaning of merge keys if scalars are read as written; `None` for manifests.
    verbatim: Option<MergeKeys>,
    plain: PlainScalars,
}

/// A collection that is not closed yet.
struct OpenCollection {
    origin: Origin,
    anchor: usize,
    kind: CollectionKind,
}

enum CollectionKind {
    Mapping(OpenMapping),
    Sequence(Vec<Node>),
}

/// An open mapping.
#[derive(Default)]
struct OpenMapping {
    mapping: MappingBuilder,
    /// Keys from merges only; the mapping's own keys may replace them. Absent without merges, to keep most small.
    #[expect(clippy::box_collection, reason = "absent in most mappings, which should stay small")]
    merged: Option<Box<HashSet<CompactString>>>,
    slot: MappingSlot,
}

/// The role of the next node of a mapping.
#[derive(Default)]
enum MappingSlot {
    /// A key.
    #[default]
    Key,
    /// The value of the key that the mapping's builder waits with.
    Value,
    /// The value of a merge key.
    Merge,
    /// The value of a key that was refused.
    Refused,
}

/// Anchored nodes of the document, and the cost of expanding them.
struct AliasState {
    /// False if the text contains no `*`, so that anchors are not kept.
    wanted: bool,
    anchored: HashMap<usize, AnchoredNode>,
    nodes: usize,
    bytes: usize,
    /// The memory that was charged to the budget, in bytes.
    memory: usize,
}

struct AnchoredNode {
    node: Node,
    key: Option<Result<CompactString, YamlError>>,
    size: TreeSize,
}

#[derive(Clone, Copy, Default)]
struct TreeSize {
    nodes: usize,
    bytes: usize,
    height: usize,
}

impl<'l> TreeBuilder<'l> {
    /// Creates a builder; `aliases` states whether the document may contain aliases.
    pub(super) fn new(
        source: SourceId,
        limits: &'l Limits,
        budget: Option<&'l YamlBudget>,
        aliases: bool,
    ) -> Self {
        Self {
            limits,
            budget,
            memory: 0,
            settled: 0,
            source,
            open: Vec::new(),
            root: None,
            nodes: 0,
            aliases: AliasState { wanted: aliases, anchored: HashMap::new(), nodes: 0, bytes: 0, memory: 0 },
            problems: Vec::new(),
            written: None,
            verbatim: None,
            plain: PlainScalars::default(),
        }
    }

    /// Reads scalars and keys as written, and records which are plain.
    pub(super) fn verbatim(self, merge_keys: MergeKeys) -> Self {
        Self { verbatim: Some(merge_keys), ..self }
    }

    /// Keeps the texts of scalars that are not in canonical form.
    pub(super) fn keep_texts(self) -> Self {
        Self { written: Some(WrittenScalars::default()), ..self }
    }

    /// Reads all events.
    pub(super) fn read<'a>(mut self, events: &mut impl EventSource<'a>) -> ParsedDocument {
        let (mut syntax_error, mut stopped) = (false, false);
        while let Some(next) = events.next() {
            let taken = match next {
                Ok((event, spot)) => self.take(event, spot),
                Err(error) => {
                    syntax_error = true;
                    Err(error)
                }
            };
            if let Err((error, spot)) = taken {
                let origin = self.origin(spot);
                self.problems.push((error, origin));
                stopped = true;
                break;
            }
            if self.problems.len() >= MAX_PROBLEMS {
                break;
            }
        }
        if let (true, Some(budget)) = (syntax_error, self.budget) {
            // The other parser reads the document again.
            budget.refund(self.settled.saturating_add(self.aliases.memory), self.aliases.bytes);
        } else if let (Err(error), false) = (self.settle(), stopped) {
            let origin = self.root.as_ref().map_or(Origin::whole(self.source), |root| root.origin);
            self.problems.push((error, origin));
        }
        let written = self.written.unwrap_or_default();
        ParsedDocument { root: self.root, problems: self.problems, written, plain: self.plain, syntax_error }
    }

    /// Charges the memory taken since the last call.
    fn settle(&mut self) -> Result<(), YamlError> {
        let bytes = self.memory.saturating_sub(self.settled);
        self.settled = self.memory;
        self.budget.map_or(Ok(()), |budget| budget.memory(bytes))
    }

    const fn origin(&self, spot: EventPosition) -> Origin {
        Origin { source: self.source, line: spot.line, column: spot.column, width: spot.width }
    }

    /// Handles one event. An error ends the document; minor problems are recorded.
    fn take(&mut self, event: YamlEvent<'_>, spot: EventPosition) -> EventResult<()> {
        match event {
            YamlEvent::Alias(anchor) => self.alias(anchor, spot),
            YamlEvent::MappingEnd | YamlEvent::SequenceEnd => self.close(spot),
            YamlEvent::MappingStart(anchor) => {
                self.open(anchor, spot, CollectionKind::Mapping(OpenMapping::default()))
            }
            YamlEvent::Scalar(scalar) => self.scalar(scalar, spot),
            YamlEvent::SequenceStart(anchor) => self.open(anchor, spot, CollectionKind::Sequence(Vec::new())),
        }
    }

    fn open(&mut self, anchor: usize, spot: EventPosition, kind: CollectionKind) -> EventResult<()> {
        if self.expects_key() {
            return Err((YamlError::KeyNotScalar, spot));
        }
        if self.open.len() >= self.limits.depth {
            return Err((YamlError::Depth(self.limits.depth), spot));
        }
        let origin = Origin { width: 0, ..self.origin(spot) };
        self.open.push(OpenCollection { origin, anchor, kind });
        Ok(())
    }

    fn close(&mut self, spot: EventPosition) -> EventResult<()> {
        let Some(frame) = self.open.pop() else { return Ok(()) };
        let (value, spare) = match frame.kind {
            CollectionKind::Mapping(open) => {
                let mapping = open.mapping.finish();
                let spare = mapping.spare_capacity().saturating_mul(size_of::<MappingEntry>());
                (NodeValue::Mapping(mapping), spare)
            }
            CollectionKind::Sequence(items) => {
                let spare = items.capacity().saturating_sub(items.len()).saturating_mul(size_of::<Node>());
                (NodeValue::Sequence(items), spare)
            }
        };
        self.memory = self.memory.saturating_add(spare);
        let node = Node::new(value, frame.origin);
        self.keep(frame.anchor, &node, None, spot)?;
        self.place(node, false, spot)
    }

    fn scalar(&mut self, scalar: ScalarEvent<'_>, spot: EventPosition) -> EventResult<()> {
        if self.expects_key() {
            return self.key(scalar, spot);
        }
        let ScalarEvent { text, anchor, plain, tag } = scalar;
        let resolved = self.resolve_scalar(&text, plain, tag, spot);
        let kept = (anchor > 0 && self.aliases.wanted).then(|| (text.clone(), resolved.clone()));
        let written = self.written.is_some().then(|| text.clone());
        let node = match resolved.and_then(|resolved| resolved.into_value(text)) {
            Ok(value) => Node::new(value, self.origin(spot)),
            Err(error) => self.refuse(error, spot),
        };
        if let (Some(texts), Some(text)) = (&mut self.written, written) {
            self.memory = self.memory.saturating_add(texts.record(&node, &text));
        }
        if let Some((text, resolved)) = kept {
            let key = resolved.and_then(|resolved| resolved.into_key(text));
            self.keep(anchor, &node, Some(key), spot)?;
        }
        self.place(node, false, spot)
    }

    /// Resolves a scalar by the rules of this reading.
    fn resolve_scalar(
        &mut self,
        text: &str,
        plain: bool,
        tag: ScalarTag,
        spot: EventPosition,
    ) -> Result<ResolvedScalar, YamlError> {
        let resolved = resolve(text, plain, tag)?;
        let is_text = matches!(resolved, ResolvedScalar::Decoded(_))
            || !plain
                && matches!(tag, ScalarTag::Merge | ScalarTag::None | ScalarTag::Other | ScalarTag::Str);
        if self.verbatim.is_none() || is_text || resolved == ResolvedScalar::Null {
            return Ok(resolved);
        }
        let origin = self.origin(spot);
        self.plain.insert(origin);
        Ok(ResolvedScalar::Text)
    }

    /// Records a problem and returns null in place of the value.
    fn refuse(&mut self, error: YamlError, spot: EventPosition) -> Node {
        let origin = self.origin(spot);
        self.problems.push((error, origin));
        Node::new(NodeValue::Null, origin)
    }

    fn expects_key(&self) -> bool {
        matches!(
            self.open.last(),
            Some(OpenCollection {
                kind: CollectionKind::Mapping(OpenMapping { slot: MappingSlot::Key, .. }),
                ..
            })
        )
    }

    fn key(&mut self, scalar: ScalarEvent<'_>, spot: EventPosition) -> EventResult<()> {
        let ScalarEvent { text, anchor, plain, tag } = scalar;
        if text == "<<" && (plain || tag == ScalarTag::Merge) && self.verbatim != Some(MergeKeys::Keep) {
            self.set_slot(MappingSlot::Merge);
            return Ok(());
        }
        let mut resolved = self.resolve_scalar(&text, plain, tag, spot);
        if self.verbatim.is_some() && resolved == Ok(ResolvedScalar::Null) {
            let origin = self.origin(spot);
            self.plain.insert(origin);
            resolved = Ok(ResolvedScalar::Text);
        }
        if anchor > 0 && self.aliases.wanted {
            let key = resolved.clone().and_then(|resolved| resolved.into_key(text.clone()));
            let content = resolved.clone().and_then(|found| found.into_value(text.clone()));
            let node = Node::new(content.unwrap_or(NodeValue::Null), self.origin(spot));
            if let Some(texts) = &mut self.written {
                self.memory = self.memory.saturating_add(texts.record(&node, &text));
            }
            self.keep(anchor, &node, Some(key), spot)?;
        }
        self.use_key(resolved.and_then(|resolved: ResolvedScalar| resolved.into_key(text)), spot);
        Ok(())
    }

    fn use_key(&mut self, key: Result<CompactString, YamlError>, spot: EventPosition) {
        let origin = self.origin(spot);
        let next = match key {
            Ok(key) => self.begin_entry(key, origin),
            Err(error) => {
                self.problems.push((error, origin));
                MappingSlot::Refused
            }
        };
        self.set_slot(next);
    }

    /// Looks up a key of the innermost mapping, and starts its entry unless the key is refused.
    fn begin_entry(&mut self, key: CompactString, origin: Origin) -> MappingSlot {
        let Some(OpenCollection { kind: CollectionKind::Mapping(open), .. }) = self.open.last_mut() else {
            return MappingSlot::Refused;
        };
        let Some(first_line) = open.begin(key, origin) else { return MappingSlot::Value };
        let error = || YamlError::DuplicateKey {
            key: open.mapping.pending_key().map(ToString::to_string).unwrap_or_default(),
            first_line,
        };
        match self.limits.duplicate_keys {
            DuplicateKeys::Refuse => {
                self.problems.push((error(), origin));
                open.mapping.cancel();
                MappingSlot::Refused
            }
            DuplicateKeys::Report => {
                self.problems.push((error(), origin));
                MappingSlot::Value
            }
            DuplicateKeys::LastWins => MappingSlot::Value,
        }
    }

    fn set_slot(&mut self, slot: MappingSlot) {
        if let Some(OpenCollection { kind: CollectionKind::Mapping(open), .. }) = self.open.last_mut() {
            open.slot = slot;
        }
    }

    /// Adds a finished node to its parent.
    fn place(&mut self, node: Node, aliased: bool, spot: EventPosition) -> EventResult<()> {
        self.nodes += 1;
        if self.nodes > self.limits.document_nodes {
            return Err((YamlError::Nodes(self.limits.document_nodes), spot));
        }
        let text = node.as_str().map_or(0, heap_of);
        let taken = match self.open.last().map(|frame| &frame.kind) {
            Some(CollectionKind::Mapping(OpenMapping { slot: MappingSlot::Value, mapping, .. })) => {
                size_of::<MappingEntry>().saturating_add(mapping.pending_key().map_or(0, |key| heap_of(key)))
            }
            Some(_) | None => size_of::<Node>(),
        };
        self.memory = self.memory.saturating_add(taken).saturating_add(text);
        if self.nodes.is_multiple_of(SETTLE_AFTER) {
            self.settle().map_err(|error| (error, spot))?;
        }
        match self.open.last_mut().map(|frame| &mut frame.kind) {
            None => self.root = Some(node),
            Some(CollectionKind::Sequence(items)) => items.push(node),
            Some(CollectionKind::Mapping(open)) => match std::mem::take(&mut open.slot) {
                MappingSlot::Value => open.complete(node),
                MappingSlot::Merge => {
                    if let Err(error) = open.merge(node, aliased) {
                        self.refuse(error, spot);
                    }
                }
                MappingSlot::Key | MappingSlot::Refused => {}
            },
        }
        Ok(())
    }

    /// Keeps an anchored node for its aliases. Copies count as expansion, since nested anchors multiply them.
    fn keep(
        &mut self,
        anchor: usize,
        node: &Node,
        key: Option<Result<CompactString, YamlError>>,
        spot: EventPosition,
    ) -> EventResult<()> {
        if anchor == 0 || !self.aliases.wanted {
            return Ok(());
        }
        let mut size = tree_size(node);
        // Each alias of a scalar has its own text.
        let text = self.written.as_ref().and_then(|texts| texts.text(node));
        size.bytes = size.bytes.saturating_add(text.map_or(0, str::len));
        self.aliases.spend(size, self.limits, self.budget).map_err(|error| (error, spot))?;
        self.aliases.anchored.insert(anchor, AnchoredNode { node: node.clone(), key, size });
        Ok(())
    }

    fn alias(&mut self, anchor: usize, spot: EventPosition) -> EventResult<()> {
        if self.open.iter().any(|frame| frame.anchor == anchor) {
            return Err((YamlError::AliasCycle, spot));
        }
        let origin = self.origin(spot);
        let Some(anchored) = self.aliases.anchored.get(&anchor) else {
            return Err((YamlError::UnknownAnchor, spot));
        };
        if self.expects_key() {
            let Some(key) = anchored.key.clone() else { return Err((YamlError::KeyNotScalar, spot)) };
            self.use_key(key, spot);
            return Ok(());
        }
        let size = anchored.size;
        if self.open.len().saturating_add(size.height) > self.limits.depth {
            return Err((YamlError::Depth(self.limits.depth), spot));
        }
        self.aliases.spend(size, self.limits, self.budget).map_err(|error| (error, spot))?;
        // Looked up again, after charging for it.
        let Some(anchored) = self.aliases.anchored.get(&anchor) else {
            return Err((YamlError::UnknownAnchor, spot));
        };
        let node = Node { value: anchored.node.value.clone(), origin };
        if let Some(texts) = &mut self.written {
            texts.record_alias(anchored.node.origin, origin);
        }
        self.plain.alias(anchored.node.origin, origin);
        self.place(node, true, spot)
    }
}

impl OpenMapping {
    /// Starts an entry. Returns the line of an earlier one with its key, unless the key only came from a merge.
    fn begin(&mut self, key: CompactString, origin: Origin) -> Option<u32> {
        let merged = self.merged.as_ref().is_some_and(|merged| merged.contains(&key));
        let first_line = self.mapping.begin(key, origin)?.key_origin.line;
        (!merged).then_some(first_line)
    }

    /// Sets the value of the started entry: keeps the first position and the last value of a key.
    fn complete(&mut self, value: Node) {
        if let Some(merged) = &mut self.merged
            && let Some(key) = self.mapping.pending_key()
        {
            merged.remove(key);
        }
        self.mapping.complete(value);
    }

    /// Merges like Kubernetes: overrides the mapping's entries so far; earlier items of a sequence override later ones.
    fn merge(&mut self, node: Node, aliased: bool) -> Result<(), YamlError> {
        match node.value {
            NodeValue::Mapping(mapping) => self.merge_mapping(mapping),
            NodeValue::Sequence(items) if !aliased => {
                if items.iter().any(|item| item.as_mapping().is_none()) {
                    return Err(YamlError::MergeValue);
                }
                for item in items.into_iter().rev() {
                    if let NodeValue::Mapping(mapping) = item.value {
                        self.merge_mapping(mapping);
                    }
                }
            }
            _ => return Err(YamlError::MergeValue),
        }
        Ok(())
    }

    fn merge_mapping(&mut self, mapping: Mapping) {
        for entry in mapping.into_entries() {
            if self.mapping.entry(&entry.key).is_none() {
                self.merged.get_or_insert_default().insert(entry.key.clone());
            }
            self.mapping.set(entry);
        }
    }
}

impl AliasState {
    fn spend(
        &mut self,
        size: TreeSize,
        limits: &Limits,
        budget: Option<&YamlBudget>,
    ) -> Result<(), YamlError> {
        self.nodes = self.nodes.saturating_add(size.nodes);
        self.bytes = self.bytes.saturating_add(size.bytes);
        if self.nodes > limits.alias_nodes {
            return Err(YamlError::AliasExpansion("the nodes that one document may have"));
        }
        if self.bytes > limits.alias_bytes {
            return Err(YamlError::AliasExpansion("the bytes that one document may have"));
        }
        let Some(budget) = budget else { return Ok(()) };
        let memory = size.nodes.saturating_mul(size_of::<MappingEntry>()).saturating_add(size.bytes);
        budget.memory(memory)?;
        self.memory = self.memory.saturating_add(memory);
        budget.alias_bytes(size.bytes)
    }
}

/// Returns the heap size of a text; short texts are stored inline.
const fn heap_of(text: &str) -> usize {
    if text.len() > size_of::<CompactString>() { text.len() } else { 0 }
}

/// Returns the size of a tree. Recursion is bounded by the limited height.
fn tree_size(node: &Node) -> TreeSize {
    let mut size = TreeSize { nodes: 1, bytes: 0, height: 0 };
    let mut add = |child: &Node, key: usize| {
        let inner = tree_size(child);
        size.nodes = size.nodes.saturating_add(inner.nodes);
        size.bytes = size.bytes.saturating_add(inner.bytes).saturating_add(key);
        size.height = size.height.max(inner.height.saturating_add(1));
    };
    match &node.value {
        NodeValue::Mapping(mapping) => {
            for entry in mapping.entries() {
                add(&entry.value, entry.key.len());
            }
            size.height = size.height.max(1);
        }
        NodeValue::Sequence(items) => {
            for item in items {
                add(item, 0);
            }
            size.height = size.height.max(1);
        }
        NodeValue::String(text) => size.bytes = text.len(),
        NodeValue::Bool(_) | NodeValue::Null | NodeValue::Number(_) => {}
    }
    size
}
