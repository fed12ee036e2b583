//! Paths to the nodes of an object, as RFC 6901 pointers.
//!
//! A rule that knows the path of a node gives it to its finding. The others give a position, and the path is searched: many
//! findings can be about one object, so a [`PathIndex`] walks the object once and holds the paths to all positions.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::located::escape_step;
use sealwave_core::document::{Node, NodeValue, Origin};
use sealwave_core::names::is_item_key;
use sealwave_kube::may_show_key;

/// The most characters shown of a step; keys that Kubernetes accepts are shorter.
const MAX_STEP: usize = 400;
/// The most bytes of a pointer, after which it is truncated.
const MAX_POINTER: usize = 2_000;

/// The keys and indices that lead to a node of an object.
pub(super) struct NodePath<'n> {
    root: &'n Node,
    steps: Vec<ResolvedStep<'n>>,
}

/// A key or index, and the node that it leads to, if it exists.
struct ResolvedStep<'n> {
    step: String,
    end: Option<(&'n Node, Option<Origin>)>,
}

impl<'n> NodePath<'n> {
    /// Parses a pointer that a rule gave.
    pub(super) fn from_pointer(root: &'n Node, pointer: &str) -> Self {
        let mut at = Some(root);
        let resolve = |step: &str| {
            let step = step.replace("~1", "/").replace("~0", "~");
            let end = at.and_then(|node| next(node, &step));
            at = end.map(|(node, _)| node);
            ResolvedStep { step, end }
        };
        Self { root, steps: pointer.split('/').skip(1).map(resolve).collect() }
    }

    /// Returns the pointer for display. It ends before a key that may be a misplaced value, with stricter rules for an
    /// object that is like a Secret, and its length is limited.
    pub(super) fn pointer(&self, is_secret_like: bool) -> String {
        let shown_steps = if is_secret_like { self.nameable_steps() } else { self.without_stray_key() };
        let mut pointer = String::new();
        for ResolvedStep { step, .. } in self.steps.iter().take(shown_steps) {
            if pointer.len() > MAX_POINTER {
                pointer.push_str("/…");
                break;
            }
            pointer.push('/');
            pointer.push_str(&escape_step(&shortened(step)));
        }
        pointer
    }

    /// Returns the position to show for a finding: a collection has no width, so its key is marked, or else its first
    /// element.
    pub(super) fn place(&self, at: Origin) -> Origin {
        let (node, key) = self.end();
        match (&node.value, key) {
            (NodeValue::Mapping(_) | NodeValue::Sequence(_), key) if node.origin == at && at.width == 0 => {
                // A value from a patch is in another place than the key.
                key.filter(|key| key.source == at.source && key.line <= at.line)
                    .unwrap_or_else(|| node.display_origin())
            }
            _ => at,
        }
    }

    /// Returns the last existing node and the position of its key.
    pub(super) fn end(&self) -> (&'n Node, Option<Origin>) {
        self.steps.iter().map_while(|step| step.end).last().unwrap_or((self.root, None))
    }

    /// Returns the number of steps up to an invalid item key, or of all steps.
    fn without_stray_key(&self) -> usize {
        let has_items = |field: &str| matches!(field, "binaryData" | "data" | "encryptedData" | "stringData");
        let mut pairs = self.steps.iter().zip(self.steps.iter().skip(1));
        let stray = pairs.position(|(field, key)| has_items(&field.step) && !is_item_key(&key.step));
        stray.map_or(self.steps.len(), |at| at + 1)
    }

    /// Returns the number of steps into a Secret that may be shown.
    fn nameable_steps(&self) -> usize {
        let mut named: Vec<&str> = Vec::new();
        for ResolvedStep { step, end } in &self.steps {
            // A missing field is named by the schema, so it is not a value.
            let Some((node, _)) = end else { return named.len() + 1 };
            if !may_show_key(&named, step, node) {
                break;
            }
            named.push(step);
        }
        named.len()
    }
}

/// Returns the node that a step leads to, and the position of its key.
fn next<'n>(node: &'n Node, step: &str) -> Option<(&'n Node, Option<Origin>)> {
    match &node.value {
        NodeValue::Mapping(mapping) => {
            mapping.entry(step).map(|entry| (&entry.value, Some(entry.key_origin)))
        }
        NodeValue::Sequence(items) => items.get(step.parse::<usize>().ok()?).map(|item| (item, None)),
        _ => None,
    }
}

/// The paths to all positions of an object, collected in one walk on first use.
pub(super) struct PathIndex<'n> {
    root: &'n Node,
    walked: OnceCell<WalkedNodes<'n>>,
}

/// The nodes found in a walk of an object.
#[derive(Default)]
struct WalkedNodes<'n> {
    /// Every node below the root, after its parent.
    nodes: Vec<FoundNode<'n>>,
    /// By position, the first node in document order that is there, or whose key is.
    by_position: HashMap<Origin, IndexedPosition>,
}

/// A node, with its parent and the step from it.
struct FoundNode<'n> {
    node: &'n Node,
    /// The index of the parent; `None` for children of the root.
    parent: Option<usize>,
    step: NodeStep<'n>,
}

