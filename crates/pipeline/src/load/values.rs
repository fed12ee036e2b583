//! Layered values: the environment's values override the app's.

use std::collections::HashMap;
use std::path::Path;

use compact_str::CompactString;

use super::files::FileReader;
use crate::template_text;
use sealwave_core::diagnostic::{Explain, Failure, Problem};
use sealwave_core::document::{
    Mapping, MappingEntry, Node, NodeValue, Origin, SourceId, Sources, WrittenScalars,
};
use sealwave_core::yaml;

/// The name of values files.
pub(super) const VALUES: &str = "values.yaml";

/// The node limit of a values file. Templates hold them twice, in a form three times as large.
const MAX_NODES: usize = 500_000;

/// The most removed values that are kept for hints.
const MAX_REMOVED: usize = 200;

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("values are of type {0}, not object")]
    NotAMapping(&'static str),
    #[error("values file holds {0} documents, not one")]
    Documents(usize),
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotAMapping(_) => "write each value as `NAME: VALUE` on a line of its own".to_owned(),
            Self::Documents(_) => "remove the line `---`: one document holds all values".to_owned(),
        })
    }
}

/// A values file.
pub(super) struct ValuesLayer {
    pub(super) values: Node,
    written: WrittenScalars,
    source: SourceId,
    text: String,
}

/// The values of an environment.
pub struct LayeredValues {
    /// The merged values; always a mapping.
    pub merged: Node,
    /// The texts of scalars that are not written in their canonical form.
    pub written: WrittenScalars,
    /// The environment's own values file, if it exists.
    pub(crate) own: Option<SourceId>,
    /// The texts of the files.
    pub(crate) texts: Vec<(SourceId, String)>,
    /// Reasons for names that are undefined although the author defined them.
    pub(crate) gaps: ValueGaps,
}

/// Reasons why values lack names that the author defined.
#[derive(Default)]
pub(crate) struct ValueGaps {
    /// Values that the environment's file sets to null, which removes them.
    pub(crate) removed: Vec<RemovedValue>,
    /// The hint for a file that is probably meant to be a missing values file.
    pub(crate) misnamed: Option<String>,
}

/// A value that the environment removes.
pub(crate) struct RemovedValue {
    /// The keys that lead to it.
    pub(crate) path: Vec<String>,
    pub(crate) origin: Origin,
}

impl LayeredValues {
    /// Creates empty values.
    pub(super) fn empty(sources: &mut Sources) -> Self {
        let source = sources.add(VALUES);
        let merged = Node::new(NodeValue::Mapping(Mapping::default()), Origin::whole(source));
        Self {
            merged,
            written: WrittenScalars::default(),
            own: None,
            texts: Vec::new(),
            gaps: ValueGaps::default(),
        }
    }
}

/// Reads and merges the values; the result is an empty mapping if no values exist.
pub(super) fn load(
    reader: &mut FileReader<'_>,
    own_directory: &Path,
    sources: &mut Sources,
) -> Result<LayeredValues, Failure> {
    let shared = read_layer(reader, Path::new(VALUES), sources);
    let special = read_layer(reader, &own_directory.join(VALUES), sources);
    let mut problems = Vec::new();
    let mut collect_problems = |result: Result<Option<ValuesLayer>, Failure>| {
        result.unwrap_or_else(|failure| {
            problems.extend_from_slice(failure.problems());
            None
        })
    };
    let (shared, special) = (collect_problems(shared), collect_problems(special));
    Failure::unless_empty(problems)?;
    let own = special.as_ref().map(|layer| layer.source);
    let is_shared_missing = shared.is_none();
    let mut layers = shared.into_iter().chain(special);
    let misnamed = misnamed_file(reader, is_shared_missing, own_directory);
    let Some(first) = layers.next() else {
        let gaps = ValueGaps { misnamed, ..ValueGaps::default() };
        return Ok(LayeredValues { gaps, ..LayeredValues::empty(sources) });
    };
    let texts = vec![(first.source, first.text)];
    let gaps = ValueGaps { misnamed, ..ValueGaps::default() };
    let mut values = LayeredValues { merged: first.values, written: first.written, own, texts, gaps };
    for over in layers {
        find_removed(&over.values, &mut Vec::new(), &mut values.gaps.removed);
        merge(&mut values.merged, over.values);
        values.written.extend(over.written);
        values.texts.push((over.source, over.text));
    }
    Ok(values)
}

