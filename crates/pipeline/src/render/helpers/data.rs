//! Helpers for lists and objects, and for YAML and JSON.

use std::io::{self, Write};

use serde_json::{Map, Value as Json};

use super::call::{HelperCall, MAX_BYTES, MAX_MEMORY};
use super::text;
use crate::render::fault::RenderFault;
use crate::render::price::ValueWeight;
use crate::render::spelling::{self, VerbatimJson};
use sealwave_core::document::Sources;
use sealwave_core::yaml;

/// The node limit of `fromYaml`.
const MAX_NODES: usize = 150_000;

type HelperResult = Result<Json, RenderFault>;
type PickResult<'a> = Result<&'a Json, RenderFault>;

/// Implements `dict key value …`.
pub(super) fn dict(call: &HelperCall<'_>) -> HelperResult {
    call.check_copies()?;
    let mut fields = Map::new();
    for (index, pair) in call.values().chunks(2).enumerate() {
        let at = index.saturating_mul(2);
        let [_, value] = pair else {
            return Err(call.argument_fault(at, "key has no value"));
        };
        fields.insert(call.text(at)?, (*value).clone());
    }
    Ok(Json::Object(fields))
}

/// Implements `list a b …`.
pub(crate) fn list(call: &HelperCall<'_>) -> HelperResult {
    call.check_copies()?;
    Ok(call.values().iter().map(|value| (*value).clone()).collect::<Vec<_>>().into())
}

/// Implements `get object key`: the value, or null if the key does not exist.
pub(super) fn get<'a>(call: &HelperCall<'a>) -> PickResult<'a> {
    Ok(call.object(0)?.get(&call.text(1)?).unwrap_or(&Json::Null))
}

/// Implements `hasKey object key`, also for an undefined object.
pub(super) fn has_key(call: &HelperCall<'_>) -> HelperResult {
    if call.read(0).is_null() {
        return Ok(false.into());
    }
    Ok(call.object(0)?.contains_key(&call.text(1)?).into())
}

/// Implements `keys object`, sorted.
pub(super) fn keys(call: &HelperCall<'_>) -> HelperResult {
    let mut keys: Vec<&String> = call.object(0)?.keys().collect();
    call.check_texts(keys.len(), keys.iter().map(|key| key.len()).sum())?;
    keys.sort();
    Ok(keys.into_iter().cloned().collect::<Vec<_>>().into())
}

/// Implements `first list`.
pub(super) fn first<'a>(call: &HelperCall<'a>) -> PickResult<'a> {
    Ok(call.list(0)?.first().unwrap_or(&Json::Null))
}

/// Implements `last list`.
pub(super) fn last<'a>(call: &HelperCall<'a>) -> PickResult<'a> {
    Ok(call.list(0)?.last().unwrap_or(&Json::Null))
}

/// Implements `file path`: the text of a file in the app's directory.
pub(super) fn file(call: &HelperCall<'_>) -> HelperResult {
    let path = call.text(0)?;
    let no_files = || call.argument_fault(0, "files are not available");
    let files = call.state.files.get().ok_or_else(no_files)?;
    // A path that is computed may hold a value that does not belong there.
    let what = || if call.is_spelled_out { format!("file `{path}`") } else { "file".to_owned() };
    let text = files.text(&path, what).map_err(|error| RenderFault::File(Box::new(error)))?;
    Ok(text.into())
}

/// Implements `len value`: the number of items, keys or characters.
pub(super) fn len(call: &HelperCall<'_>) -> HelperResult {
    match call.read(0) {
        Json::Array(items) => Ok(items.len().into()),
        Json::Null => Ok(0.into()),
        Json::Object(fields) => Ok(fields.len().into()),
        Json::String(text) => Ok(text.chars().count().into()),
        Json::Bool(_) | Json::Number(_) => Err(call.argument_fault(0, "value has no length")),
    }
}

/// Implements `join separator list`.
pub(super) fn join(call: &HelperCall<'_>) -> HelperResult {
    call.check_texts(call.list(1)?.len(), 0)?;
    let (separator, items) = (call.text(0)?, text::items(call, 1)?);
    let bytes: usize = items.iter().map(String::len).sum();
    call.check_size(separator.len().saturating_mul(items.len()).saturating_add(bytes))?;
    Ok(items.join(&separator).into())
}

/// Implements `split separator text`, which returns a list.
pub(super) fn split(call: &HelperCall<'_>) -> HelperResult {
    let (separator, text) = (call.text(0)?, call.text(1)?);
    call.check_texts(text.matches(separator.as_str()).count().saturating_add(1), text.len())?;
    Ok(text.split(separator.as_str()).map(Json::from).collect::<Vec<_>>().into())
}