enum NodeStep<'n> {
    Item(usize),
    Key(&'n str, Origin),
}

/// The element at a position.
#[derive(Clone, Copy)]
enum IndexedPosition {
    /// The key of a node.
    Key(usize),
    /// A node.
    Node(usize),
    /// The root.
    Root,
}

impl<'n> PathIndex<'n> {
    /// Creates an index of an object, without walking it.
    pub(super) const fn new(root: &'n Node) -> Self {
        Self { root, walked: OnceCell::new() }
    }

    /// Resolves a JSON pointer of a rule, without walking the object.
    pub(super) fn resolve(&self, pointer: &str) -> NodePath<'n> {
        NodePath::from_pointer(self.root, pointer)
    }

    /// Reports whether a node or key of the object is at a position.
    pub(super) fn contains(&self, at: Origin) -> bool {
        self.walked().by_position.contains_key(&at)
    }

    /// Returns the path to the first node in document order at a position, or with its key there.
    ///
    /// A block list starts at the position of its first item; the path leads to the item.
    pub(super) fn path(&self, at: Origin) -> Option<NodePath<'n>> {
        let walked = self.walked();
        let (mut steps, node) = match *walked.by_position.get(&at)? {
            IndexedPosition::Root => (Vec::new(), Some(self.root)),
            IndexedPosition::Key(number) => (walked.steps(number), None),
            IndexedPosition::Node(number) => {
                (walked.steps(number), walked.nodes.get(number).map(|found| found.node))
            }
        };
        let first = |list: &&'n Node| list.items().first().filter(|first| first.origin == at);
        let inner = std::iter::successors(node, first).skip(1);
        steps.extend(inner.map(|item| ResolvedStep { step: "0".to_owned(), end: Some((item, None)) }));
        Some(NodePath { root: self.root, steps })
    }

    fn walked(&self) -> &WalkedNodes<'n> {
        self.walked.get_or_init(|| {
            #[cfg(test)]
            tests::WALKS.with(|walks| walks.set(walks.get() + 1));
            let mut walked = WalkedNodes::default();
            walked.by_position.insert(self.root.origin, IndexedPosition::Root);
            walked.visit(self.root, None);
            walked
        })
    }
}

impl<'n> WalkedNodes<'n> {
    /// Adds all descendants of a node. The recursion is bounded by the depth limit of the reader.
    fn visit(&mut self, node: &'n Node, parent: Option<usize>) {
        match &node.value {
            NodeValue::Mapping(mapping) => {
                for entry in mapping.entries() {
                    let number = self.nodes.len();
                    self.add(entry.key_origin, IndexedPosition::Key(number));
                    self.enter(FoundNode {
                        node: &entry.value,
                        parent,
                        step: NodeStep::Key(&entry.key, entry.key_origin),
                    });
                }
            }
            NodeValue::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.enter(FoundNode { node: item, parent, step: NodeStep::Item(index) });
                }
            }
            _ => {}
        }
    }

    fn enter(&mut self, found: FoundNode<'n>) {
        let (number, node) = (self.nodes.len(), found.node);
        self.add(node.origin, IndexedPosition::Node(number));
        self.nodes.push(found);
        self.visit(node, Some(number));
    }

    fn add(&mut self, at: Origin, position: IndexedPosition) {
        if let Entry::Vacant(free) = self.by_position.entry(at) {
            free.insert(position);
        }
    }

    /// Returns the steps that lead to a node.
    fn steps(&self, number: usize) -> Vec<ResolvedStep<'n>> {
        let chain = std::iter::successors(self.nodes.get(number), |found| self.nodes.get(found.parent?));
        let mut steps: Vec<ResolvedStep<'n>> = chain
            .map(|found| match found.step {
                NodeStep::Item(index) => {
                    ResolvedStep { step: index.to_string(), end: Some((found.node, None)) }
                }
                NodeStep::Key(key, at) => {
                    ResolvedStep { step: key.to_owned(), end: Some((found.node, Some(at))) }
                }
            })
            .collect();
        steps.reverse();
        steps
    }
}

