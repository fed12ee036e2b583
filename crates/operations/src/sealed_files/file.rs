//! Reads the SealedSecrets of a file.

use std::borrow::Cow;

use sealwave_core::diagnostic::Failure;
use sealwave_core::document::{Node, NodeValue, Origin, SourceLocation, Sources, group_and_version};
use sealwave_core::yaml::{self, DocumentLayout, LayoutNode, Limits};
use sealwave_secrets::SealingScope;

use super::error::{SealedFileError, SealedFileFault};

/// The kind of objects that a file is read for, with their API group.
type WantedKind = (&'static str, &'static str);

const SEALED_SECRETS: WantedKind = ("SealedSecret", "bitnami.com");
const SECRETS: WantedKind = ("Secret", "");

/// The kind and `apiVersion` that an item without both gets from its list.
type ListDefaults<'a> = Option<(&'a str, &'a str)>;

/// A file of committed manifests, and its SealedSecrets.
pub struct SealedFile {
    path: String,
    bytes: Vec<u8>,
    pub(super) documents: Vec<Node>,
    /// `None` if the layout is unknown; then the file can be read, but not edited.
    layouts: Option<Vec<DocumentLayout>>,
    objects: Vec<SealedObject>,
    wanted: WantedKind,
}

/// A SealedSecret in a file.
#[derive(Clone, Debug)]
pub struct SealedObject {
    /// The index of its document among those that are not empty.
    pub document: usize,
    /// The index in `items` of each list around the object.
    pub(super) list_path: Vec<usize>,
    /// The line where it starts.
    pub line: u32,
    /// Its namespace; empty if it has none.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The scope in which the controller opens its items, from its own annotations.
    pub scope: SealingScope,
    /// The annotations whose values are strings, in order.
    pub annotations: Vec<(String, String)>,
    /// Its items, in order.
    pub items: Vec<SealedItem>,
    /// Whether it has one ciphertext for all items in `spec.data`.
    pub has_blob: bool,
}

/// An item of a SealedSecret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedItem {
    /// The key.
    pub key: String,
    /// The ciphertext as the API server receives it: it may hold line breaks, which the controller ignores.
    pub ciphertext: String,
    /// The line of the key.
    pub line: u32,
}

/// Returns a ciphertext without line breaks, which the controller ignores.
#[must_use]
pub fn compact_ciphertext(ciphertext: &str) -> Cow<'_, str> {
    if ciphertext.contains(['\r', '\n']) {
        Cow::Owned(ciphertext.replace(['\r', '\n'], ""))
    } else {
        Cow::Borrowed(ciphertext)
    }
}

impl SealedObject {
    /// Returns the text of an annotation.
    #[must_use]
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }

    /// Returns an item.
    #[must_use]
    pub fn item(&self, key: &str) -> Option<&SealedItem> {
        self.items.iter().find(|item| item.key == key)
    }
}

impl SealedFile {
    /// Reads a file; `path` is its name in messages.
    ///
    /// # Errors
    /// The file is not valid, or the `spec.encryptedData` of a SealedSecret is not a mapping of strings.
    pub fn read(path: &str, bytes: Vec<u8>) -> Result<Self, Failure> {
        Self::read_kind(path, bytes, SEALED_SECRETS)
    }

    /// Reads a file for its Secrets instead: their metadata can be edited, and their items are ignored.
    ///
    /// # Errors
    /// The file is not valid.
    pub fn read_secrets(path: &str, bytes: Vec<u8>) -> Result<Self, Failure> {
        Self::read_kind(path, bytes, SECRETS)
    }

    fn read_kind(path: &str, bytes: Vec<u8>, wanted: WantedKind) -> Result<Self, Failure> {
        let mut sources = Sources::default();
        let source = sources.add(path);
        let limits = Limits::default();
        let documents = yaml::read(&bytes, source, &limits).map_err(|failure| failure.located(&sources))?;
        let mut file =
            Self { path: path.to_owned(), bytes, documents, layouts: None, objects: Vec::new(), wanted };
        file.objects = file.find_objects()?;
        if !file.objects.is_empty() {
            file.layouts = yaml::read_layout(&file.bytes, &limits)
                .filter(|layouts| layouts.len() == file.documents.len());
        }
        Ok(file)
    }

    /// Returns the name of the file in messages.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the bytes of the file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the SealedSecrets, in order.
    #[must_use]
    pub fn objects(&self) -> &[SealedObject] {
        &self.objects
    }

    /// Returns the place of a line.
    #[must_use]
    pub fn place(&self, line: u32) -> SourceLocation {
        SourceLocation { path: self.path.clone(), line, column: 0, rendered: None }
    }

