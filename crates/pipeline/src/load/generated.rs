//! ConfigMaps and Secrets that the app file makes from literals and files.
//!
//! An environment adds keys to the app's entry of the same name, or replaces them. Content that is not UTF-8 becomes
//! `binaryData` of a ConfigMap, or base64 in `data` of a Secret. Messages never quote a value, nor a text that may be a
//! misplaced one.

mod env_file;
mod error;
mod layers;
mod object;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::access::FileError;
use super::files::FileReader;
use crate::discover::{Discovery, ENVIRONMENTS};
use error::Error;
use layers::{EntryLayer, GeneratedKind, ObjectLayers};
use object::{GeneratedItem, GeneratedObject};
use sealwave_core::diagnostic::{Failure, Problem};
use sealwave_core::document::{Manifest, NodeValue, Origin, Sources};
use sealwave_core::names::is_item_key;
use sealwave_secrets::settings::{APP_FILE, FileEntry};

/// Makes the objects of an environment.
pub(super) fn load(
    discovery: &Discovery,
    environment: &str,
    reader: &mut FileReader<'_>,
    sources: &mut Sources,
    problems: &mut Vec<Problem>,
) -> Vec<Manifest> {
    let app = discovery.app();
    let Ok(settings) = discovery.environment(environment) else { return Vec::new() };
    let is_unused = [&app.config_maps, &settings.config_maps].iter().all(|entries| entries.is_empty())
        && [&app.secrets, &settings.secrets].iter().all(|entries| entries.is_empty());
    if is_unused {
        return Vec::new();
    }
    let source = sources.add(discovery.name_of(Path::new(APP_FILE)));
    let tree = discovery.app_tree(source);
    let own_tree = tree.at(&["environments", environment]);
    let mut layers = ObjectLayers::new(Origin::whole(source));
    layers.add(GeneratedKind::ConfigMap, &app.config_maps, Some(&tree));
    layers.add(GeneratedKind::ConfigMap, &settings.config_maps, own_tree);
    layers.add(GeneratedKind::Secret, &app.secrets, Some(&tree));
    layers.add(GeneratedKind::Secret, &settings.secrets, own_tree);
    let own_directory = Path::new(ENVIRONMENTS).join(environment);
    let mut generator = Generator { discovery, environment, own_directory, reader, sources, problems };
    layers.all.iter().filter_map(|((kind, name), layers)| generator.object(*kind, name, layers)).collect()
}

/// Makes objects from entries.
struct Generator<'a, 'r> {
    discovery: &'a Discovery,
    environment: &'a str,
    own_directory: PathBuf,
    reader: &'a mut FileReader<'r>,
    sources: &'a mut Sources,
    problems: &'a mut Vec<Problem>,
}

/// The items of one entry, which must have different keys.
struct LayerItems {
    kind: GeneratedKind,
    items: BTreeMap<String, GeneratedItem>,
}

