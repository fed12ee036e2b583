//! Edits the SealedSecrets of a file: collects the wanted changes, writes them, and proves the result.

use std::collections::{BTreeMap, BTreeSet};

use sealwave_core::document::{Node, Sources};
use sealwave_core::names::item_label;
use sealwave_core::yaml::{self, DocumentLayout, LayoutContent, LayoutNode, Limits};

use super::entries::{append_entries, append_mapping, fill_null, style_of, syntax_of};
use super::error::{SealedFileError, SealedFileFault};
use super::file::{SealedFile, SealedObject, compact_ciphertext};
use super::metadata::MetadataField;
use super::scalars::{Splice, Text, replace_ciphertext, replace_text};
use super::trees::{aliases, mapping_at, object_node, object_node_mut};

const DATA: [&str; 2] = ["spec", "encryptedData"];

/// Changes single items and annotations of the SealedSecrets of a file, and nothing else.
pub struct SealedFileEditor<'f> {
    file: &'f SealedFile,
    changes: BTreeMap<usize, ObjectChanges>,
}

/// The wanted changes of one object.
#[derive(Default)]
struct ObjectChanges {
    metadata: BTreeMap<MetadataField, BTreeMap<String, String>>,
    items: BTreeMap<String, String>,
    new_items: Vec<(String, String)>,
}

/// An object to edit, with its layout.
struct EditedObject<'e> {
    file: &'e SealedFile,
    object: &'e SealedObject,
    root: &'e LayoutNode,
    json: bool,
    /// The anchors that aliases of the document refer to.
    shared: BTreeSet<&'e str>,
}

impl<'f> SealedFileEditor<'f> {
    /// Creates an editor without changes.
    #[must_use]
    pub const fn new(file: &'f SealedFile) -> Self {
        Self { file, changes: BTreeMap::new() }
    }

    /// Replaces the ciphertext of an item of an object, which is an index of [`SealedFile::objects`].
    ///
    /// # Errors
    /// The object does not have the item, or the ciphertext is not base64.
    pub fn replace_item(
        &mut self,
        object: usize,
        key: &str,
        ciphertext: &str,
    ) -> Result<(), SealedFileError> {
        self.check_ciphertext(object, key, ciphertext)?;
        let known = self.object(object)?;
        if known.item(key).is_none() {
            return Err(
                SealedFileFault::about_item(SealedFileFault::NoSuchItem, key).at(self.file.place(known.line))
            );
        }
        self.changes.entry(object).or_default().items.insert(key.to_owned(), ciphertext.to_owned());
        Ok(())
    }

    /// Adds an item after the last one, or replaces its ciphertext if the object has it.
    ///
    /// # Errors
    /// The ciphertext is not base64.
    pub fn insert_item(&mut self, object: usize, key: &str, ciphertext: &str) -> Result<(), SealedFileError> {
        if self.object(object)?.item(key).is_some() {
            return self.replace_item(object, key, ciphertext);
        }
        self.check_ciphertext(object, key, ciphertext)?;
        let new = &mut self.changes.entry(object).or_default().new_items;
        new.retain(|(known, _)| known != key);
        new.push((key.to_owned(), ciphertext.to_owned()));
        Ok(())
    }

    /// Sets an annotation of an object; creates `metadata.annotations` if it is missing.
    ///
    /// # Errors
    /// The object does not exist.
    pub fn set_annotation(&mut self, object: usize, name: &str, text: &str) -> Result<(), SealedFileError> {
        self.set_metadata(object, MetadataField::Annotations, name, text)
    }

    /// Sets an entry of a mapping of an object; creates the mapping and those around it if they are missing.
    ///
    /// # Errors
    /// The object does not exist.
    pub fn set_metadata(
        &mut self,
        object: usize,
        field: MetadataField,
        name: &str,
        text: &str,
    ) -> Result<(), SealedFileError> {
        self.object(object)?;
        let metadata = &mut self.changes.entry(object).or_default().metadata;
        metadata.entry(field).or_default().insert(name.to_owned(), text.to_owned());
        Ok(())
    }

    /// Returns the edited file. Without changes, it is the file as it was.
    ///
    /// # Errors
    /// A change cannot be made exactly, or something else would change.
    pub fn finish(self) -> Result<Vec<u8>, SealedFileError> {
        let mut splices = Vec::new();
        for (index, changes) in &self.changes {
            self.edited(*index)?.splices(changes, &mut splices)?;
        }
        let bytes = self.apply(splices)?;
        self.prove(&bytes)?;
        Ok(bytes)
    }