/// Truncates a step that is too long for a key.
fn shortened(step: &str) -> std::borrow::Cow<'_, str> {
    match step.char_indices().nth(MAX_STEP) {
        Some((end, _)) => format!("{}…", step.get(..end).unwrap_or_default()).into(),
        None => step.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealwave_core::document::Sources;
    use sealwave_core::yaml;
    use sealwave_kube::is_secret_like;

    thread_local! {
        /// The number of walks of whole objects.
        pub(super) static WALKS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }

    fn pointers(text: &str) -> Vec<String> {
        let source = Sources::default().add("a.yaml");
        let root = yaml::read(text.as_bytes(), source, &yaml::Limits::default()).unwrap().remove(0);
        let index = PathIndex::new(&root);
        let mut all = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let column = u32::try_from(line.len() - line.trim_start_matches([' ', '-']).len()).unwrap() + 1;
            let width =
                u32::try_from(line.trim_start_matches([' ', '-']).split(':').next().unwrap().len()).unwrap();
            let path = index.path(Origin { source, line: number, column, width });
            all.extend(path.map(|path| path.pointer(is_secret_like(&root))));
        }
        all
    }

    #[test]
    fn pointers_name_keys_and_items() {
        assert_eq!(
            pointers("kind: X\nspec:\n  a/b~c:\n  - k: 1\n  - m: 2\n"),
            ["/kind", "/spec", "/spec/a~1b~0c", "/spec/a~1b~0c/0/k", "/spec/a~1b~0c/1/m"]
        );
    }

    #[test]
    fn a_secrets_stray_keys_are_not_named() {
        assert_eq!(
            pointers(
                "kind: Secret\nmetadata:\n  name: a\nhunter2:\ndata:\n  key: a\n  hunter3:\n    hunter4: x\n"
            ),
            ["/kind", "/metadata", "/metadata/name", "", "/data", "/data/key", "/data", "/data"]
        );
    }

    /// Collects every node and key of a document.
    fn nodes(node: &Node, at: &str, all: &mut Vec<(Origin, String)>) {
        all.push((node.origin, at.to_owned()));
        match &node.value {
            NodeValue::Mapping(mapping) => {
                for entry in mapping.entries() {
                    let at = format!("{at}/{}", escape_step(&entry.key));
                    all.push((entry.key_origin, at.clone()));
                    nodes(&entry.value, &at, all);
                }
            }
            NodeValue::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    nodes(item, &format!("{at}/{index}"), all);
                }
            }
            _ => {}
        }
    }

    #[test]
    fn a_position_leads_to_its_node() {
        let text = "kind: X\nempty:\nports:\n- name: a\n  port: 1\n- name: b\nnested:\n- - k: 1\n  - k: 2\n- - k: 3\n\
                    flow: [{a: [b, {c: d}]}, {}, []]\nnulls:\n-\n- ~\nlast: {}\n";
        let source = Sources::default().add("a.yaml");
        let root = yaml::read(text.as_bytes(), source, &yaml::Limits::default()).unwrap().remove(0);
        let mut all = Vec::new();
        nodes(&root, "", &mut all);
        let index = PathIndex::new(&root);
        let wrong: Vec<(String, String)> = all
            .into_iter()
            .map(|(at, pointer)| (pointer, index.path(at).unwrap().pointer(false)))
            .filter(|(pointer, found)| pointer != found)
            .collect();
        // These lists start at the position of their first item, so the path leads to the item.
        let first = |list: &str| (list.to_owned(), format!("{list}/0"));
        assert_eq!(wrong, ["/ports", "/nested", "/nulls"].map(first));
    }

    #[test]
    fn a_collection_is_shown_at_its_key_or_first_element() {
        let text = "kind: X\nspec:\n  a: {b: c}\n  list:\n  - name: x\n  - [y]\n";
        let source = Sources::default().add("a.yaml");
        let root = yaml::read(text.as_bytes(), source, &yaml::Limits::default()).unwrap().remove(0);
        let shown = |pointer: &str| {
            let node = pointer.split('/').skip(1).fold(&root, |node, step| next(node, step).unwrap().0);
            let at = NodePath::from_pointer(&root, pointer).place(node.origin);
            (at.line, at.column, at.width)
        };
        assert_eq!(
            ["", "/kind", "/spec", "/spec/a", "/spec/a/b", "/spec/list", "/spec/list/0", "/spec/list/1"]
                .map(shown),
            [(1, 1, 4), (1, 7, 1), (2, 1, 4), (3, 3, 1), (3, 10, 1), (4, 3, 4), (5, 5, 4), (6, 5, 2)]
        );
    }

    #[test]
    fn an_object_is_walked_only_once() {
        let entries =
            (0..5_000).fold(String::new(), |text, number| text + &format!("  k{number}: {number}\n"));
        let source = Sources::default().add("a.yaml");
        let text = format!("data:\n{entries}");
        let root = yaml::read(text.as_bytes(), source, &yaml::Limits::default()).unwrap().remove(0);
        let index = PathIndex::new(&root);
        let before = WALKS.get();
        for (number, entry) in root.get("data").unwrap().as_mapping().unwrap().entries().iter().enumerate() {
            let pointer = index.path(entry.value.origin).unwrap().pointer(false);
            assert_eq!(pointer, format!("/data/k{number}"));
            assert!(index.contains(entry.key_origin));
        }
        assert_eq!(WALKS.get() - before, 1);
    }

    #[test]
    fn pointers_are_limited_in_length() {
        let source = Sources::default().add("a.yaml");
        let root = yaml::read(b"a: 1\n", source, &yaml::Limits::default()).unwrap().remove(0);
        let pointer = |given: &str| NodePath::from_pointer(&root, given).pointer(false);
        let deep = pointer(&"/k".repeat(10_000));
        assert!(deep.len() < MAX_POINTER + 10 && deep.ends_with("/…"), "{}", deep.len());
        let pointer = pointer(&format!("/a/{}/b", "é".repeat(100_000)));
        assert!(pointer.starts_with("/a/éé") && pointer.ends_with("é…/b"), "{}", pointer.len());
        assert!(pointer.len() < 2 * MAX_STEP + 20);
    }
}
