//! The path to a node of an object, as an RFC 6901 pointer.
//!
//! Many findings are about one object, so the object is searched once for all of them: a [`PathIndex`] knows the path to
//! every position. No finding may search the tree by itself, or a document with many findings takes quadratic time.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use sealwave_core::document::{Node, Origin, Value};
use sealwave_core::names::is_item_key;
use sealwave_kube::may_name;

/// Characters of a step that a pointer shows; keys that Kubernetes takes are shorter.
const MAX_STEP: usize = 400;
/// Bytes of a pointer, after which it ends.
const MAX_POINTER: usize = 2_000;

/// The keys and numbers that lead to a node of an object.
pub(super) struct NodePath<'n> {
    root: &'n Node,
    steps: Vec<PathStep<'n>>,
}

/// A key or a number, and what it leads to; nothing where the object does not have it.
struct PathStep<'n> {
    step: String,
    end: Option<(&'n Node, Option<Origin>)>,
}

impl<'n> NodePath<'n> {
    /// Parses a pointer that a rule gave.
    pub(super) fn given(root: &'n Node, pointer: &str) -> Self {
        let mut at = Some(root);
        let resolve = |step: &str| {
            let step = step.replace("~1", "/").replace("~0", "~");
            let end = at.and_then(|node| next(node, &step));
            at = end.map(|(node, _)| node);
            PathStep { step, end }
        };
        Self { root, steps: pointer.split('/').skip(1).map(resolve).collect() }
    }

    /// Returns the pointer as it may be shown, of an object that is like a Secret or is not. It ends before a key that may
    /// be a misplaced value, and stays short however long the keys are.
    pub(super) fn pointer(&self, is_secret_like: bool) -> String {
        let known = if is_secret_like { self.nameable() } else { self.without_stray_key() };
        let mut pointer = String::new();
        for PathStep { step, .. } in self.steps.iter().take(known) {
            if pointer.len() > MAX_POINTER {
                pointer.push_str("/…");
                break;
            }
            pointer.push('/');
            pointer.push_str(&escape(&shortened(step)));
        }
        pointer
    }

    /// Where a finding at a position is shown: a collection has no width, so its key is underlined, or what stands first
    /// in it.
    pub(super) fn place(&self, at: Origin) -> Origin {
        let (node, key) = self.end();
        match (&node.value, key) {
            (Value::Mapping(_) | Value::Sequence(_), key) if node.origin == at && at.width == 0 => {
                // What a patch put there stands elsewhere than the key.
                key.filter(|key| key.source == at.source && key.line <= at.line)
                    .unwrap_or_else(|| node.shown_at())
            }
            _ => at,
        }
    }

    /// Where it ends, and where the key of that stands; of what is missing, where that would be.
    pub(super) fn end(&self) -> (&'n Node, Option<Origin>) {
        self.steps.iter().map_while(|step| step.end).last().unwrap_or((self.root, None))
    }

    /// How many steps come before the key of an item that is none; all of them where every key is one.
    fn without_stray_key(&self) -> usize {
        let has_items = |field: &str| matches!(field, "binaryData" | "data" | "encryptedData" | "stringData");
        let mut pairs = self.steps.iter().zip(self.steps.iter().skip(1));
        let stray = pairs.position(|(field, key)| has_items(&field.step) && !is_item_key(&key.step));
        stray.map_or(self.steps.len(), |at| at + 1)
    }

    /// How many steps of a path into a Secret may be named.
    fn nameable(&self) -> usize {
        let mut named: Vec<&str> = Vec::new();
        for PathStep { step, end } in &self.steps {
            // What is missing is named by the schema, and is no value.
            let Some((node, _)) = end else { return named.len() + 1 };
            if !may_name(&named, step, node) {
                break;
            }
            named.push(step);
        }
        named.len()
    }
}

/// What a step leads to, and where its key stands.
fn next<'n>(node: &'n Node, step: &str) -> Option<(&'n Node, Option<Origin>)> {
    match &node.value {
        Value::Mapping(mapping) => mapping.entry(step).map(|entry| (&entry.value, Some(entry.key_origin))),
        Value::Sequence(items) => items.get(step.parse::<usize>().ok()?).map(|item| (item, None)),
        _ => None,
    }
}

