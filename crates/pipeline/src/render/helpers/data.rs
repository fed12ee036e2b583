//! Helpers for lists and objects, and for YAML and JSON.

use std::io::{self, Write};

use serde_json::{Map, Value as Json};

use super::{Call, MAX_BYTES, MAX_MEMORY, text};
use crate::render::errors::TemplateFault;
use crate::render::price::Weight;
use crate::render::written::{self, AsJson};
use sealwave_core::document::Sources;
use sealwave_core::yaml;

/// Nodes of what `fromYaml` reads.
const MAX_NODES: usize = 150_000;

type Answer = Result<Json, TemplateFault>;
type Pick<'a> = Result<&'a Json, TemplateFault>;

/// `dict key value …`
pub(super) fn dict(call: &Call<'_>) -> Answer {
    call.room_for_copies()?;
    let mut fields = Map::new();
    for (index, pair) in call.values().chunks(2).enumerate() {
        let at = index.saturating_mul(2);
        let [_, value] = pair else {
            return Err(call.wrong(at, "it is a key without a value"));
        };
        fields.insert(call.text(at)?, (*value).clone());
    }
    Ok(Json::Object(fields))
}

/// `list a b …`
pub fn list(call: &Call<'_>) -> Answer {
    call.room_for_copies()?;
    Ok(call.values().iter().map(|value| (*value).clone()).collect::<Vec<_>>().into())
}

/// `get object key`: null where there is no such key.
pub(super) fn get<'a>(call: &Call<'a>) -> Pick<'a> {
    Ok(call.object(0)?.get(&call.text(1)?).unwrap_or(&Json::Null))
}

/// `hasKey object key`: also of an object that is undefined.
pub(super) fn has_key(call: &Call<'_>) -> Answer {
    if call.read(0).is_null() {
        return Ok(false.into());
    }
    Ok(call.object(0)?.contains_key(&call.text(1)?).into())
}

/// `keys object`, sorted.
pub(super) fn keys(call: &Call<'_>) -> Answer {
    let mut keys: Vec<&String> = call.object(0)?.keys().collect();
    call.room_for_texts(keys.len(), keys.iter().map(|key| key.len()).sum())?;
    keys.sort();
    Ok(keys.into_iter().cloned().collect::<Vec<_>>().into())
}

/// `first list`
pub(super) fn first<'a>(call: &Call<'a>) -> Pick<'a> {
    Ok(call.list(0)?.first().unwrap_or(&Json::Null))
}

/// `last list`
pub(super) fn last<'a>(call: &Call<'a>) -> Pick<'a> {
    Ok(call.list(0)?.last().unwrap_or(&Json::Null))
}

/// `len value`: items, keys or characters.
pub(super) fn len(call: &Call<'_>) -> Answer {
    match call.read(0) {
        Json::Array(items) => Ok(items.len().into()),
        Json::Null => Ok(0.into()),
        Json::Object(fields) => Ok(fields.len().into()),
        Json::String(text) => Ok(text.chars().count().into()),
        Json::Bool(_) | Json::Number(_) => Err(call.wrong(0, "it has no length")),
    }
}

/// `join separator list`
pub(super) fn join(call: &Call<'_>) -> Answer {
    call.room_for_texts(call.list(1)?.len(), 0)?;
    let (separator, items) = (call.text(0)?, text::items(call, 1)?);
    let bytes: usize = items.iter().map(String::len).sum();
    call.room(separator.len().saturating_mul(items.len()).saturating_add(bytes))?;
    Ok(items.join(&separator).into())
}

/// `split separator text`: a list.
pub(super) fn split(call: &Call<'_>) -> Answer {
    let (separator, text) = (call.text(0)?, call.text(1)?);
    call.room_for_texts(text.matches(separator.as_str()).count().saturating_add(1), text.len())?;
    Ok(text.split(separator.as_str()).map(Json::from).collect::<Vec<_>>().into())
}

/// `sortAlpha list`
pub(super) fn sort_alpha(call: &Call<'_>) -> Answer {
    call.room_for_copies()?;
    let mut items = text::items(call, 0)?;
    items.sort();
    Ok(items.into())
}

/// `toJson value`
pub(super) fn to_json(call: &Call<'_>) -> Answer {
    let mut text = Bounded::default();
    let written = serde_json::to_writer(&mut text, &AsJson(call.value(0)));
    text.finish(call, written.is_ok())
}

/// `toPrettyJson value`
pub(super) fn to_pretty_json(call: &Call<'_>) -> Answer {
    let mut text = Bounded::default();
    let written = serde_json::to_writer_pretty(&mut text, &AsJson(call.value(0)));
    text.finish(call, written.is_ok())
}

/// A text that stops growing where it is larger than a result may be.
#[derive(Default)]
struct Bounded {
    text: Vec<u8>,
    is_full: bool,
}

impl Write for Bounded {
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

impl Bounded {
    fn finish(self, call: &Call<'_>, is_written: bool) -> Answer {
        if self.is_full {
            return Err(call.too_large(MAX_BYTES));
        }
        let text = String::from_utf8(self.text).ok().filter(|_| is_written);
        text.map(Json::from).ok_or_else(|| call.wrong(0, "it cannot be written"))
    }
}

/// `toYaml value`, as Kubernetes reads it and without a line break at its end.
pub(super) fn to_yaml(call: &Call<'_>) -> Answer {
    call.room_for_copies()?;
    let source = Sources::default().add("toYaml");
    let (node, texts) = written::to_node(call.value(0), source);
    let mut text = Vec::new();
    yaml::write_yaml_as_written(&node, &texts, &mut text, MAX_BYTES)
        .map_err(|yaml::OutputFull| call.too_large(MAX_BYTES))?;
    let text = String::from_utf8(text).map_err(|_| call.wrong(0, "it cannot be written"))?;
    // It goes into a document, so the mark that starts one must go.
    Ok(text.strip_prefix("---\n").unwrap_or(&text).trim_end_matches('\n').into())
}

/// `fromJson text`
pub(super) fn from_json(call: &Call<'_>) -> Answer {
    let text = call.text(0)?;
    // Each value but the first follows one of these.
    let values = text.bytes().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count().saturating_add(1);
    room_for_values(call, values, text.len())?;
    serde_json::from_str(&text).map_err(|_| call.wrong(0, "it is not JSON"))
}

/// `fromYaml text`: one document.
pub(super) fn from_yaml(call: &Call<'_>) -> Answer {
    let text = call.text(0)?;
    // Each value but the first follows one of these; what aliases add is bounded by itself.
    let may_part = |byte: &u8| matches!(byte, b',' | b'[' | b'{' | b'\n' | b':' | b'?' | b'-');
    let values = text.bytes().filter(may_part).count().saturating_add(1);
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
        .map_err(|_| call.wrong(0, "it is not YAML, or too large"))?;
    match documents.as_slice() {
        [] => Ok(Json::Null),
        [document] => {
            // What is written otherwise than it is read takes more than was foreseen.
            call.room_in_memory(Weight::of_node(document, &texts).memory)?;
            Ok(written::of_node(document, &texts))
        }
        _ => Err(call.wrong(0, "it holds several documents")),
    }
}

/// Refuses a result of so many values before it is read; reading takes longer than copying.
fn room_for_values(call: &Call<'_>, values: usize, bytes: usize) -> Result<(), TemplateFault> {
    call.state.charge(bytes as u64 / 16)?;
    call.room_in_memory(Weight::of_values(values, bytes))
}