    fn object(&self, index: usize) -> Result<&'f SealedObject, SealedFileError> {
        self.file.objects().get(index).ok_or_else(|| self.unproven())
    }

    fn unproven(&self) -> SealedFileError {
        SealedFileFault::Unproven.at(self.file.place(0))
    }

    fn check_ciphertext(&self, object: usize, key: &str, ciphertext: &str) -> Result<(), SealedFileError> {
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
        if !ciphertext.is_empty() && ciphertext.bytes().all(is_base64) {
            return Ok(());
        }
        let line = self.object(object)?.line;
        Err(SealedFileFault::about_item(SealedFileFault::Ciphertext, key).at(self.file.place(line)))
    }

    fn edited(&self, index: usize) -> Result<EditedObject<'f>, SealedFileError> {
        let object = self.object(index)?;
        let refused = |fault: SealedFileFault| fault.at(self.file.place(object.line));
        if object.has_blob {
            return Err(refused(SealedFileFault::Blob));
        }
        let layout = self.file.layout(object);
        let layout = layout.filter(|(root, _)| matches!(root.content, LayoutContent::Mapping { .. }));
        let Some((root, DocumentLayout { root: document, json })) = layout else {
            return Err(refused(SealedFileFault::Layout("the object".to_owned())));
        };
        let mut shared = BTreeSet::new();
        aliases(document, &mut shared);
        Ok(EditedObject { file: self.file, object, root, json: *json, shared })
    }

    /// Applies the splices, which are disjoint and sorted by place. Fails if they are not.
    fn apply(&self, mut splices: Vec<Splice>) -> Result<Vec<u8>, SealedFileError> {
        splices.sort_by_key(|splice| (splice.span.start, splice.span.end));
        let before = self.file.bytes();
        let mut after = Vec::with_capacity(before.len() + splices.len() * 128);
        let mut at = 0;
        for Splice { span, text } in splices {
            after.extend_from_slice(before.get(at..span.start).ok_or_else(|| self.unproven())?);
            after.extend_from_slice(text.as_bytes());
            at = span.end;
        }
        after.extend_from_slice(before.get(at..).ok_or_else(|| self.unproven())?);
        Ok(after)
    }

    /// Checks that reading the result gives the trees of before with the wanted changes.
    fn prove(&self, bytes: &[u8]) -> Result<(), SealedFileError> {
        let source = Sources::default().add(self.file.path());
        let actual = yaml::read(bytes, source, &Limits::default()).map_err(|_| self.unproven())?;
        let mut expected = self.file.documents.clone();
        for (index, changes) in &self.changes {
            let object = self.object(*index)?;
            changes.make(object, &actual, &mut expected).ok_or_else(|| self.unproven())?;
        }
        if actual == expected { Ok(()) } else { Err(self.unproven()) }
    }
}

impl ObjectChanges {
    /// Makes the changes of an object in the trees of before.
    fn make(&self, object: &SealedObject, actual: &[Node], expected: &mut [Node]) -> Option<()> {
        self.apply(object_node_mut(expected, object)?, object_node(actual, object)?)
    }

    /// Makes the changes in a tree. The ciphertexts of the edited tree may have line breaks.
    fn apply(&self, old: &mut Node, new: &Node) -> Option<()> {
        let origin = old.origin;
        for (field, texts) in &self.metadata {
            let mapping = mapping_at(old, field.path())?;
            for (name, text) in texts {
                mapping.insert(name.as_str(), origin, Node::string(text.as_str(), origin));
            }
        }
        if self.items.is_empty() && self.new_items.is_empty() {
            return Some(());
        }
        let data = mapping_at(old, &DATA)?;
        let items = self.items.iter();
        for (key, ciphertext) in items.chain(self.new_items.iter().map(|(key, ciphertext)| (key, ciphertext)))
        {
            let written = new.at(&DATA)?.get(key)?.as_str()?;
            if compact_ciphertext(written) != ciphertext.as_str() {
                return None;
            }
            data.insert(key.as_str(), origin, Node::string(written, origin));
        }
        Some(())
    }
}