/// The paths to all positions of one object, found in one walk when the first of them is asked for.
pub(super) struct PathIndex<'n> {
    root: &'n Node,
    walked: OnceCell<Walked<'n>>,
}

/// What one walk of an object found.
#[derive(Default)]
struct Walked<'n> {
    /// Every node below the root, after the one that holds it.
    nodes: Vec<Found<'n>>,
    /// By position, the first node in the order of the document that stands there, or whose key does.
    by_position: HashMap<Origin, Position>,
}

/// A node and how it is reached.
struct Found<'n> {
    node: &'n Node,
    /// Number of the node that holds it; `None` for those that the root holds.
    parent: Option<usize>,
    step: Step<'n>,
}

enum Step<'n> {
    Item(usize),
    Key(&'n str, Origin),
}

/// What stands at a position.
#[derive(Clone, Copy)]
enum Position {
    /// The key of a node.
    Key(usize),
    /// A node.
    Node(usize),
    /// The root.
    Root,
}

impl<'n> PathIndex<'n> {
    /// An index of an object; nothing is walked yet.
    pub(super) const fn new(root: &'n Node) -> Self {
        Self { root, walked: OnceCell::new() }
    }

    /// Parses a pointer into the object that a rule gave.
    pub(super) fn given(&self, pointer: &str) -> NodePath<'n> {
        NodePath::given(self.root, pointer)
    }

    /// Whether a node or a key of the object stands at a position.
    pub(super) fn has(&self, at: Origin) -> bool {
        self.walked().by_position.contains_key(&at)
    }

    /// Returns the path to the first node, in the order of the document, that stands at a position or whose key does.
    ///
    /// A list that starts below its key starts where its first item does: then the item is meant.
    pub(super) fn path(&self, at: Origin) -> Option<NodePath<'n>> {
        let walked = self.walked();
        let (mut steps, node) = match *walked.by_position.get(&at)? {
            Position::Root => (Vec::new(), Some(self.root)),
            Position::Key(number) => (walked.steps(number), None),
            Position::Node(number) => {
                (walked.steps(number), walked.nodes.get(number).map(|found| found.node))
            }
        };
        let first = |list: &&'n Node| list.items().first().filter(|first| first.origin == at);
        let inner = std::iter::successors(node, first).skip(1);
        steps.extend(inner.map(|item| PathStep { step: "0".to_owned(), end: Some((item, None)) }));
        Some(NodePath { root: self.root, steps })
    }

    fn walked(&self) -> &Walked<'n> {
        self.walked.get_or_init(|| {
            #[cfg(test)]
            tests::WALKS.with(|walks| walks.set(walks.get() + 1));
            let mut walked = Walked::default();
            walked.by_position.insert(self.root.origin, Position::Root);
            walked.visit(self.root, None);
            walked
        })
    }
}

impl<'n> Walked<'n> {
    /// Adds all that a node holds. It is as deep as the reader lets a document be.
    fn visit(&mut self, node: &'n Node, parent: Option<usize>) {
        match &node.value {
            Value::Mapping(mapping) => {
                for entry in mapping.entries() {
                    let number = self.nodes.len();
                    self.add(entry.key_origin, Position::Key(number));
                    self.enter(Found {
                        node: &entry.value,
                        parent,
                        step: Step::Key(&entry.key, entry.key_origin),
                    });
                }
            }
            Value::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.enter(Found { node: item, parent, step: Step::Item(index) });
                }
            }
            _ => {}
        }
    }

    fn enter(&mut self, found: Found<'n>) {
        let (number, node) = (self.nodes.len(), found.node);
        self.add(node.origin, Position::Node(number));
        self.nodes.push(found);
        self.visit(node, Some(number));
    }

    fn add(&mut self, at: Origin, position: Position) {
        if let Entry::Vacant(free) = self.by_position.entry(at) {
            free.insert(position);
        }
    }

    /// The keys and numbers that lead to a node.
    fn steps(&self, number: usize) -> Vec<PathStep<'n>> {
        let chain = std::iter::successors(self.nodes.get(number), |found| self.nodes.get(found.parent?));
        let mut steps: Vec<PathStep<'n>> = chain
            .map(|found| match found.step {
                Step::Item(index) => PathStep { step: index.to_string(), end: Some((found.node, None)) },
                Step::Key(key, at) => PathStep { step: key.to_owned(), end: Some((found.node, Some(at))) },
            })
            .collect();
        steps.reverse();
        steps
    }
}

