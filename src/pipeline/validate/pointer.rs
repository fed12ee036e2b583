//! The way to a node of an object, as an RFC 6901 pointer.

use crate::model::{Node, Origin, Value, is_item_key, is_secret_like, may_name};

/// The keys and numbers that lead to a node.
pub(super) struct Way(Vec<String>);

impl Way {
    /// As a rule gave it.
    pub(super) fn given(pointer: &str) -> Self {
        Self(pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect())
    }

    /// To the first node, in the order of the document, that stands at a position or whose key does.
    ///
    /// A list that starts below its key starts where its first item does: then the item is meant.
    pub(super) fn to(root: &Node, at: Origin) -> Option<Self> {
        let mut search = Search { at, path: Vec::new() };
        search.visit(root).then_some(Self(search.path))
    }

    /// As it may be shown: what may be a value that slipped out of its place is not named, and the pointer ends before it.
    pub(super) fn pointer(&self, root: &Node) -> String {
        let known = if is_secret_like(root) { nameable(root, &self.0) } else { without_stray_key(&self.0) };
        self.0.iter().take(known).fold(String::new(), |pointer, step| pointer + "/" + &escape(step))
    }

    /// Where a finding at a position is shown: a collection has no width, so its key is underlined, or what stands first
    /// in it.
    pub(super) fn place(&self, root: &Node, at: Origin) -> Origin {
        let (node, key) = self.end(root);
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
    pub(super) fn end<'n>(&self, root: &'n Node) -> (&'n Node, Option<Origin>) {
        let mut end = (root, None);
        for step in &self.0 {
            match next(end.0, step) {
                Some(next) => end = next,
                None => break,
            }
        }
        end
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

struct Search {
    at: Origin,
    path: Vec<String>,
}

impl Search {
    /// Whether it is here; the path then leads to it. As deep as the reader lets a document be.
    fn visit(&mut self, node: &Node) -> bool {
        if node.origin == self.at {
            self.first_item(node);
            return true;
        }
        match &node.value {
            Value::Mapping(mapping) => mapping.entries().iter().any(|entry| {
                self.path.push(entry.key.to_string());
                let found = entry.key_origin == self.at || self.visit(&entry.value);
                self.keep(found)
            }),
            Value::Sequence(items) => items.iter().enumerate().any(|(index, item)| {
                self.path.push(index.to_string());
                let found = self.visit(item);
                self.keep(found)
            }),
            _ => false,
        }
    }

    /// Goes on to the first item of a list, as long as it stands where the list does.
    fn first_item(&mut self, mut node: &Node) {
        while let Some(first) = node.items().first().filter(|first| first.origin == self.at) {
            self.path.push("0".to_owned());
            node = first;
        }
    }

    fn keep(&mut self, found: bool) -> bool {
        if !found {
            self.path.pop();
        }
        found
    }
}

/// How many steps come before the key of an item that is none; all of them where every key is one.
fn without_stray_key(path: &[String]) -> usize {
    let has_items = |field: &str| matches!(field, "binaryData" | "data" | "encryptedData" | "stringData");
    let mut pairs = path.iter().zip(path.iter().skip(1));
    let stray = pairs.position(|(field, key)| has_items(field) && !is_item_key(key));
    stray.map_or(path.len(), |at| at + 1)
}

/// How many steps of a way into a Secret may be named.
fn nameable(root: &Node, path: &[String]) -> usize {
    let mut node = root;
    let mut named: Vec<&str> = Vec::new();
    for step in path {
        // What is missing is named by the schema, and is no value.
        let Some((next, _)) = next(node, step) else { return named.len() + 1 };
        if !may_name(&named, step, next) {
            break;
        }
        named.push(step);
        node = next;
    }
    named.len()
}

pub(super) fn escape(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Sources;
    use crate::yaml;

    fn pointers(text: &str) -> Vec<String> {
        let source = Sources::default().add("a.yaml");
        let root = yaml::read(text.as_bytes(), source, &yaml::Limits::default()).unwrap().remove(0);
        let mut all = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let column = u32::try_from(line.len() - line.trim_start_matches([' ', '-']).len()).unwrap() + 1;
            let width =
                u32::try_from(line.trim_start_matches([' ', '-']).split(':').next().unwrap().len()).unwrap();
            let way = Way::to(&root, Origin { source, line: number, column, width });
            all.extend(way.map(|way| way.pointer(&root)));
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
        let wrong: Vec<(String, String)> = all
            .into_iter()
            .map(|(at, pointer)| (pointer, Way::to(&root, at).unwrap().pointer(&root)))
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
            let at = Way::given(pointer).place(&root, node.origin);
            (at.line, at.column, at.width)
        };
        assert_eq!(
            ["", "/kind", "/spec", "/spec/a", "/spec/a/b", "/spec/list", "/spec/list/0", "/spec/list/1"]
                .map(shown),
            [(1, 1, 4), (1, 7, 1), (2, 1, 4), (3, 3, 1), (3, 10, 1), (4, 3, 4), (5, 5, 4), (6, 5, 2)]
        );
    }
}