impl EditedObject<'_> {
    fn splices(&self, changes: &ObjectChanges, splices: &mut Vec<Splice>) -> Result<(), SealedFileError> {
        for (key, ciphertext) in &changes.items {
            splices.push(self.replace_item(key, ciphertext)?);
        }
        if !changes.new_items.is_empty() {
            splices.push(self.add_entries(&DATA, "new items", &changes.new_items)?);
        }
        for (field, texts) in &changes.metadata {
            self.set_texts(*field, texts, splices)?;
        }
        Ok(())
    }

    fn set_texts(
        &self,
        field: MetadataField,
        texts: &BTreeMap<String, String>,
        splices: &mut Vec<Splice>,
    ) -> Result<(), SealedFileError> {
        let present = object_node(&self.file.documents, self.object).and_then(|node| node.at(field.path()));
        let mut new = Vec::new();
        for (name, text) in texts {
            if present.and_then(|mapping| mapping.get(name)?.as_str()) == Some(text) {
                continue;
            }
            match self.replace_text_of(field, name, text)? {
                Some(splice) => splices.push(splice),
                None => new.push((name.clone(), text.clone())),
            }
        }
        if !new.is_empty() {
            let subject = format!("`{}`", field.path().join("."));
            splices.push(self.add_entries(field.path(), &subject, &new)?);
        }
        Ok(())
    }

    fn text(&self) -> Text<'_> {
        Text(std::str::from_utf8(self.file.bytes()).unwrap_or(""))
    }

    fn refused(
        &self,
        fault: impl FnOnce(String) -> SealedFileFault,
        subject: &str,
        line: u32,
    ) -> SealedFileError {
        fault(subject.to_owned()).at(self.file.place(line))
    }

    fn replace_item(&self, key: &str, ciphertext: &str) -> Result<Splice, SealedFileError> {
        let line = self.object.item(key).map_or(self.object.line, |item| item.line);
        let subject = item_label(key);
        let data = self.own_mapping(&DATA, &subject, line)?;
        let Some((_, value)) = data.and_then(|data| self.entry(data, key)) else {
            return Err(self.refused(SealedFileFault::Merged, &subject, line));
        };
        self.check_own(value, &subject, line)?;
        style_of(value)
            .and_then(|style| replace_ciphertext(self.text(), value, style, ciphertext))
            .ok_or_else(|| self.refused(SealedFileFault::Layout, &subject, line))
    }

    /// Returns the entry of an item. Its key may be written differently, such as `on` for `true`, so it is found by position
    /// if there are no merge keys.
    fn entry<'n>(&self, data: &'n LayoutNode, key: &str) -> Option<&'n (LayoutNode, LayoutNode)> {
        let entries = data.entries();
        if entries.len() != self.object.items.len() || data.entry("<<").is_some() {
            return data.entry(key);
        }
        entries.get(self.object.items.iter().position(|item| item.key == key)?)
    }

    /// Returns the replacement of a text, or `None` if the object does not have it.
    fn replace_text_of(
        &self,
        field: MetadataField,
        name: &str,
        text: &str,
    ) -> Result<Option<Splice>, SealedFileError> {
        let kind = if matches!(field, MetadataField::Labels | MetadataField::TemplateLabels) {
            "label"
        } else {
            "annotation"
        };
        let (subject, line) = (format!("{kind} `{name}`"), self.object.line);
        let Some(mapping) = self.own_mapping(field.path(), &subject, line)? else { return Ok(None) };
        let Some((_, value)) = mapping.entry(name) else { return Ok(None) };
        self.check_own(value, &subject, line)?;
        let replaced = style_of(value)
            .zip(syntax_of(mapping, self.json))
            .and_then(|(style, syntax)| replace_text(self.text(), value, style, syntax, text));
        replaced.map(Some).ok_or_else(|| self.refused(SealedFileFault::Layout, &subject, line))
    }

    /// Returns the insertion of entries into a mapping, which may be missing, null or empty, as those around it may be below
    /// the first key of the path.
    fn add_entries(
        &self,
        path: &[&str],
        subject: &str,
        entries: &[(String, String)],
    ) -> Result<Splice, SealedFileError> {
        let line = self.object.line;
        let text = self.text();
        let refused = || self.refused(SealedFileFault::Layout, subject, line);
        let (first, mut keys) = path.split_first().ok_or_else(refused)?;
        let mut parent = &self.root.entry(first).ok_or_else(refused)?.1;
        self.check_own(parent, subject, line)?;
        while let Some((key, below)) = keys.split_first() {
            let Some((_, value)) = parent.entry(key) else {
                return append_mapping(text, parent, self.json, keys, entries).ok_or_else(refused);
            };
            self.check_own(value, subject, line)?;
            match &value.content {
                LayoutContent::Mapping { .. } => (parent, keys) = (value, below),
                LayoutContent::Scalar { .. } if value.anchor.is_none() && !value.tagged => {
                    return fill_null(text, parent, value, self.json, below, entries).ok_or_else(refused);
                }
                _ => return Err(refused()),
            }
        }
        append_entries(text, parent, self.json, entries).ok_or_else(refused)
    }

    /// Returns the mapping at a path if it is written in the object itself.
    fn own_mapping(
        &self,
        path: &[&str],
        subject: &str,
        line: u32,
    ) -> Result<Option<&LayoutNode>, SealedFileError> {
        let mut node = self.root;
        for key in path {
            let Some((_, value)) = node.entry(key) else {
                let merged = node.entry("<<").is_some();
                return if merged {
                    Err(self.refused(SealedFileFault::Merged, subject, line))
                } else {
                    Ok(None)
                };
            };
            self.check_own(value, subject, line)?;
            node = value;
        }
        Ok(Some(node))
    }

    /// Checks that a node is not shared with other places of the document.
    fn check_own(&self, node: &LayoutNode, subject: &str, line: u32) -> Result<(), SealedFileError> {
        let is_shared = match (&node.content, &node.anchor) {
            (LayoutContent::Alias(_), _) => true,
            (_, Some(anchor)) => self.shared.contains(anchor.as_str()),
            (_, None) => false,
        };
        if is_shared { Err(self.refused(SealedFileFault::Aliased, subject, line)) } else { Ok(()) }
    }
}