/// Returns the hint for a file that is probably meant to be a missing values file: the app's, or the environment's.
fn misnamed_file(reader: &FileReader<'_>, is_shared_missing: bool, own: &Path) -> Option<String> {
    let own = own.join(VALUES);
    let missing = if is_shared_missing { Path::new(VALUES) } else { &own };
    let found = reader.misnamed_file(missing)?;
    Some(format!("`{found}` is not read: rename it to `{VALUES}`"))
}

/// Finds the values that are null, which remove those of another file. The recursion is bounded like [`merge`].
fn find_removed(values: &Node, path: &mut Vec<String>, removed: &mut Vec<RemovedValue>) {
    for entry in values.as_mapping().map(Mapping::entries).unwrap_or_default() {
        if removed.len() >= MAX_REMOVED {
            return;
        }
        path.push(entry.key.to_string());
        if entry.value.value == NodeValue::Null {
            removed.push(RemovedValue { path: path.clone(), origin: entry.key_origin });
        } else {
            find_removed(&entry.value, path, removed);
        }
        path.pop();
    }
}

pub(super) fn read_layer(
    reader: &mut FileReader<'_>,
    relative: &Path,
    sources: &mut Sources,
) -> Result<Option<ValuesLayer>, Failure> {
    let Some(found) = reader.read_optional(relative, sources)? else {
        return Ok(None);
    };
    let limits = yaml::Limits { document_nodes: MAX_NODES, ..yaml::Limits::default() };
    let (mut documents, written) =
        yaml::read_with_texts(found.text.as_bytes(), found.source, &limits, reader.budget())
            .map_err(|failure| name_tags(failure, &found.text))?;
    if let [_, second, ..] = documents.as_slice() {
        return Err(Problem::at(second.display_origin(), &Error::Documents(documents.len())).into());
    }
    let Some(node) = documents.pop() else {
        return Ok(None);
    };
    match node.value {
        NodeValue::Mapping(_) => {
            Ok(Some(ValuesLayer { values: node, written, source: found.source, text: found.text }))
        }
        NodeValue::Null => Ok(None),
        _ => Err(Problem::at(node.display_origin(), &Error::NotAMapping(node.type_name())).into()),
    }
}

/// Names tags in the values as the cause of an error, if there are any.
fn name_tags(failure: Failure, text: &str) -> Failure {
    let first = failure.problems().first();
    let tags = first.and_then(|problem| template_text::explain_values(problem, text));
    tags.map_or(failure, Failure::from)
}

/// Merges `over` into `base`: mappings key by key, `null` removes a key, everything else replaces.
///
/// The recursion is bounded by the depth of the documents, which the reader limits.
fn merge(base: &mut Node, over: Node) {
    let origin = over.origin;
    match (&mut base.value, over.value) {
        (NodeValue::Mapping(mapping), NodeValue::Mapping(changes)) => merge_mappings(mapping, changes),
        (_, value) => *base = Node::new(value, origin),
    }
}

/// Merges in one pass over each mapping, since a file may have hundreds of thousands of keys.
fn merge_mappings(base: &mut Mapping, over: Mapping) {
    let mut entries: Vec<Option<MappingEntry>> =
        std::mem::take(base).into_entries().into_iter().map(Some).collect();
    let keys = entries.iter().flatten().enumerate();
    let places: HashMap<CompactString, usize> = keys.map(|(at, entry)| (entry.key.clone(), at)).collect();
    for change in over.into_entries() {
        let is_null = matches!(change.value.value, NodeValue::Null);
        let place = places.get(&change.key).and_then(|at| entries.get_mut(*at));
        match (place, is_null) {
            (Some(place), true) => *place = None,
            (Some(Some(old)), false) => merge(&mut old.value, change.value),
            (Some(place @ None), false) => *place = Some(change),
            (None, false) => entries.push(Some(change)),
            (None, true) => {}
        }
    }
    *base = entries.into_iter().flatten().collect();
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn mappings_merge_lists_replace_and_null_removes() {
        let source = Sources::default().add("values.yaml");
        let to_node = |json: serde_json::Value| Node::from_json(&json, Origin::whole(source));
        let mut base = to_node(json!({"a": {"x": 1, "y": [1, 2]}, "b": 1, "c": {"d": 1}}));
        merge(&mut base, to_node(json!({"a": {"y": [3], "z": null}, "b": null, "c": 2, "e": {"f": 3}})));
        assert_eq!(base.to_json(), json!({"a": {"x": 1, "y": [3]}, "c": 2, "e": {"f": 3}}));
    }
}