/// Implements `sortAlpha list`.
pub(super) fn sort_alpha(call: &HelperCall<'_>) -> HelperResult {
    call.check_copies()?;
    let mut items = text::items(call, 0)?;
    items.sort();
    Ok(items.into())
}

/// Implements `toJson value`.
pub(super) fn to_json(call: &HelperCall<'_>) -> HelperResult {
    let mut text = BoundedText::default();
    let written = serde_json::to_writer(&mut text, &VerbatimJson(call.value(0)));
    text.finish(call, written.is_ok())
}

/// Implements `toPrettyJson value`.
pub(super) fn to_pretty_json(call: &HelperCall<'_>) -> HelperResult {
    let mut text = BoundedText::default();
    let written = serde_json::to_writer_pretty(&mut text, &VerbatimJson(call.value(0)));
    text.finish(call, written.is_ok())
}

/// A text that stops growing at the size limit of a result.
#[derive(Default)]
struct BoundedText {
    text: Vec<u8>,
    is_full: bool,
}

impl Write for BoundedText {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.text.len().saturating_add(bytes.len()) > MAX_BYTES {
            self.is_full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl BoundedText {
    fn finish(self, call: &HelperCall<'_>, is_written: bool) -> HelperResult {
        if self.is_full {
            return Err(call.too_large(MAX_BYTES));
        }
        let text = String::from_utf8(self.text).ok().filter(|_| is_written);
        text.map(Json::from).ok_or_else(|| call.argument_fault(0, "value cannot be written"))
    }
}

/// Implements `toYaml value`, as Kubernetes reads it and without a final line break.
pub(super) fn to_yaml(call: &HelperCall<'_>) -> HelperResult {
    call.check_copies()?;
    let source = Sources::default().add("toYaml");
    let (node, texts) = spelling::to_node(call.value(0), source);
    let mut text = Vec::new();
    yaml::write_yaml_as_written(&node, &texts, &mut text, MAX_BYTES)
        .map_err(|yaml::OutputFull| call.too_large(MAX_BYTES))?;
    let text = String::from_utf8(text).map_err(|_| call.argument_fault(0, "value cannot be written"))?;
    // The text goes into a document, so it must not start a new one.
    Ok(text.strip_prefix("---\n").unwrap_or(&text).trim_end_matches('\n').into())
}

/// Implements `fromJson text`.
pub(super) fn from_json(call: &HelperCall<'_>) -> HelperResult {
    let text = call.text(0)?;
    // Each value but the first follows one of these characters.
    let values = text.bytes().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count().saturating_add(1);
    room_for_values(call, values, text.len())?;
    serde_json::from_str(&text).map_err(|_| call.argument_fault(0, "text is not valid JSON"))
}

/// Implements `fromYaml text` for one document.
pub(super) fn from_yaml(call: &HelperCall<'_>) -> HelperResult {
    let text = call.text(0)?;
    // Each value but the first follows one of these characters; aliases have limits of their own.
    let is_separator = |byte: &u8| matches!(byte, b',' | b'[' | b'{' | b'\n' | b':' | b'?' | b'-');
    let values = text.bytes().filter(is_separator).count().saturating_add(1);
    room_for_values(call, values.min(MAX_NODES), text.len())?;
    let limits = yaml::Limits {
        alias_bytes: MAX_BYTES / 2,
        alias_nodes: MAX_NODES / 2,
        document_nodes: MAX_NODES,
        ..yaml::Limits::default()
    };
    let source = Sources::default().add("fromYaml");
    let budget = yaml::YamlBudget::new(64, MAX_MEMORY);
    let (documents, texts) = yaml::read_with_texts(text.as_bytes(), source, &limits, &budget)
        .map_err(|_| call.argument_fault(0, "text is not valid YAML, or too large"))?;
    match documents.as_slice() {
        [] => Ok(Json::Null),
        [document] => {
            // Scalars that keep their spelling take more memory than estimated.
            call.check_memory(ValueWeight::from_node(document, &texts).memory)?;
            Ok(spelling::to_template_value(document, &texts))
        }
        _ => Err(call.argument_fault(0, "text holds several documents")),
    }
}

/// Refuses a result of this many values before it is parsed, since parsing takes longer than copying.
fn room_for_values(call: &HelperCall<'_>, values: usize, bytes: usize) -> Result<(), RenderFault> {
    call.state.charge(bytes as u64 / 16)?;
    call.check_memory(ValueWeight::estimate_values(values, bytes))
}
