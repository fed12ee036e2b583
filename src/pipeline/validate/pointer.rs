//! The way to a node of an object, as an RFC 6901 pointer.

use crate::model::{Node, Origin, Value, is_secret_like, may_name};

/// The pointer to the first node, in the order of the document, that stands at a position or whose key does.
///
/// Of a Secret, what may be a value that slipped out of its place is not named: the pointer ends before it.
pub(super) fn pointer_to(root: &Node, at: Origin) -> Option<String> {
    let mut search = Search { at, path: Vec::new() };
    if !search.visit(root) {
        return None;
    }
    let path = if is_secret_like(root) { nameable(root, &search.path) } else { search.path };
    Some(path.iter().fold(String::new(), |pointer, step| pointer + "/" + &escape(step)))
}

struct Search {
    at: Origin,
    path: Vec<String>,
}

impl Search {
    /// Whether it is here; the path then leads to it. As deep as the reader lets a document be.
    fn visit(&mut self, node: &Node) -> bool {
        if node.origin == self.at {
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

    fn keep(&mut self, found: bool) -> bool {
        if !found {
            self.path.pop();
        }
        found
    }
}

fn nameable(root: &Node, path: &[String]) -> Vec<String> {
    let mut node = root;
    let mut named: Vec<&str> = Vec::new();
    for step in path {
        let Some(next) = node.get(step).or_else(|| node.items().get(step.parse::<usize>().ok()?)) else {
            break;
        };
        if !may_name(&named, step, next) {
            break;
        }
        named.push(step);
        node = next;
    }
    named.into_iter().map(str::to_owned).collect()
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
            all.extend(pointer_to(&root, Origin { source, line: number, column, width }));
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
}
