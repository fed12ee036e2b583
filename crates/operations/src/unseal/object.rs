//! A SealedSecret before it is opened.

use sealwave_core::diagnostic::{Failure, Note, Problem, ProblemCollector};
use sealwave_core::document::{Mapping, MappingEntry, Node, NodeValue, Origin, group_and_version};
use sealwave_core::names::is_item_key;
use sealwave_secrets::SealingScope;
use sealwave_secrets::values::SecretValue;

use super::error::{TemplateLeftOut, TwoSources, UnsealError};
use crate::key_files::UnsealKeys;

/// A SealedSecret, checked.
pub(super) struct ClosedSecret {
    /// The Secret that its template describes, without items.
    pub(super) root: Node,
    /// The namespace and name, for messages.
    pub(super) name: String,
    /// The label of its items.
    pub(super) label: Vec<u8>,
    pub(super) items: Vec<ClosedItem>,
    /// The texts of its template that are not templates.
    pub(super) texts: Vec<(String, SecretValue)>,
    scope: SealingScope,
    identity: (String, String),
}

/// An item of a SealedSecret.
pub(super) struct ClosedItem {
    pub(super) key: String,
    pub(super) origin: Origin,
    pub(super) ciphertext: String,
}

/// Reports whether an object is a SealedSecret of any version.
pub(super) fn is_sealed_secret(root: &Node) -> bool {
    let text = |field| root.get(field).and_then(Node::as_str).unwrap_or_default();
    text("kind") == "SealedSecret" && group_and_version(text("apiVersion")).0 == "bitnami.com"
}

impl ClosedSecret {
    pub(super) fn new(root: &Node, namespace: Option<&str>, notes: &mut Vec<Note>) -> Result<Self, Failure> {
        let at = root.display_origin();
        let problem = |error: &UnsealError| Failure::from(Problem::at(at, error));
        let text =
            |field| root.at(&["metadata", field]).and_then(Node::as_str).filter(|text| !text.is_empty());
        let name = text("name").ok_or_else(|| problem(&UnsealError::NoName))?.to_owned();
        // The controller reads the scope of the SealedSecret itself, not that of its template.
        let annotations = root.at(&["metadata", "annotations"]).and_then(Node::as_mapping);
        let scope = SealingScope::from_annotation_map(annotations);
        let namespace = text("namespace").or(namespace).unwrap_or_default().to_owned();
        if namespace.is_empty() && scope != SealingScope::ClusterWide {
            return Err(problem(&UnsealError::NoNamespace { name, scope }));
        }
        if root.at(&["spec", "data"]).is_some_and(|blob| blob.value != NodeValue::Null) {
            return Err(problem(&UnsealError::Blob));
        }
        let items = items(root)?;
        let texts = texts(root, &items, notes)?;
        Ok(Self {
            root: secret(root, &namespace, &name),
            label: scope.label(&namespace, &name),
            name: if namespace.is_empty() { name.clone() } else { format!("{namespace}/{name}") },
            items,
            texts,
            scope,
            identity: (namespace, name),
        })
    }

    /// Returns the scope with which an item opens, if it is another one: the usual mistake.
    pub(super) fn meant_scope(&self, item: &ClosedItem, keys: &UnsealKeys) -> Option<SealingScope> {
        let scopes = [SealingScope::Strict, SealingScope::NamespaceWide, SealingScope::ClusterWide];
        let (namespace, name) = &self.identity;
        scopes.into_iter().filter(|scope| *scope != self.scope).find(|scope| {
            let label = scope.label(namespace, name);
            keys.open(&label, &item.ciphertext).is_some()
        })
    }
}

fn items(root: &Node) -> Result<Vec<ClosedItem>, Failure> {
    let (mut items, mut problems) = (Vec::new(), ProblemCollector::default());
    for entry in section(root, &["spec", "encryptedData"], "spec.encryptedData")? {
        let key = entry.key.to_string();
        match entry.value.as_str() {
            _ if !is_item_key(&key) => problems.push(Problem::at(entry.key_origin, &UnsealError::ItemKey)),
            None => problems.push(Problem::at(entry.value.origin, &UnsealError::ItemType(key))),
            Some(text) => {
                items.push(ClosedItem { key, origin: entry.key_origin, ciphertext: text.to_owned() });
            }
        }
    }
    problems.check().map(|()| items)
}

/// Returns the texts of the template. Those with templates are left out, with a note.
fn texts(
    root: &Node,
    items: &[ClosedItem],
    notes: &mut Vec<Note>,
) -> Result<Vec<(String, SecretValue)>, Failure> {
    let mut texts = Vec::new();
    let path = ["spec", "template", "data"];
    for entry in section(root, &path, "spec.template.data")? {
        let key = entry.key.to_string();
        let at = entry.key_origin;
        if !is_item_key(&key) {
            return Err(Problem::at(at, &UnsealError::ItemKey).into());
        }
        let Some(text) = entry.value.as_str() else {
            return Err(Problem::at(entry.value.origin, &UnsealError::ItemType(key)).into());
        };
        if items.iter().any(|item| item.key == key) {
            notes.push(Note::warning(Problem::at(at, &TwoSources(key))));
        } else if text.contains("{{") {
            notes.push(Note::warning(Problem::at(at, &TemplateLeftOut(key))));
        } else {
            texts.push((key, SecretValue::new(text.as_bytes().to_vec())));
        }
    }
    Ok(texts)
}

fn section<'r>(root: &'r Node, path: &[&str], field: &'static str) -> Result<&'r [MappingEntry], Failure> {
    match root.at(path).map(|node| (&node.value, node.origin)) {
        None | Some((NodeValue::Null, _)) => Ok(&[]),
        Some((NodeValue::Mapping(mapping), _)) => Ok(mapping.entries()),
        Some((_, origin)) => Err(Problem::at(origin, &UnsealError::FieldType(field)).into()),
    }
}

/// Returns the Secret of a template, without items. Name and namespace are those of the SealedSecret, as in the controller.
fn secret(root: &Node, namespace: &str, name: &str) -> Node {
    let at = root.origin;
    let text = |text: &str| Node::string(text, at);
    let of_template = |path: &[&str]| {
        let field = root.at(&["spec", "template"]).and_then(|template| template.at(path)).cloned();
        field.filter(|field| field.value != NodeValue::Null)
    };
    let metadata = object(
        at,
        [
            ("annotations", of_template(&["metadata", "annotations"])),
            ("labels", of_template(&["metadata", "labels"])),
            ("name", Some(text(name))),
            ("namespace", Some(text(namespace)).filter(|_| !namespace.is_empty())),
        ],
    );
    object(
        at,
        [
            ("apiVersion", Some(text("v1"))),
            ("kind", Some(text("Secret"))),
            ("metadata", Some(metadata)),
            ("type", of_template(&["type"]).filter(|node| node.as_str() != Some(""))),
            ("immutable", of_template(&["immutable"])),
        ],
    )
}

fn object<const N: usize>(at: Origin, fields: [(&str, Option<Node>); N]) -> Node {
    let mut mapping = Mapping::with_capacity(N);
    for (key, value) in fields {
        if let Some(value) = value {
            mapping.insert(key, at, value);
        }
    }
    Node::new(NodeValue::Mapping(mapping), at)
}