/// A step without the rest of what no key would be.
fn shortened(step: &str) -> std::borrow::Cow<'_, str> {
    match step.char_indices().nth(MAX_STEP) {
        Some((end, _)) => format!("{}…", step.get(..end).unwrap_or_default()).into(),
        None => step.into(),
    }
}

pub(super) fn escape(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealwave_core::document::Sources;
    use sealwave_core::yaml;
    use sealwave_kube::is_secret_like;

    thread_local! {
        /// How often a whole object was walked.
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
    fn keys_and_items_on_the_way() {
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

    /// Every node and every key of a document.
    fn nodes(node: &Node, at: &str, all: &mut Vec<(Origin, String)>) {
        all.push((node.origin, at.to_owned()));
        match &node.value {
            Value::Mapping(mapping) => {
                for entry in mapping.entries() {
                    let at = format!("{at}/{}", escape(&entry.key));
                    all.push((entry.key_origin, at.clone()));
                    nodes(&entry.value, &at, all);
                }
            }
            Value::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    nodes(item, &format!("{at}/{index}"), all);
                }
            }
            _ => {}
        }
    }

    #[test]
    fn a_position_leads_to_what_stands_there() {
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
        // These lists start where their first item does, and lead to it.
        let first = |list: &str| (list.to_owned(), format!("{list}/0"));
        assert_eq!(wrong, ["/ports", "/nested", "/nulls"].map(first));
    }

    #[test]
    fn a_collection_is_shown_at_its_key_or_at_what_is_first_in_it() {
        let text = "kind: X\nspec:\n  a: {b: c}\n  list:\n  - name: x\n  - [y]\n";
        let source = Sources::default().add("a.yaml");
        let root = yaml::read(text.as_bytes(), source, &yaml::Limits::default()).unwrap().remove(0);
        let shown = |pointer: &str| {
            let node = pointer.split('/').skip(1).fold(&root, |node, step| next(node, step).unwrap().0);
            let at = NodePath::given(&root, pointer).place(node.origin);
            (at.line, at.column, at.width)
        };
        assert_eq!(
            ["", "/kind", "/spec", "/spec/a", "/spec/a/b", "/spec/list", "/spec/list/0", "/spec/list/1"]
                .map(shown),
            [(1, 1, 4), (1, 7, 1), (2, 1, 4), (3, 3, 1), (3, 10, 1), (4, 3, 4), (5, 5, 4), (6, 5, 2)]
        );
    }

    #[test]
    fn an_object_is_walked_once_however_many_positions_are_asked_for() {
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
            assert!(index.has(entry.key_origin));
        }
        assert_eq!(WALKS.get() - before, 1);
    }

    #[test]
    fn a_pointer_stays_short_however_long_the_keys_are() {
        let source = Sources::default().add("a.yaml");
        let root = yaml::read(b"a: 1\n", source, &yaml::Limits::default()).unwrap().remove(0);
        let pointer = |given: &str| NodePath::given(&root, given).pointer(false);
        let deep = pointer(&"/k".repeat(10_000));
        assert!(deep.len() < MAX_POINTER + 10 && deep.ends_with("/…"), "{}", deep.len());
        let pointer = pointer(&format!("/a/{}/b", "é".repeat(100_000)));
        assert!(pointer.starts_with("/a/éé") && pointer.ends_with("é…/b"), "{}", pointer.len());
        assert!(pointer.len() < 2 * MAX_STEP + 20);
    }
}