    /// Returns the layout of an object, and that of its document.
    pub(super) fn layout(&self, object: &SealedObject) -> Option<(&LayoutNode, &DocumentLayout)> {
        let document = self.layouts.as_ref()?.get(object.document)?;
        let mut node = &document.root;
        for index in &object.list_path {
            let sealwave_core::yaml::LayoutContent::Sequence { items, .. } = &node.entry("items")?.1.content
            else {
                return None;
            };
            node = items.get(*index)?;
        }
        Some((node, document))
    }

    fn find_objects(&self) -> Result<Vec<SealedObject>, SealedFileError> {
        let mut objects = Vec::new();
        for (index, document) in self.documents.iter().enumerate() {
            self.find_in(document, None, (index, &mut Vec::new()), &mut objects)?;
        }
        Ok(objects)
    }

    /// Finds the SealedSecrets of a document, in lists of any depth: the reader limits it.
    fn find_in(
        &self,
        node: &Node,
        defaults: ListDefaults<'_>,
        (document, list_path): (usize, &mut Vec<usize>),
        objects: &mut Vec<SealedObject>,
    ) -> Result<(), SealedFileError> {
        if !yaml::is_list(node) {
            if is_kind(node, defaults, self.wanted) {
                objects.push(self.object(node, document, list_path)?);
            }
            return Ok(());
        }
        let defaults = list_defaults(node);
        for (index, item) in node.get("items").map(Node::items).unwrap_or_default().iter().enumerate() {
            list_path.push(index);
            self.find_in(item, defaults, (document, list_path), objects)?;
            list_path.pop();
        }
        Ok(())
    }

    fn object(
        &self,
        node: &Node,
        document: usize,
        list_path: &[usize],
    ) -> Result<SealedObject, SealedFileError> {
        let text = |path: &[&str]| node.at(path).and_then(Node::as_str).unwrap_or_default().to_owned();
        let annotations = node.at(&["metadata", "annotations"]).and_then(Node::as_mapping);
        let texts = node.entries_at(&["metadata", "annotations"]).iter();
        let blob = node.at(&["spec", "data"]).is_some_and(|data| data.value != NodeValue::Null);
        Ok(SealedObject {
            document,
            list_path: list_path.to_vec(),
            line: node.display_origin().line,
            namespace: text(&["metadata", "namespace"]),
            name: text(&["metadata", "name"]),
            scope: SealingScope::from_annotation_map(annotations),
            annotations: texts
                .filter_map(|entry| Some((entry.key.to_string(), entry.value.as_str()?.to_owned())))
                .collect(),
            items: if self.wanted == SECRETS { Vec::new() } else { self.items(node)? },
            has_blob: blob && self.wanted == SEALED_SECRETS,
        })
    }

    fn items(&self, object: &Node) -> Result<Vec<SealedItem>, SealedFileError> {
        if let Some(spec) = object.get("spec")
            && spec.as_mapping().is_none()
            && spec.value != NodeValue::Null
        {
            let fault = SealedFileFault::FieldNotMapping("spec");
            return Err(fault.at(self.location(spec.display_origin())));
        }
        let Some(data) = object.at(&["spec", "encryptedData"]) else { return Ok(Vec::new()) };
        let mapping = match &data.value {
            NodeValue::Mapping(mapping) => mapping,
            NodeValue::Null => return Ok(Vec::new()),
            _ => {
                let fault = SealedFileFault::FieldNotMapping("spec.encryptedData");
                return Err(fault.at(self.location(data.display_origin())));
            }
        };
        let item = |entry: &sealwave_core::document::MappingEntry| {
            let Some(ciphertext) = entry.value.as_str() else {
                let fault = SealedFileFault::about_item(SealedFileFault::NotString, &entry.key);
                return Err(fault.at(self.location(entry.key_origin)));
            };
            let line = entry.key_origin.line;
            Ok(SealedItem { key: entry.key.to_string(), ciphertext: ciphertext.to_owned(), line })
        };
        mapping.entries().iter().map(item).collect()
    }

    fn location(&self, origin: Origin) -> SourceLocation {
        SourceLocation { column: origin.column, ..self.place(origin.line) }
    }
}

fn list_defaults(list: &Node) -> ListDefaults<'_> {
    let kind = list.get("kind")?.as_str()?.strip_suffix("List").filter(|kind| !kind.is_empty())?;
    Some((kind, list.get("apiVersion")?.as_str()?))
}

fn is_kind(node: &Node, defaults: ListDefaults<'_>, wanted: WantedKind) -> bool {
    let (kind, api_version) = match (node.get("kind"), node.get("apiVersion"), defaults) {
        (None, None, Some(defaults)) => defaults,
        (Some(kind), Some(api_version), _) => {
            (kind.as_str().unwrap_or_default(), api_version.as_str().unwrap_or_default())
        }
        _ => return false,
    };
    (kind, group_and_version(api_version).0) == wanted
}
