//! Helpers for lists and objects, and for YAML and JSON.

use std::io::{self, Write};

use serde_json::{Map, Value as Json};

use super::{Call, MAX_BYTES, MAX_MEMORY, text};
use crate::render::errors::TemplateFault;
use crate::render::price::Weight;
use crate::render::written::{self, AsJson};
use sealwave_core::document::Sources;
use sealwave_core::yaml;

/// The node limit of `fromYaml`.
const MAX_NODES: usize = 150_000;

type HelperResult = Result<Json, TemplateFault>;
type PickResult<'a> = Result<&'a Json, TemplateFault>;

/// Implements `dict key value …`.
pub(super) fn dict(call: &Call<'_>) -> HelperResult {
    call.room_for_copies()?;
    let mut fields = Map::new();
    for (index, pair) in call.values().chunks(2).enumerate() {
        let at = index.saturating_mul(2);
        let [_, value] = pair else {
            return Err(call.wrong(at, "key has no value"));
        };
        fields.insert(call.text(at)?, (*value).clone());
    }
    Ok(Json::Object(fields))
}

/// Implements `list a b …`.
pub fn list(call: &Call<'_>) -> HelperResult {
    call.room_for_copies()?;
    Ok(call.values().iter().map(|value| (*value).clone()).collect::<Vec<_>>().into())
}

/// Implements `get object key`: the value, or null if the key does not exist.
pub(super) fn get<'a>(call: &Call<'a>) -> PickResult<'a> {
    Ok(call.object(0)?.get(&call.text(1)?).unwrap_or(&Json::Null))
}

/// Implements `hasKey object key`, also for an undefined object.
pub(super) fn has_key(call: &Call<'_>) -> HelperResult {
    if call.read(0).is_null() {
        return Ok(false.into());
    }
    Ok(call.object(0)?.contains_key(&call.text(1)?).into())
}

/// Implements `keys object`, sorted.
pub(super) fn keys(call: &Call<'_>) -> HelperResult {
    let mut keys: Vec<&String> = call.object(0)?.keys().collect();
    call.room_for_texts(keys.len(), keys.iter().map(|key| key.len()).sum())?;
    keys.sort();
    Ok(keys.into_iter().cloned().collect::<Vec<_>>().into())
}

/// Implements `first list`.
pub(super) fn first<'a>(call: &Call<'a>) -> PickResult<'a> {
    Ok(call.list(0)?.first().unwrap_or(&Json::Null))
}

/// Implements `last list`.
pub(super) fn last<'a>(call: &Call<'a>) -> PickResult<'a> {
    Ok(call.list(0)?.last().unwrap_or(&Json::Null))
}

/// Implements `len value`: the number of items, keys or characters.
pub(super) fn len(call: &Call<'_>) -> HelperResult {
    match call.read(0) {
        Json::Array(items) => Ok(items.len().into()),
        Json::Null => Ok(0.into()),
        Json::Object(fields) => Ok(fields.len().into()),
        Json::String(text) => Ok(text.chars().count().into()),
        Json::Bool(_) | Json::Number(_) => Err(call.wrong(0, "value has no length")),
    }
}

/// Implements `join separator list`.
pub(super) fn join(call: &Call<'_>) -> HelperResult {
    call.room_for_texts(call.list(1)?.len(), 0)?;
    let (separator, items) = (call.text(0)?, text::items(call, 1)?);
    let bytes: usize = items.iter().map(String::len).sum();
    call.room(separator.len().saturating_mul(items.len()).saturating_add(bytes))?;
    Ok(items.join(&separator).into())
}

/// Implements `split separator text`, which returns a list.
pub(super) fn split(call: &Call<'_>) -> HelperResult {
    let (separator, text) = (call.text(0)?, call.text(1)?);
    call.room_for_texts(text.matches(separator.as_str()).count().saturating_add(1), text.len())?;
    Ok(text.split(separator.as_str()).map(Json::from).collect::<Vec<_>>().into())
}

/// Implements `sortAlpha list`.
pub(super) fn sort_alpha(call: &Call<'_>) -> HelperResult {
    call.room_for_copies()?;
    let mut items = text::items(call, 0)?;
    items.sort();
    Ok(items.into())
}

/// Implements `toJson value`.
pub(super) fn to_json(call: &Call<'_>) -> HelperResult {
    let mut text = BoundedText::default();
    let written = serde_json::to_writer(&mut text, &AsJson(call.value(0)));
    text.finish(call, written.is_ok())
}

/// Implements `toPrettyJson value`.
pub(super) fn to_pretty_json(call: &Call<'_>) -> HelperResult {
    let mut text = BoundedText::default();
    let written = serde_json::to_writer_pretty(&mut text, &AsJson(call.value(0)));
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
    fn finish(self, call: &Call<'_>, is_written: bool) -> HelperResult {
        if self.is_full {
            return Err(call.too_large(MAX_BYTES));
        }
        let text = String::from_utf8(self.text).ok().filter(|_| is_written);
        text.map(Json::from).ok_or_else(|| call.wrong(0, "value cannot be written"))
    }
}

/// Implements `toYaml value`, as Kubernetes reads it and without a final line break.
pub(super) fn to_yaml(call: &Call<'_>) -> HelperResult {
    call.room_for_copies()?;
    let source = Sources::default().add("toYaml");
    let (node, texts) = written::to_node(call.value(0), source);
    let mut text = Vec::new();
    yaml::write_yaml_as_written(&node, &texts, &mut text, MAX_BYTES)
        .map_err(|yaml::OutputFull| call.too_large(MAX_BYTES))?;
    let text = String::from_utf8(text).map_err(|_| call.wrong(0, "value cannot be written"))?;
    // The text goes into a document, so it must not start a new one.
    Ok(text.strip_prefix("---\n").unwrap_or(&text).trim_end_matches('\n').into())
}

/// Implements `fromJson text`.
pub(super) fn from_json(call: &Call<'_>) -> HelperResult {
    let text = call.text(0)?;
    // Each value but the first follows one of these characters.
    let values = text.bytes().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count().saturating_add(1);
    room_for_values(call, values, text.len())?;
    serde_json::from_str(&text).map_err(|_| call.wrong(0, "text is not valid JSON"))
}

/// Implements `fromYaml text` for one document.
pub(super) fn from_yaml(call: &Call<'_>) -> HelperResult {
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
    let budget = yaml::Budget::new(64, MAX_MEMORY);
    let (documents, texts) = yaml::read_written(text.as_bytes(), source, &limits, &budget)
        .map_err(|_| call.wrong(0, "text is not valid YAML, or too large"))?;
    match documents.as_slice() {
        [] => Ok(Json::Null),
        [document] => {
            // Scalars that keep their spelling take more memory than estimated.
            call.room_in_memory(Weight::of_node(document, &texts).memory)?;
            Ok(written::of_node(document, &texts))
        }
        _ => Err(call.wrong(0, "text holds several documents")),
    }
}

/// Refuses a result of this many values before it is parsed, since parsing takes longer than copying.
fn room_for_values(call: &Call<'_>, values: usize, bytes: usize) -> Result<(), TemplateFault> {
    call.state.charge(bytes as u64 / 16)?;
    call.room_in_memory(Weight::of_values(values, bytes))
}