impl Generator<'_, '_> {
    fn object(&mut self, kind: GeneratedKind, name: &str, layers: &[EntryLayer<'_>]) -> Option<Manifest> {
        let origin = layers.first()?.origin;
        let mut object = GeneratedObject::new(kind, name, origin);
        let count = self.problems.len();
        for layer in layers {
            let items = self.items(kind, layer);
            object.add_layer(layer, items);
        }
        // Items that could not be read are missing, so the object would be judged wrongly.
        if self.problems.len() > count {
            return None;
        }
        object.into_manifest().map_err(|error| self.problem(origin, &error)).ok()
    }

    fn items(&mut self, kind: GeneratedKind, layer: &EntryLayer<'_>) -> BTreeMap<String, GeneratedItem> {
        let mut items = LayerItems { kind, items: BTreeMap::new() };
        for (key, key_origin, value) in layer.texts("literals", layer.entry.literals) {
            if value.value == NodeValue::Null {
                self.problem(key_origin, &Error::NoValue);
            } else {
                self.add(&mut items, key, GeneratedItem::text(key_origin, value), &Error::Key);
            }
        }
        for (index, text) in layer.entry.files.iter().enumerate() {
            let at = layer.item_origin("files", index);
            if let Err(failure) = self.file(&mut items, text, at) {
                self.problems.extend_from_slice(failure.problems());
            }
        }
        for (index, path) in layer.entry.env_files.iter().enumerate() {
            let at = layer.item_origin("envFiles", index);
            let path = path.in_environment(self.environment);
            if let Err(failure) = self.env_file(&mut items, &path, at) {
                self.problems.extend_from_slice(failure.problems());
            }
        }
        items.items
    }

    /// Adds the content of a file, or of the files in a directory.
    fn file(&mut self, items: &mut LayerItems, text: &str, at: Origin) -> Result<(), Failure> {
        let entry = FileEntry::parse(text).ok_or_else(|| Problem::at(at, &Error::FileEntry))?;
        let path = entry.path.in_environment(self.environment);
        let relative = self.find(items.kind, &path).map_err(|error| Problem::at(at, &error))?;
        let Some(files) = self.reader.list_directory(&relative)? else {
            let name = relative.file_name().unwrap_or_default().to_string_lossy();
            let invalid = if entry.key.is_some() { Error::Key } else { Error::FileName };
            return self.content(items, entry.key.unwrap_or(&name), &relative, at, &invalid);
        };
        if entry.key.is_some() {
            return Err(Problem::at(at, &Error::DirectoryKey).into());
        }
        if files.is_empty() {
            return Err(Problem::at(at, &Error::EmptyDirectory).into());
        }
        for file in files {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            self.content(items, &name, &file, at, &Error::FileName)?;
        }
        Ok(())
    }

    fn content(
        &mut self,
        items: &mut LayerItems,
        key: &str,
        relative: &Path,
        at: Origin,
        invalid: &Error,
    ) -> Result<(), Failure> {
        let (source, bytes) = self.reader.read_named_bytes(relative, self.sources)?;
        let item = GeneratedItem::content(at, Origin::whole(source), bytes);
        self.add(items, key, item, invalid);
        Ok(())
    }

    /// Adds the lines `KEY=VALUE` of a file.
    fn env_file(&mut self, items: &mut LayerItems, path: &Path, at: Origin) -> Result<(), Failure> {
        let relative = self.find(items.kind, path).map_err(|error| Problem::at(at, &error))?;
        let found = self.reader.read_named_text(&relative, self.sources)?;
        for line in env_file::lines(&found.text, found.source) {
            match line {
                Ok(line) => {
                    let item = GeneratedItem::text(line.key_origin, line.value);
                    self.add(items, line.key, item, &Error::EnvKey);
                }
                Err(problem) => self.problems.push(problem),
            }
        }
        Ok(())
    }

    /// Finds a file that an entry names. What a Secret names may be a misplaced value, so it is not shown.
    fn find(&self, kind: GeneratedKind, path: &Path) -> Result<PathBuf, FileError> {
        let what = || match kind {
            GeneratedKind::ConfigMap => format!("file `{}`", self.discovery.name_of(path)),
            GeneratedKind::Secret => "file".to_owned(),
        };
        self.reader.find_named(path, &self.own_directory, &what)
    }

    /// Adds an item, unless its key is not valid or exists.
    fn add(&mut self, items: &mut LayerItems, key: &str, item: GeneratedItem, invalid: &Error) {
        let at = item.key_origin;
        if !is_item_key(key) {
            self.problem(at, invalid);
        } else if let Some(first) = items.items.get(key) {
            let first = self.sources.location(first.key_origin).to_string();
            self.problem(at, &Error::KeyTwice { key: key.to_owned(), first });
        } else {
            items.items.insert(key.to_owned(), item);
        }
    }

    fn problem(&mut self, at: Origin, error: &Error) {
        self.problems.push(Problem::at(at, error));
    }
}
